"""The physical tables of logical tables, and how publishing changes them without destroying anything (spec 2)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import duckdb

from fieldwise.engines.base import ATTEMPT, DROPPED, KEPT, MEMBERS, STAGING, beside
from fieldwise.engines.quoting import identifier, identifiers, relation
from fieldwise.engines.transaction import transaction
from fieldwise.ports.engine import ShapeChange, TableShape


def change_shapes(cursor: duckdb.DuckDBPyConnection, changes: Sequence[ShapeChange], version: str) -> None:
    """All changes in one transaction; the same changes under the same version are left alone the second time."""
    digest = hashlib.sha256(repr(tuple(changes)).encode()).hexdigest()
    with transaction(cursor):
        done = cursor.execute(
            "SELECT digest FROM fieldwise.shape_change WHERE version = ?", [version]
        ).fetchone()
        if done is not None and done[0] == digest:
            return
        for change in changes:
            _apply(cursor, change, version)
        cursor.execute("INSERT OR REPLACE INTO fieldwise.shape_change VALUES (?, ?)", [version, digest])


def create_table(cursor: duckdb.DuckDBPyConnection, shape: TableShape) -> None:
    schema = identifier(shape.relation.partition(".")[0])
    cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in shape.columns)
    cursor.execute(
        f"CREATE TABLE IF NOT EXISTS {relation(shape.relation)} (ds {shape.partition_type}, {columns})"
    )


def _apply(cursor: duckdb.DuckDBPyConnection, change: ShapeChange, version: str) -> None:
    name = change.shape.relation
    match change.action:
        case "create":
            if exists(cursor, name) and not _same(cursor, change.shape):
                _move(cursor, name, version)
            create_table(cursor, change.shape)
        case "add_columns":
            for table in _with_staging(cursor, name):
                for column, kind in change.columns:
                    cursor.execute(
                        f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {identifier(column)} {kind}"
                    )
            _drop_kept(cursor, name)
        case "drop_columns":
            _keep_columns(cursor, change, version)
            for table in _with_staging(cursor, name):
                for column, _ in change.columns:
                    cursor.execute(f"ALTER TABLE {table} DROP COLUMN IF EXISTS {identifier(column)}")
            _drop_kept(cursor, name)
        case "replace":
            _move(cursor, name, version)
            create_table(cursor, change.shape)
        case "remove":
            _move(cursor, name, version)
        case _:
            raise ValueError(change.action)


def exists(cursor: duckdb.DuckDBPyConnection, name: str, schema: str = "") -> bool:
    """Is there a table `project.table`, or its companion in one of our schemas."""
    where, table = (schema, name) if schema else tuple(name.split(".", 1))
    sql = "SELECT 1 FROM duckdb_tables() WHERE schema_name = ? AND table_name = ?"
    return cursor.execute(sql, [where, table]).fetchone() is not None


def _same(cursor: duckdb.DuckDBPyConnection, shape: TableShape) -> bool:
    found = cursor.execute(f"DESCRIBE {relation(shape.relation)}").fetchall()
    return [(name, kind) for name, kind, *_ in found] == [("ds", shape.partition_type), *shape.columns]


def _with_staging(cursor: duckdb.DuckDBPyConnection, name: str) -> Iterable[str]:
    yield relation(name)
    if exists(cursor, name, STAGING):
        yield beside(STAGING, name)


def _drop_kept(cursor: duckdb.DuckDBPyConnection, name: str) -> None:
    """Replaced values of an older shape cannot be put back: undo ends at a change of the definitions."""
    for table in _kept(cursor):
        if table == name or table.startswith(f"{name}/"):
            cursor.execute(f"DROP TABLE {beside(KEPT, table)}")
    cursor.execute("DELETE FROM fieldwise.replaced_version WHERE relation = ?", [name])


def _kept(cursor: duckdb.DuckDBPyConnection) -> list[str]:
    found = cursor.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = ?", [KEPT]).fetchall()
    return [name for (name,) in found]


def _move(cursor: duckdb.DuckDBPyConnection, name: str, version: str) -> None:
    """The whole table steps aside with its data; its partitions are built anew, older attempts stay refused."""
    if exists(cursor, name):
        cursor.execute(f"CREATE OR REPLACE TABLE {resting_place(name, version)} AS FROM {relation(name)}")
        cursor.execute(f"DROP TABLE {relation(name)}")
    _drop_kept(cursor, name)
    for schema in (STAGING, MEMBERS):
        cursor.execute(f"DROP TABLE IF EXISTS {beside(schema, name)}")
    cursor.execute("DELETE FROM fieldwise.zero_field WHERE relation = ?", [name])
    cursor.execute(
        """UPDATE fieldwise.partition AS p
        SET writes = writes + 1, filled = false, shown = true, published = '{}', version = '{}', fence = merged.fence
        FROM (SELECT partition, json_group_object(node, attempt) AS fence
              FROM (SELECT partition, node, max(attempt) AS attempt
                    FROM (FROM fieldwise.published UNION ALL FROM fieldwise.fence) WHERE relation = $relation GROUP BY ALL)
              GROUP BY partition) merged
        WHERE p.relation = $relation AND p.partition = merged.partition""",
        {"relation": name},
    )


def resting_place(name: str, version: str) -> str:
    """fieldwise_dropped."project.table@environment/project/version"."""
    return beside(DROPPED, f"{name}@{version}")


def _keep_columns(cursor: duckdb.DuckDBPyConnection, change: ShapeChange, version: str) -> None:
    """Dropped columns with their keys, unless a repetition finds them gone."""
    name = change.shape.relation
    there = {column for column, *_ in cursor.execute(f"DESCRIBE {relation(name)}").fetchall()}
    dropped = [column for column, _ in change.columns if column in there]
    if dropped:
        kept = identifiers(["ds", *change.shape.key, *dropped])
        cursor.execute(
            f"CREATE OR REPLACE TABLE {resting_place(name, version)} AS SELECT {kept} FROM {relation(name)}"
        )


def show_partition(cursor: duckdb.DuckDBPyConnection, name: str, ds: str) -> None:
    """A complete partition appears in its table, all columns at once."""
    staging = beside(STAGING, name)
    cursor.execute(f"INSERT INTO {relation(name)} BY NAME SELECT * FROM {staging} WHERE ds = {ds}")
    cursor.execute(f"DELETE FROM {staging} WHERE ds = {ds}")


def forget_replaced(cursor: duckdb.DuckDBPyConnection, below: int) -> None:
    for table in _kept(cursor):
        cursor.execute(f"DELETE FROM {beside(KEPT, table)} WHERE {ATTEMPT} < ?", [below])
    cursor.execute("DELETE FROM fieldwise.replaced_version WHERE attempt < ?", [below])
