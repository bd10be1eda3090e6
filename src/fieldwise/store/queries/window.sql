-- window --
-- Every node instance that is not final, or ended after an instant.
SELECT n.id, n.status, n.marks, n.run, n.attempt, n.retries_used, n.losses_used, n.next_at, n.started_at, n.ended_at,
       n.instance, n.node, i.task, i.type, i.flow, i.scheduled_at, i.slot_start, i.data_day, i.ordinal, i.version, n.priority
FROM node_instance n JOIN instance i ON i.id = n.instance
WHERE n.status < 5 OR :after IS NULL OR n.ended_at >= :after OR n.ended_at IS NULL
ORDER BY n.id

-- nodes_at_once --
-- The window's node instances: what each of them has.
SELECT id, instance, node, status, marks FROM node_instance
WHERE status < 5 OR :after IS NULL OR ended_at >= :after OR ended_at IS NULL
ORDER BY id

-- runs_at_once --
-- The window's node instances of which more is known: ran, waits between retries, ended, or changed in priority.
SELECT id, run, attempt, retries_used, losses_used, coalesce(next_at, -4611686018427387904), coalesce(started_at, -4611686018427387904),
       coalesce(ended_at, -4611686018427387904), coalesce(priority, -1)
FROM node_instance
WHERE (attempt > 0 OR next_at IS NOT NULL OR ended_at IS NOT NULL OR priority IS NOT NULL)
  AND (status < 5 OR :after IS NULL OR ended_at >= :after OR ended_at IS NULL)
ORDER BY id

-- instances_at_once --
-- The window's instances: those with a node that is not final, or that ended after an instant.
SELECT id, task, type, flow, scheduled_at, slot_start, data_day, ordinal, version FROM instance
WHERE :after IS NULL OR present & 31 <> 0 OR ended_at >= :after OR ended_at IS NULL
ORDER BY id

-- insert_event --
-- A transition joins the log.
INSERT INTO {event} (node_instance, event, before, after, marks, at, run, attempt, operation, detail)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- update_node --
-- The state of a node instance after a decision.
UPDATE node_instance SET status = ?2, marks = ?3, run = ?4, attempt = ?5, retries_used = ?6, losses_used = ?7,
    next_at = ?8, started_at = ?9, ended_at = ?10
WHERE id = ?1

-- update_instance --
-- What lists show of an instance after a decision.
UPDATE instance SET nodes = ?2, fields = ?3, present = ?4, started_at = ?5, ended_at = ?6, marks = ?7, runs = ?8
WHERE id = ?1

-- start_run --
-- A run begins.
INSERT INTO run (node_instance, number, attempt, started_at, version, kind, log, fused_with)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- end_run --
-- Conditional on the attempt: a run that ended stays as it is.
UPDATE run SET ended_at = ?4, outcome = ?5, message = ?6, code = ?7, rows = ?8, result = ?9, inputs = ?10, engine_seconds = ?11
WHERE node_instance = ?1 AND number = ?2 AND attempt = ?3 AND outcome = 0

-- recent_rows --
-- Row counts of a node's last successful real runs, newest slots first.
SELECT r.rows FROM instance i JOIN node_instance n ON n.instance = i.id AND n.node = :node
JOIN run r ON r.node_instance = n.id AND r.outcome = 1 AND r.rows IS NOT NULL
WHERE i.task = :task AND i.flow = 0 ORDER BY i.scheduled_at DESC, r.number DESC LIMIT :limit
