-- instance --
-- An instance as lists and pages show it.
SELECT i.id, i.type, i.flow, i.scheduled_at, i.slot_start, i.data_day, i.ordinal, i.version, i.nodes, i.fields, i.started_at, i.ended_at, i.marks,
       i.runs, t.environment, t.name, t.project, t.kind, t.table_kind, t.period, t.card
FROM instance i JOIN task t ON t.id = i.task

-- node_instances --
-- The nodes of an instance.
SELECT n.id, d.name AS node, n.status, n.marks, n.run, n.attempt, n.next_at, n.started_at, n.ended_at, n.priority, n.instance
FROM node_instance n JOIN node d ON d.id = n.node WHERE n.instance = :instance ORDER BY n.id

-- runs --
-- The runs of an instance, newest first.
SELECT r.id, r.node_instance, d.name AS node, r.number, r.attempt, r.started_at, r.version, r.kind, r.log, r.fused_with, r.ended_at, r.outcome,
       r.message, r.code, r.rows, r.result, r.inputs, r.engine_seconds, n.instance
FROM run r JOIN node_instance n ON n.id = r.node_instance JOIN node d ON d.id = n.node
WHERE n.instance = :instance ORDER BY r.started_at DESC, r.id DESC

-- run --
-- One run.
SELECT r.id, r.node_instance, d.name AS node, r.number, r.attempt, r.started_at, r.version, r.kind, r.log, r.fused_with, r.ended_at, r.outcome,
       r.message, r.code, r.rows, r.result, r.inputs, r.engine_seconds, n.instance
FROM run r JOIN node_instance n ON n.id = r.node_instance JOIN node d ON d.id = n.node WHERE r.id = :run

-- find --
-- A task's instances of a data day.
SELECT i.id FROM instance i JOIN task t ON t.id = i.task
WHERE t.environment = :environment AND t.name = :task AND i.data_day = :day ORDER BY i.scheduled_at, i.id

-- day_counts --
-- The last days with what their instances count.
SELECT i.data_day, i.nodes, i.fields, count(*) FROM instance i JOIN task t ON t.id = i.task
WHERE t.environment = :environment AND i.data_day > :newest - :days AND i.data_day <= :newest
GROUP BY i.data_day, i.nodes, i.fields

-- in_status --
-- Node instances of some instances in a status, the longest there first.
SELECT i.id, t.name, i.data_day, d.name AS node, n.started_at, n.ended_at, n.status, i.scheduled_at
FROM instance i JOIN node_instance n ON n.instance = i.id JOIN task t ON t.id = i.task JOIN node d ON d.id = n.node
WHERE i.id IN ({ids}) AND n.status BETWEEN :from_status AND :to_status
ORDER BY coalesce(n.ended_at, n.started_at, i.scheduled_at), n.id LIMIT :limit

-- day_has --
-- Whether a data day has an instance of an environment.
SELECT EXISTS (SELECT 1 FROM instance i JOIN task t ON t.id = i.task WHERE i.data_day = :day AND t.environment = :environment)

-- days --
-- The data days of a stretch that have instances: one step per day, not per instance.
WITH RECURSIVE found (day) AS (
    SELECT min(data_day) FROM instance WHERE data_day BETWEEN :first AND :last
    UNION ALL
    SELECT (SELECT min(data_day) FROM instance WHERE data_day > found.day AND data_day <= :last) FROM found WHERE found.day IS NOT NULL
)
SELECT day FROM found WHERE day IS NOT NULL ORDER BY day

-- shapes --
-- The combinations of statuses that occur in instances that have not wholly succeeded: one step per combination.
WITH RECURSIVE found (present) AS (
    SELECT min(present) FROM instance WHERE present <> 32 AND present <> 1056
    UNION ALL
    SELECT (SELECT min(present) FROM instance WHERE present > found.present AND present <> 32 AND present <> 1056)
    FROM found WHERE found.present IS NOT NULL
)
SELECT present FROM found WHERE present IS NOT NULL
