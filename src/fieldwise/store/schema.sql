-- The schema as all migrations leave it; a test holds the two together. New changes are new migrations.
-- Instants are microseconds since 1970 UTC, days are days since 1970. One tenant per database.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE lease (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);

CREATE TABLE publication (
    environment TEXT NOT NULL,
    project TEXT NOT NULL,
    version INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'retired', 'reverted')),
    document TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    activated_at INTEGER,
    PRIMARY KEY (environment, project, version)
);

CREATE UNIQUE INDEX publication_in_force ON publication (environment, project) WHERE status = 'active';

CREATE TABLE project (
    environment TEXT NOT NULL,
    name TEXT NOT NULL,
    generated_until INTEGER,
    PRIMARY KEY (environment, name)
);

CREATE TABLE gap (
    environment TEXT NOT NULL,
    project TEXT NOT NULL,
    first_day INTEGER NOT NULL,
    last_day INTEGER NOT NULL,
    PRIMARY KEY (environment, project, first_day, last_day)
);

-- A task's names and the card that lists show; ten million instances carry only its number.
CREATE TABLE task (
    id INTEGER PRIMARY KEY,
    environment TEXT NOT NULL,
    name TEXT NOT NULL,
    project TEXT NOT NULL,
    kind TEXT NOT NULL DEFAULT '',
    table_kind TEXT NOT NULL DEFAULT '',
    period TEXT NOT NULL DEFAULT '',
    fields INTEGER NOT NULL DEFAULT 0,
    birth INTEGER,
    card TEXT NOT NULL DEFAULT '{}',
    UNIQUE (environment, name)
);

CREATE TABLE task_facet (
    task INTEGER NOT NULL REFERENCES task (id),
    facet TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (facet, value, task)
);

CREATE TABLE node (
    id INTEGER PRIMARY KEY,
    task INTEGER NOT NULL REFERENCES task (id),
    name TEXT NOT NULL,
    UNIQUE (task, name)
);

-- A firing happens once: a task fixes its environment, an instance has each node once.
-- `nodes`, `fields`: counts by status as JSON; `present`: which of them are not 0, as bits (7 of nodes, then 5 of fields).
CREATE TABLE instance (
    id INTEGER PRIMARY KEY,
    task INTEGER NOT NULL,
    version INTEGER NOT NULL,
    type INTEGER NOT NULL CHECK (type BETWEEN 0 AND 2),
    flow INTEGER NOT NULL,
    scheduled_at INTEGER NOT NULL,
    slot_start INTEGER NOT NULL,
    data_day INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    nodes TEXT NOT NULL,
    fields TEXT NOT NULL,
    present INTEGER NOT NULL,
    marks INTEGER NOT NULL,
    runs INTEGER NOT NULL DEFAULT 0,
    started_at INTEGER,
    ended_at INTEGER
);
CREATE UNIQUE INDEX instance_firing ON instance (task, scheduled_at, flow);
-- Lists look at one data day after the other, so every order they offer begins with the day.
CREATE INDEX instance_scheduled ON instance (data_day, scheduled_at, id);
-- Instances that have not wholly succeeded (32, 1056): the few that an operator looks for.
CREATE INDEX instance_present ON instance (present, data_day, id) WHERE present <> 32 AND present <> 1056;
CREATE INDEX instance_started ON instance (data_day, started_at, id) WHERE started_at IS NOT NULL;
CREATE INDEX instance_ended ON instance (data_day, ended_at, id) WHERE ended_at IS NOT NULL;
CREATE INDEX instance_run_time ON instance (data_day, (ended_at - started_at), id) WHERE ended_at - started_at IS NOT NULL;
CREATE INDEX instance_paused ON instance (id) WHERE marks & 1 <> 0;

-- Not the node's own number is the key of a firing but the instance's: ids ascend with generation, numbers do not.
CREATE TABLE node_instance (
    id INTEGER PRIMARY KEY,
    instance INTEGER NOT NULL,
    node INTEGER NOT NULL,
    status INTEGER NOT NULL CHECK (status BETWEEN 0 AND 6),
    marks INTEGER NOT NULL,
    run INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,
    retries_used INTEGER NOT NULL DEFAULT 0,
    losses_used INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER,
    started_at INTEGER,
    ended_at INTEGER,
    priority INTEGER CHECK (priority BETWEEN 0 AND 4),
    CHECK (status <> 4 OR (attempt > 0 AND started_at IS NOT NULL AND ended_at IS NULL)),
    CHECK (status < 5 OR ended_at IS NOT NULL OR marks & 8 <> 0)
);
CREATE UNIQUE INDEX node_instance_firing ON node_instance (instance, node);

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    node_instance INTEGER NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    started_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    log TEXT NOT NULL,
    fused_with INTEGER NOT NULL,
    ended_at INTEGER,
    outcome INTEGER NOT NULL DEFAULT 0 CHECK (outcome BETWEEN 0 AND 5),
    message TEXT NOT NULL DEFAULT '',
    code TEXT NOT NULL DEFAULT '',
    rows INTEGER,
    result TEXT,
    inputs TEXT,
    engine_seconds REAL NOT NULL DEFAULT 0,
    CHECK ((outcome = 0) = (ended_at IS NULL))
);
CREATE UNIQUE INDEX run_number ON run (node_instance, number);

-- Creation days of events: each day's events stand in a table of their own, event_<day>, and are dropped with it.
-- `first_instance`: instances from this number on were created on that day or later.
CREATE TABLE event_day (day INTEGER PRIMARY KEY, first_instance INTEGER NOT NULL);

-- What retention removed: everything of a task up to an instant, except that these firings had not succeeded.
CREATE TABLE purge (task INTEGER PRIMARY KEY, scheduled_at INTEGER NOT NULL);
CREATE TABLE purge_unsuccessful (task INTEGER NOT NULL, scheduled_at INTEGER NOT NULL, PRIMARY KEY (task, scheduled_at));

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
