-- newest_version --
-- The greatest version number a project ever had.
SELECT coalesce(max(version), 0) FROM publication WHERE environment = :environment AND project = :project

-- begin --
-- A version that is being published.
INSERT INTO publication (environment, project, version, status, document, created_at)
VALUES (:environment, :project, :version, 'pending', :document, :created_at)

-- retire --
-- The version in force steps back.
UPDATE publication SET status = 'retired'
WHERE environment = :environment AND project = :project AND status = 'active'

-- status --
-- Where a version stands.
SELECT status FROM publication WHERE environment = :environment AND project = :project AND version = :version

-- activate --
-- A pending version comes into force.
UPDATE publication SET status = 'active', activated_at = :at
WHERE environment = :environment AND project = :project AND version = :version AND status = 'pending'

-- revert --
-- A pending version never came into force.
UPDATE publication SET status = 'reverted'
WHERE environment = :environment AND project = :project AND version = :version AND status = 'pending'

-- with_status --
-- The versions of one status.
SELECT environment, project, version FROM publication WHERE status = :status AND (:environment = '' OR environment = :environment) ORDER BY project

-- one --
-- One version, whatever its status.
SELECT document FROM publication WHERE environment = :environment AND project = :project AND version = :version

-- keep_task --
-- A task's number and card; its birth stays.
INSERT INTO task (environment, name, project, kind, table_kind, period, fields, card)
VALUES (:environment, :name, :project, :kind, :table_kind, :period, :fields, :card)
ON CONFLICT (environment, name) DO UPDATE SET kind = excluded.kind, table_kind = excluded.table_kind,
    period = excluded.period, fields = excluded.fields, card = excluded.card

-- forget_facets --
-- A task's facets are replaced as a whole.
DELETE FROM task_facet WHERE task = :task

-- keep_facet --
-- One thing lists can be filtered by.
INSERT INTO task_facet (task, facet, value) VALUES (:task, :facet, :value) ON CONFLICT DO NOTHING

-- tasks --
-- All tasks of an environment.
SELECT id, name, fields FROM task WHERE environment = :environment

-- nodes --
-- All nodes of an environment.
SELECT n.id, n.name FROM node n JOIN task t ON t.id = n.task WHERE t.environment = :environment

-- keep_node --
-- A node's number.
INSERT INTO node (task, name) VALUES (:task, :name)

-- node --
-- The number of a node.
SELECT id FROM node WHERE task = :task AND name = :name

-- task --
-- The number of a task.
SELECT id FROM task WHERE environment = :environment AND name = :name
