"""The physical tables of logical tables, and how publishing changes them without destroying anything (spec 2)."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from fieldwise.engines.quoting import identifier, identifiers, relation
from fieldwise.ports.engine import ShapeChange, TableShape


def change_shapes(
    connection: duckdb.DuckDBPyConnection, changes: Sequence[ShapeChange], version: str
) -> None:
    """All changes in one transaction; a version that was applied before is left alone."""
    connection.execute("BEGIN")
    try:
        if (
            connection.execute("SELECT 1 FROM fieldwise.shape_change WHERE version = ?", [version]).fetchone()
            is None
        ):
            for change in changes:
                _apply(connection, change, version)
            connection.execute("INSERT INTO fieldwise.shape_change VALUES (?)", [version])
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def create_table(connection: duckdb.DuckDBPyConnection, shape: TableShape) -> None:
    schema = identifier(shape.relation.partition(".")[0])
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in shape.columns)
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {relation(shape.relation)} (ds {shape.partition_type}, {columns})"
    )


def _apply(connection: duckdb.DuckDBPyConnection, change: ShapeChange, version: str) -> None:
    name = relation(change.shape.relation)
    match change.action:
        case "create":
            if _exists(connection, change.shape.relation):
                _move(connection, change.shape, version)
            create_table(connection, change.shape)
        case "add_columns":
            for column, kind in change.columns:
                connection.execute(f"ALTER TABLE {name} ADD COLUMN IF NOT EXISTS {identifier(column)} {kind}")
        case "drop_columns":
            _keep_columns(connection, change, version)
            for column, _ in change.columns:
                connection.execute(f"ALTER TABLE {name} DROP COLUMN IF EXISTS {identifier(column)}")
        case "replace":
            _move(connection, change.shape, version)
            create_table(connection, change.shape)
        case "remove":
            _move(connection, change.shape, version)


def _exists(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    schema, _, table = name.partition(".")
    found = connection.execute(
        "SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ?", [schema, table]
    ).fetchone()
    return found is not None


def _resting_place(name: str, version: str) -> str:
    """fieldwise_dropped."project.table@environment/project/version"."""
    return f"fieldwise_dropped.{identifier(f'{name}@{version}')}"


def _move(connection: duckdb.DuckDBPyConnection, shape: TableShape, version: str) -> None:
    """The whole table steps aside with its data; ledger and versions forget it, so that it is built anew."""
    name = shape.relation
    if _exists(connection, name):
        connection.execute(
            f"CREATE OR REPLACE TABLE {_resting_place(name, version)} AS FROM {relation(name)}"
        )
        connection.execute(f"DROP TABLE {relation(name)}")
    for table in ("partition", "version", "member", "zero_field"):
        connection.execute(f"DELETE FROM fieldwise.{table} WHERE relation = ?", [name])


def _keep_columns(connection: duckdb.DuckDBPyConnection, change: ShapeChange, version: str) -> None:
    kept = identifiers(["ds", *change.shape.key, *(column for column, _ in change.columns)])
    source = relation(change.shape.relation)
    connection.execute(
        f"CREATE OR REPLACE TABLE {_resting_place(change.shape.relation, version)} AS SELECT {kept} FROM {source}"
    )
