-- known --
-- Firings that exist already in a stretch of data days.
SELECT task, flow, scheduled_at, id FROM instance WHERE data_day BETWEEN :first AND :last

-- known_nodes --
-- Which nodes an instance already has.
SELECT node FROM node_instance WHERE instance = :instance

-- greatest_instance --
SELECT coalesce(max(id), 0) FROM instance

-- greatest_node_instance --
SELECT coalesce(max(id), 0) FROM node_instance

-- insert_instance --
INSERT INTO instance (id, task, type, flow, scheduled_at, slot_start, data_day, ordinal, version, created_day, nodes, fields, present, marks)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- insert_node_instance --
INSERT INTO node_instance (id, instance, node, status, marks) VALUES (?, ?, ?, ?, ?)

-- birth --
-- The earliest scheduled time ever generated.
UPDATE task SET birth = :at WHERE id = :task AND (birth IS NULL OR birth > :at)

-- births --
SELECT name, birth FROM task WHERE environment = :environment AND birth IS NOT NULL

-- set_generated_until --
-- Generation only moves forward.
INSERT INTO project (environment, name, generated_until) VALUES (:environment, :project, :at)
ON CONFLICT (environment, name) DO UPDATE SET generated_until = excluded.generated_until
WHERE project.generated_until IS NULL OR project.generated_until < excluded.generated_until

-- generated_until --
SELECT name, generated_until FROM project WHERE environment = :environment AND generated_until IS NOT NULL

-- gaps --
SELECT project, first_day, last_day FROM gap WHERE environment = :environment

-- record_gap --
INSERT INTO gap (environment, project, first_day, last_day) VALUES (:environment, :project, :first, :last) ON CONFLICT DO NOTHING

-- forget_gap --
DELETE FROM gap WHERE environment = :environment AND project = :project AND first_day = :first AND last_day = :last
