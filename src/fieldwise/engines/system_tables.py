"""Fieldwise's own tables in the warehouse (spec 7, "Publish").

A partition's guard row, ledger, fence and column versions are one row of `fieldwise.partition`: every statement costs
DuckDB about a millisecond, and one row means that any two writers of a partition conflict, which is the guard's purpose.
The views show it as the rest of the world speaks of it.
"""

from __future__ import annotations

from fieldwise.engines.base import SCHEMAS

KEY_SET = ""  # the "field" whose version is that of the partition's keys

_EACH = "CAST(entry.value AS BIGINT) AS attempt FROM fieldwise.partition p, json_each(p.{column}) entry"

SYSTEM_TABLES: tuple[str, ...] = (
    *(f"CREATE SCHEMA IF NOT EXISTS {schema}" for schema in SCHEMAS),
    """CREATE TABLE IF NOT EXISTS fieldwise.partition (
        environment VARCHAR, relation VARCHAR, partition VARCHAR,
        writes BIGINT,      -- how often this row was written: publishes and fences
        greatest BIGINT,    -- greatest attempt in ledger or fence
        filled BOOLEAN,     -- a node has inserted its rows
        shown BOOLEAN,      -- false: its rows wait in fieldwise_staging
        published VARCHAR,  -- JSON: node -> attempt
        fence VARCHAR,      -- JSON: node -> attempt, itself refused
        version VARCHAR,    -- JSON: field -> attempt that last changed a value, '' the key set
        PRIMARY KEY (relation, partition))""",
    *(
        f"CREATE VIEW IF NOT EXISTS fieldwise.{view} AS "
        f"SELECT p.environment, p.relation, entry.key AS {name}, p.partition, " + _EACH.format(column=view)
        for view, name in (("published", "node"), ("fence", "node"), ("version", "field"))
    ),
    """CREATE TABLE IF NOT EXISTS fieldwise.replaced_version (
        relation VARCHAR, partition VARCHAR, attempt BIGINT, field VARCHAR, version BIGINT)""",
    "CREATE TABLE IF NOT EXISTS fieldwise.folder (folder VARCHAR PRIMARY KEY)",
    """CREATE TABLE IF NOT EXISTS fieldwise.source (
        name VARCHAR PRIMARY KEY, project VARCHAR, folder VARCHAR, format VARCHAR, location VARCHAR,
        partition VARCHAR, from_task VARCHAR, columns VARCHAR)""",
    "CREATE TABLE IF NOT EXISTS fieldwise.shape_change (version VARCHAR PRIMARY KEY, digest VARCHAR)",
    """CREATE TABLE IF NOT EXISTS fieldwise.zero_field (
        relation VARCHAR, node VARCHAR, field VARCHAR, PRIMARY KEY (relation, field))""",
)
