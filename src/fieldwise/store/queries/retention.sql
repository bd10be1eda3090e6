-- bounds --
-- The oldest and the newest instance.
SELECT min(id), max(id) FROM instance

-- first_kept --
-- The first instance created on a day or later.
SELECT min(first_instance) FROM event_day WHERE day >= :day

-- keep_unsuccessful --
-- What is removed without having succeeded still blocks what depends on it.
INSERT INTO purge_unsuccessful (task, scheduled_at)
SELECT task, scheduled_at FROM instance
WHERE id BETWEEN :first AND :last AND present & :open = 0 AND present & 64 <> 0 AND flow = 0
ON CONFLICT DO NOTHING

-- keep_purge --
-- How far each task's past is removed.
INSERT INTO purge (task, scheduled_at)
SELECT task, max(scheduled_at) FROM instance
WHERE id BETWEEN :first AND :last AND present & :open = 0 AND flow = 0 GROUP BY task
ON CONFLICT (task) DO UPDATE SET scheduled_at = excluded.scheduled_at WHERE purge.scheduled_at < excluded.scheduled_at

-- drop_runs --
-- Runs of final instances in a stretch.
DELETE FROM run WHERE node_instance IN (
    SELECT n.id FROM instance i JOIN node_instance n ON n.instance = i.id
    WHERE i.id BETWEEN :first AND :last AND i.present & :open = 0)

-- drop_node_instances --
-- Node instances of final instances in a stretch.
DELETE FROM node_instance WHERE id IN (
    SELECT n.id FROM instance i JOIN node_instance n ON n.instance = i.id
    WHERE i.id BETWEEN :first AND :last AND i.present & :open = 0)

-- drop_instances --
-- Final instances in a stretch.
DELETE FROM instance WHERE id BETWEEN :first AND :last AND present & :open = 0

-- purged --
-- How far each task's past is removed.
SELECT t.name, p.scheduled_at FROM purge p JOIN task t ON t.id = p.task WHERE t.environment = :environment

-- purged_unsuccessful --
-- Removed firings that had not succeeded.
SELECT t.name, p.scheduled_at FROM purge_unsuccessful p JOIN task t ON t.id = p.task WHERE t.environment = :environment
