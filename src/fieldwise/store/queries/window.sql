-- window --
-- Every node instance that is not final, or ended after an instant.
SELECT n.id, n.status, n.marks, n.run, n.attempt, n.retries_used, n.losses_used, n.next_at, n.started_at, n.ended_at,
       n.instance, n.node, i.task, i.type, i.flow, i.scheduled_at, i.slot_start, i.data_day, i.ordinal, i.version, n.priority
FROM node_instance n JOIN instance i ON i.id = n.instance
WHERE n.status < 5 OR :after IS NULL OR n.ended_at >= :after OR n.ended_at IS NULL
ORDER BY n.id

-- update_node --
UPDATE node_instance SET status = ?, marks = ?, run = ?, attempt = ?, retries_used = ?, losses_used = ?, next_at = ?, started_at = ?, ended_at = ?
WHERE id = ?

-- update_instance --
UPDATE instance SET nodes = ?, fields = ?, present = ?, started_at = ?, ended_at = ?, marks = ?, runs = ? WHERE id = ?

-- start_run --
INSERT INTO run (node_instance, number, attempt, started_at, version, kind, log, fused_with) VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- end_run --
-- Conditional on the attempt: a run that ended stays as it is.
UPDATE run SET ended_at = ?, outcome = ?, message = ?, code = ?, rows = ?, result = ?, inputs = ?, engine_seconds = ?
WHERE node_instance = ? AND number = ? AND attempt = ? AND outcome = 0

-- recent_rows --
-- Row counts of a node's last successful real runs, newest slots first.
SELECT r.rows FROM instance i JOIN node_instance n ON n.instance = i.id AND n.node = :node
JOIN run r ON r.node_instance = n.id AND r.outcome = 1 AND r.rows IS NOT NULL
WHERE i.task = :task AND i.flow = 0 ORDER BY i.scheduled_at DESC, r.number DESC LIMIT :limit
