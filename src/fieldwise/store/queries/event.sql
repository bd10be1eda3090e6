-- make --
-- The events of one day.
CREATE TABLE IF NOT EXISTS {event} (
    sequence INTEGER PRIMARY KEY, node_instance INTEGER NOT NULL, event INTEGER NOT NULL, before INTEGER NOT NULL,
    after INTEGER NOT NULL, marks INTEGER NOT NULL, at INTEGER NOT NULL, run INTEGER NOT NULL, attempt INTEGER NOT NULL,
    operation INTEGER NOT NULL, detail TEXT NOT NULL)

-- make_index --
-- An instance's history is read by its node instances.
CREATE INDEX IF NOT EXISTS {event}_node_instance ON {event} (node_instance)

-- keep_day --
-- A day has events.
INSERT INTO event_day (day, first_instance) SELECT :day, coalesce(max(id), 0) + 1 FROM instance WHERE true ON CONFLICT DO NOTHING

-- newest_day --
-- The last day with events.
SELECT max(day) FROM event_day

-- days --
-- All days with events, oldest first.
SELECT day FROM event_day ORDER BY day

-- of_instance --
-- One day's events of an instance.
SELECT node_instance, event, before, after, marks, at, run, attempt, operation, detail FROM {event}
WHERE node_instance IN (SELECT id FROM node_instance WHERE instance = :instance) ORDER BY sequence

-- newest --
-- The last event of a day.
SELECT coalesce(max(sequence), 0) FROM {event}

-- changed --
-- Instances with events in a stretch of the log.
SELECT DISTINCT n.instance FROM {event} e JOIN node_instance n ON n.id = e.node_instance
WHERE e.sequence > :after AND e.sequence <= :until LIMIT :limit

-- drop --
-- A day is over and past the retention.
DROP TABLE IF EXISTS {event}

-- forget_day --
-- The day has no events any more.
DELETE FROM event_day WHERE day = :day
