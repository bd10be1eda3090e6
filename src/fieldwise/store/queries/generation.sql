-- any --
-- Whether a stretch of data days has instances at all.
SELECT EXISTS (SELECT 1 FROM instance WHERE data_day BETWEEN :first AND :last)

-- known --
-- Firings of a task that exist already in a stretch of time.
SELECT task, scheduled_at, flow FROM instance WHERE task = ? AND scheduled_at BETWEEN ? AND ?

-- greatest_instance --
-- The last number given to an instance.
SELECT coalesce(max(id), 0) FROM instance

-- greatest_node_instance --
-- The last number given to a node instance.
SELECT coalesce(max(id), 0) FROM node_instance

-- insert_instance --
-- An instance is born.
INSERT INTO instance (id, task, version, type, flow, scheduled_at, slot_start, data_day, ordinal, nodes, fields, present, marks)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- insert_node_instance --
-- A node instance is born.
INSERT INTO node_instance (id, instance, node, status, marks) VALUES (?, ?, ?, ?, ?)

-- insert_births --
-- The first event of every node instance from a number on.
INSERT INTO {event} (node_instance, event, before, after, marks, at, run, attempt, operation, detail)
SELECT id, 0, status, status, marks, :at, 0, 0, 0, '' FROM node_instance WHERE id >= :first ORDER BY id

-- birth --
-- The earliest scheduled time ever generated.
UPDATE task SET birth = :at WHERE id = :task AND (birth IS NULL OR birth > :at)

-- births --
-- Every task's earliest scheduled time ever generated.
SELECT name, birth FROM task WHERE environment = :environment AND birth IS NOT NULL

-- set_generated_until --
-- Generation only moves forward.
INSERT INTO project (environment, name, generated_until) VALUES (:environment, :project, :at)
ON CONFLICT (environment, name) DO UPDATE SET generated_until = excluded.generated_until
WHERE project.generated_until IS NULL OR project.generated_until < excluded.generated_until

-- generated_until --
-- How far each project is generated.
SELECT name, generated_until FROM project WHERE environment = :environment AND generated_until IS NOT NULL

-- gaps --
-- Stretches skipped on purpose.
SELECT project, first_day, last_day FROM gap WHERE environment = :environment

-- record_gap --
-- Skip a stretch on purpose.
INSERT INTO gap (environment, project, first_day, last_day) VALUES (:environment, :project, :first, :last) ON CONFLICT DO NOTHING

-- forget_gap --
-- A stretch is made up for.
DELETE FROM gap WHERE environment = :environment AND project = :project AND first_day = :first AND last_day = :last
