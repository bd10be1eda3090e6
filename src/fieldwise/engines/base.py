"""Where a warehouse keeps what is not a logical table: one schema for each purpose."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from fieldwise.engines.quoting import identifier, literal

SYSTEM = "fieldwise"  # ledger, fence, versions
DROPPED = "fieldwise_dropped"  # what a publish of definitions took away, restorable
STAGING = "fieldwise_staging"  # partitions of `visible: complete` tables that are not complete yet
KEPT = "fieldwise_kept"  # rows and values that runs replaced, for undo
MEMBERS = "fieldwise_members"  # each metrics node's keys: rows are the union over the nodes
# Columns of the companions; "@" because a field's name cannot collide with it.
ATTEMPT, CHANGE, NODE = '"@attempt"', '"@change"', '"@node"'
SCHEMAS = (SYSTEM, DROPPED, STAGING, KEPT, MEMBERS)


def beside(schema: str, relation: str) -> str:
    """The companion of `project.table` in one of the schemas above, as SQL."""
    return f"{schema}.{identifier(relation)}"


def kept_name(relation: str, fields: Iterable[str]) -> str:
    """The table of `fieldwise_kept` with replaced values of these fields; removed rows are in `relation` itself."""
    return f"{relation}/{hashlib.sha1(chr(0).join(fields).encode()).hexdigest()[:8]}"


def partition_value(partition: str, partition_type: str) -> str:
    """A partition as an SQL value; not bound, because the user's parameters share the statement."""
    return f"CAST({literal(partition)} AS {partition_type})"
