-- next --
-- The number of the next operation.
SELECT coalesce(max(id), 0) + 1 FROM operation

-- insert --
-- An operation joins the log before anything of it is applied.
INSERT INTO operation (id, at, actor, source, verb, reason, status, total, environment, document, orders, key, digest, undo_of)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- insert_instance --
-- The instances an operation touches.
INSERT OR IGNORE INTO operation_instance (instance, operation) VALUES (?, ?)

-- undone --
-- An operation was taken back by another.
UPDATE operation SET undone_by = ?1 WHERE id = ?2

-- progress --
-- How far an operation has come.
UPDATE operation SET applied = ?2, status = ?3, refused = ?4 WHERE id = ?1 AND status IN ('applying', 'applied', 'awaiting_consent')

-- set_priority --
-- The priority an operation chose for a node instance.
UPDATE node_instance SET priority = ?2 WHERE id = ?1

-- set_group --
-- The resource group an operation chose for a node instance.
INSERT INTO chosen_group (node_instance, name) VALUES (?, ?) ON CONFLICT (node_instance) DO UPDATE SET name = excluded.name

-- unset_group --
-- Back to the node's own resource group.
DELETE FROM chosen_group WHERE node_instance = ?

-- set_until --
-- When a pause ends by itself.
INSERT INTO paused_until (node_instance, until, operation) VALUES (?, ?, ?)
ON CONFLICT (node_instance) DO UPDATE SET until = excluded.until, operation = excluded.operation

-- unset_until --
-- A pause without an end, or that is over.
DELETE FROM paused_until WHERE node_instance = ?

-- remove_edge --
-- A dependency no longer counts.
INSERT OR REPLACE INTO removed_edge (node_instance, upstream, operation) VALUES (?, ?, ?)

-- restore_edge --
-- A dependency counts again.
DELETE FROM removed_edge WHERE node_instance = ? AND upstream = ?

-- removed --
-- All removed dependencies.
SELECT node_instance, upstream FROM removed_edge

-- untils --
-- All ends of pauses.
SELECT node_instance, until FROM paused_until

-- groups --
-- All chosen resource groups.
SELECT node_instance, name FROM chosen_group

-- open --
-- Operations that are being applied, oldest first.
SELECT id, verb, orders, applied, refused FROM operation WHERE status = 'applying' AND environment = :environment ORDER BY id

-- one --
-- One operation.
SELECT id, at, actor, source, verb, reason, status, applied, total, environment, document, refused, undo_of, undone_by, digest FROM operation WHERE id = :id

-- by_key --
-- The operation that a client already asked for under a key.
SELECT id, digest FROM operation WHERE actor = :actor AND key = :key

-- page --
-- A page of the history, newest first.
SELECT id, at, actor, source, verb, reason, status, applied, total, environment, document, refused, undo_of, undone_by, digest FROM operation o
WHERE (:before IS NULL OR o.id < :before) AND (:verb IS NULL OR o.verb = :verb) AND (:actor IS NULL OR o.actor = :actor)
  AND (:source IS NULL OR o.source = :source) AND (:first IS NULL OR o.at >= :first) AND (:last IS NULL OR o.at < :last)
  AND (:object IS NULL OR o.document LIKE :object)
  AND (:instance IS NULL OR o.id IN (SELECT operation FROM operation_instance WHERE instance = :instance))
ORDER BY o.id DESC LIMIT :limit

-- later --
-- The newest operation on any of some instances after another one.
SELECT max(operation) FROM operation_instance WHERE operation > :after AND instance IN (SELECT value FROM json_each(:instances))

-- seconds --
-- Mean engine seconds of the last ten successful runs of nodes, by node name.
SELECT n.name, (SELECT avg(x.engine_seconds) FROM (
    SELECT r.engine_seconds FROM instance i JOIN node_instance ni ON ni.instance = i.id AND ni.node = n.id
    JOIN run r ON r.node_instance = ni.id AND r.outcome = 1
    WHERE i.task = n.task ORDER BY i.scheduled_at DESC, r.number DESC LIMIT 10) x)
FROM node n WHERE n.name IN (SELECT value FROM json_each(:names))

-- inputs --
-- What the last successful run of each node instance read: versions of its inputs.
SELECT r.node_instance, r.inputs, max(r.number) FROM run r JOIN json_each(:ids) k ON r.node_instance = k.value
WHERE r.outcome = 1 AND r.inputs IS NOT NULL GROUP BY r.node_instance

-- set_version --
-- An instance runs a newer version of its definition.
UPDATE instance SET version = ?2 WHERE id = ?1
