-- What people did, and the exceptions that it left on single node instances.
-- `document`: what was asked and what was planned, JSON; `orders`: what remains to be applied after a crash, JSON.
CREATE TABLE operation (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('ui', 'api', 'cli', 'agent')),
    verb TEXT NOT NULL,
    reason TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('applied', 'applying', 'refused', 'cancelled', 'awaiting_consent')),
    applied INTEGER NOT NULL DEFAULT 0,
    total INTEGER NOT NULL,
    environment TEXT NOT NULL,
    document TEXT NOT NULL,
    orders TEXT NOT NULL,
    refused TEXT NOT NULL DEFAULT '[]',
    key TEXT NOT NULL DEFAULT '',
    digest TEXT NOT NULL DEFAULT '',
    undo_of INTEGER NOT NULL DEFAULT 0,
    undone_by INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX operation_key ON operation (actor, key) WHERE key <> '';
CREATE INDEX operation_open ON operation (id) WHERE status IN ('applying', 'awaiting_consent');
CREATE TABLE operation_instance (
    instance INTEGER NOT NULL,
    operation INTEGER NOT NULL,
    PRIMARY KEY (instance, operation)
) WITHOUT ROWID;
CREATE TABLE removed_edge (
    node_instance INTEGER NOT NULL,
    upstream INTEGER NOT NULL,
    operation INTEGER NOT NULL,
    PRIMARY KEY (node_instance, upstream)
) WITHOUT ROWID;
CREATE TABLE paused_until (node_instance INTEGER PRIMARY KEY, until INTEGER NOT NULL, operation INTEGER NOT NULL);
CREATE TABLE chosen_group (node_instance INTEGER PRIMARY KEY, name TEXT NOT NULL);
