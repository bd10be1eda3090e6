"""What one group commit writes, as the parameters of its statements."""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from typing import Any

from fieldwise.model.event import CommitBatch, InstanceState, RunEnd
from fieldwise.store import operations
from fieldwise.store.codec import compact
from fieldwise.store.counts import shape
from fieldwise.store.named import queries


def write(connection: sqlite3.Connection, batch: CommitBatch, event_table: str) -> None:
    """Everything or nothing: the caller holds the transaction and has checked the epoch."""
    named = queries("window")
    if batch.transitions:
        connection.executemany(named["insert_event"].replace("{event}", event_table), batch.transitions)
    if batch.nodes:
        connection.executemany(named["update_node"], batch.nodes)
    if batch.instances:
        connection.executemany(named["update_instance"], map(_instance, batch.instances))
    if batch.run_starts:
        connection.executemany(named["start_run"], batch.run_starts)
    if batch.run_ends:
        connection.executemany(named["end_run"], map(_end, batch.run_ends))
    operations.write(connection, batch)
    if batch.next_attempt is not None:
        value = {"name": "next_attempt", "value": str(batch.next_attempt)}
        connection.execute(queries("leadership")["set_setting"], value)


def _instance(state: InstanceState) -> tuple[Any, ...]:
    number, nodes, fields, started, ended, marks, runs = state
    return (number, *shape(nodes, fields), started, ended, marks, runs)


def _end(end: RunEnd) -> tuple[Any, ...]:
    result = end.result
    return (
        end.node_instance, end.number, end.attempt, end.at, int(end.outcome), end.message, end.code,
        end.rows if result is not None else None,
        result and _result(result.changed_fields, result.rows_added, result.rows_removed, result.rows_changed, result.rows_differ),
        compact(end.input_versions) if end.input_versions else None, end.engine_seconds,
    )  # fmt: skip


@lru_cache(4096)
def _result(
    changed: tuple[str, ...], added: int, removed: int, modified: int, differ: tuple[str, ...]
) -> str:
    """What a run changed; whose run it was, its row says. Most runs of a quiet day changed the same: nothing."""
    return compact(
        {
            "changed_fields": changed,
            "rows_added": added,
            "rows_removed": removed,
            "rows_changed": modified,
            "rows_differ": differ,
        }
    )
