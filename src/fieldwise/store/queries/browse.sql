-- instance --
SELECT i.id, i.type, i.flow, i.scheduled_at, i.slot_start, i.data_day, i.ordinal, i.version, i.nodes, i.fields, i.started_at, i.ended_at, i.marks,
       i.runs, t.environment, t.name, t.project, t.kind, t.table_kind, t.period, t.card
FROM instance i JOIN task t ON t.id = i.task

-- node_instances --
SELECT n.id, d.name AS node, n.status, n.marks, n.run, n.attempt, n.next_at, n.started_at, n.ended_at, n.priority, n.instance
FROM node_instance n JOIN node d ON d.id = n.node WHERE n.instance = :instance ORDER BY n.id

-- runs --
SELECT r.id, r.node_instance, d.name AS node, r.number, r.attempt, r.started_at, r.version, r.kind, r.log, r.fused_with, r.ended_at, r.outcome,
       r.message, r.code, r.rows, r.result, r.inputs, r.engine_seconds, n.instance
FROM run r JOIN node_instance n ON n.id = r.node_instance JOIN node d ON d.id = n.node
WHERE n.instance = :instance ORDER BY r.started_at DESC, r.id DESC

-- run --
SELECT r.id, r.node_instance, d.name AS node, r.number, r.attempt, r.started_at, r.version, r.kind, r.log, r.fused_with, r.ended_at, r.outcome,
       r.message, r.code, r.rows, r.result, r.inputs, r.engine_seconds, n.instance
FROM run r JOIN node_instance n ON n.id = r.node_instance JOIN node d ON d.id = n.node WHERE r.id = :run

-- find --
SELECT i.id FROM instance i JOIN task t ON t.id = i.task
WHERE t.environment = :environment AND t.name = :task AND i.data_day = :day ORDER BY i.scheduled_at, i.id

-- day_counts --
-- The last days with what their instances count.
SELECT i.data_day, i.nodes, i.fields, count(*) FROM instance i JOIN task t ON t.id = i.task
WHERE t.environment = :environment AND i.data_day > :newest - :days AND i.data_day <= :newest
GROUP BY i.data_day, i.nodes, i.fields

-- newest_day --
-- The newest data day not after a limit.
SELECT max(i.data_day) FROM instance i JOIN task t ON t.id = i.task WHERE t.environment = :environment AND i.data_day <= :limit

-- in_status --
-- Node instances in a status, the longest there first.
SELECT i.id, t.name, i.data_day, d.name AS node, n.started_at, n.ended_at, n.status, i.scheduled_at
FROM node_instance n JOIN instance i ON i.id = n.instance JOIN task t ON t.id = i.task JOIN node d ON d.id = n.node
WHERE i.data_day BETWEEN :first AND :last AND t.environment = :environment AND n.status BETWEEN :from_status AND :to_status
ORDER BY coalesce(n.ended_at, n.started_at, i.scheduled_at) LIMIT :limit
