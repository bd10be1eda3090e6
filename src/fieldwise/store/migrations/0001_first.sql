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

-- A firing happens once: unique by task (which fixes environment), scheduled time and flow.
CREATE TABLE instance (
    id INTEGER PRIMARY KEY,
    task INTEGER NOT NULL,
    type INTEGER NOT NULL,
    flow INTEGER NOT NULL,
    scheduled_at INTEGER NOT NULL,
    slot_start INTEGER NOT NULL,
    data_day INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_day INTEGER NOT NULL,
    nodes TEXT NOT NULL,
    fields TEXT NOT NULL,
    present INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    marks INTEGER NOT NULL DEFAULT 0,
    runs INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX instance_firing ON instance (task, flow, scheduled_at);
CREATE INDEX instance_day ON instance (data_day, scheduled_at, id);
CREATE INDEX instance_scheduled ON instance (scheduled_at, id);

CREATE TABLE node_instance (
    id INTEGER PRIMARY KEY,
    instance INTEGER NOT NULL,
    node INTEGER NOT NULL,
    status INTEGER NOT NULL CHECK (status BETWEEN 0 AND 6),
    marks INTEGER NOT NULL DEFAULT 0,
    run INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,
    retries_used INTEGER NOT NULL DEFAULT 0,
    losses_used INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER,
    started_at INTEGER,
    ended_at INTEGER,
    priority INTEGER,
    CHECK (status <> 4 OR attempt > 0)
);
CREATE UNIQUE INDEX node_instance_firing ON node_instance (instance, node);

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    node_instance INTEGER NOT NULL,
    number INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    log TEXT NOT NULL,
    fused_with INTEGER NOT NULL,
    ended_at INTEGER,
    outcome INTEGER NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '',
    code TEXT NOT NULL DEFAULT '',
    rows INTEGER,
    result TEXT,
    inputs TEXT,
    engine_seconds REAL NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX run_number ON run (node_instance, number);

-- Creation days of events: each day's events stand in a table of their own, event_<day>, and are dropped with it.
CREATE TABLE event_day (day INTEGER PRIMARY KEY, first_instance INTEGER NOT NULL);
