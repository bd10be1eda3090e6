"""Replaces the partition of a table that a task fills, in one transaction with the ledger (spec 2, "Tasks that are scripts")."""

from __future__ import annotations

import duckdb

from fieldwise.engines.duckdb import guard
from fieldwise.engines.quoting import identifier, identifiers, relation
from fieldwise.model.attempt import AttemptRequest, MemberResult
from fieldwise.workers.outcomes import Fenced


def replace_partitions(
    cursor: duckdb.DuckDBPyConnection, outputs: dict[str, str], request: AttemptRequest
) -> tuple[MemberResult, ...]:
    """`outputs`: table -> FROM item with its new rows. All of them and the ledger, or nothing."""
    member = request.members[0]
    target = member.target
    added = 0
    cursor.execute("BEGIN")
    try:
        guard(cursor, target.environment, target.task, request.partition)
        _pass(cursor, request)
        for table, rows in outputs.items():
            added += _replace(cursor, table, rows, request)
        cursor.execute("COMMIT")
    except BaseException:
        try:
            cursor.execute("ROLLBACK")
        except duckdb.Error:
            pass  # the engine ended the transaction itself
        raise
    return (MemberResult(member.node_instance, member.attempt, tuple(outputs), rows_added=added),)


def _pass(cursor: duckdb.DuckDBPyConnection, request: AttemptRequest) -> None:
    member = request.members[0]
    target = member.target
    where = [target.environment, target.node, request.partition]
    for table in ("fence", "published"):
        row = cursor.execute(
            f"SELECT attempt FROM fieldwise.{table} WHERE environment = ? AND node = ? AND partition = ?",
            where,
        ).fetchone()
        if row is not None and member.attempt <= int(row[0]):
            raise Fenced(
                f"attempt {member.attempt} of {target.node} is no longer wanted: a stop or a newer run came first"
            )
    cursor.execute(
        "INSERT INTO fieldwise.published VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET attempt = excluded.attempt",
        [target.environment, target.task, target.node, request.partition, member.attempt],
    )


def _replace(cursor: duckdb.DuckDBPyConnection, table: str, rows: str, request: AttemptRequest) -> int:
    """The rows' own `ds` column, if any, gives way to the partition's."""
    columns = [
        name
        for name, *_ in cursor.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()
        if name.lower() != "ds"
    ]
    names, values = identifiers(columns), {"partition": request.partition}
    partition = f"CAST($partition AS {request.partition_type})"
    schema, name = table.partition(".")[0], relation(table)
    cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)}")
    cursor.execute(
        f"CREATE TABLE IF NOT EXISTS {name} AS SELECT {partition} AS ds, {names} FROM {rows} LIMIT 0", values
    )
    cursor.execute(f"DELETE FROM {name} WHERE ds = {partition}", values)
    cursor.execute(f"INSERT INTO {name} (ds, {names}) SELECT {partition}, {names} FROM {rows}", values)
    row = cursor.execute(f"SELECT count(*) FROM {name} WHERE ds = {partition}", values).fetchone()
    return int(row[0]) if row else 0
