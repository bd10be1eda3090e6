"""How a result's rows and columns get into the partition: inserted once, else only what differs (spec 2, "Rows differ")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from fieldwise.engines.base import ATTEMPT, CHANGE, KEPT, beside, kept_name, partition_value
from fieldwise.engines.quoting import identifier, identifiers
from fieldwise.model.attempt import AttemptRequest, OutputField


@dataclass(frozen=True, slots=True)
class Written:
    """What a publish did to the partition; `fields`: those of which a value changed or came."""

    added: int
    removed: int
    changed: int
    fields: frozenset[str]


def value(request: AttemptRequest) -> str:
    return partition_value(request.partition, request.partition_type)


def insert_all(
    cursor: duckdb.DuckDBPyConnection,
    table: str,
    source: str,
    request: AttemptRequest,
    bound: Mapping[str, object] | None = None,
) -> int:
    names = identifiers(one.name for one in (*request.key, *request.fields))
    cursor.execute(
        f"INSERT INTO {table} (ds, {names}) SELECT {value(request)}, {names} FROM {source}", bound or None
    )
    return _count(cursor)


def _count(cursor: duckdb.DuckDBPyConnection) -> int:
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def same_key(request: AttemptRequest, left: str, right: str) -> str:
    return " AND ".join(
        f"{left}.{identifier(one.name)} = {right}.{identifier(one.name)}" for one in request.key
    )


def update_columns(
    cursor: duckdb.DuckDBPyConnection,
    table: str,
    scratch: str,
    request: AttemptRequest,
    rows: int,
    first_time: bool,
) -> Written:
    """Write changed rows only; insert the rows that came, remove those that went."""
    if first_time and request.fields:
        filled = _fill(cursor, table, scratch, request)
        there = cursor.execute(f"SELECT count(*) FROM {table} WHERE ds = {value(request)}").fetchone()
        assert there is not None
        if filled == rows == there[0]:
            return Written(0, 0, filled, frozenset(one.name for one in request.fields))
        written = apply_difference(cursor, table, scratch, request)
        return Written(written.added, written.removed, filled, frozenset(one.name for one in request.fields))
    return apply_difference(cursor, table, scratch, request)


def _fill(cursor: duckdb.DuckDBPyConnection, table: str, scratch: str, request: AttemptRequest) -> int:
    """Columns that were never published hold only NULL: nothing to compare and nothing to keep."""
    assigned = ", ".join(f"{identifier(one.name)} = s.{identifier(one.name)}" for one in request.fields)
    cursor.execute(
        f"UPDATE {table} AS t SET {assigned} FROM {scratch} s WHERE t.ds = {value(request)} AND {same_key(request, 's', 't')}"
    )
    return _count(cursor)


def apply_difference(
    cursor: duckdb.DuckDBPyConnection, table: str, source: str, request: AttemptRequest, keep: bool = True
) -> Written:
    """One join finds what differs, with old and new values; the rest touches only these rows."""
    difference = f"difference_{request.members[0].attempt}"
    written = _find(cursor, difference, table, source, request)
    if not (written.added or written.removed or written.changed):
        return written
    if keep:
        _keep(cursor, difference, table, request, written)
    here = f"t.ds = {value(request)} AND {_by_position(request)}"
    if written.changed:
        fields = [(i, one) for i, one in enumerate(request.fields) if one.name in written.fields]
        assigned = ", ".join(f"{identifier(one.name)} = d.n{i}" for i, one in fields)
        cursor.execute(
            f"UPDATE {table} AS t SET {assigned} FROM {difference} d WHERE d.change = 'changed' AND {here}"
        )
    if written.removed:
        cursor.execute(f"DELETE FROM {table} AS t USING {difference} d WHERE d.change = 'removed' AND {here}")
    if written.added:
        names = identifiers(one.name for one in (*request.key, *request.fields))
        columns = [
            *(f"k{i}" for i, _ in enumerate(request.key)),
            *(f"n{i}" for i, _ in enumerate(request.fields)),
        ]
        cursor.execute(
            f"INSERT INTO {table} (ds, {names}) SELECT {value(request)}, {', '.join(columns)} "
            f"FROM {difference} WHERE change = 'added'"
        )
    fields_written = frozenset(one.name for one in request.fields) if written.added else written.fields
    return Written(written.added, written.removed, written.changed, fields_written)


def _by_position(request: AttemptRequest) -> str:
    return " AND ".join(f"t.{identifier(one.name)} = d.k{i}" for i, one in enumerate(request.key))


def _find(
    cursor: duckdb.DuckDBPyConnection, difference: str, table: str, source: str, request: AttemptRequest
) -> Written:
    key = identifier(request.key[0].name)
    keys = [
        f"coalesce(s.{identifier(k.name)}, t.{identifier(k.name)}) AS k{i}" for i, k in enumerate(request.key)
    ]
    new = [f"s.{identifier(one.name)} AS n{i}" for i, one in enumerate(request.fields)]
    old = [f"t.{identifier(one.name)} AS o{i}" for i, one in enumerate(request.fields)]
    differs = [
        f"s.{identifier(one.name)} IS DISTINCT FROM t.{identifier(one.name)}" for one in request.fields
    ]
    names = identifiers(one.name for one in (*request.key, *request.fields))
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE {difference} AS SELECT "
        f"CASE WHEN t.{key} IS NULL THEN 'added' WHEN s.{key} IS NULL THEN 'removed' ELSE 'changed' END AS change, "
        f"{', '.join([*keys, *new, *old])} FROM {source} s "
        f"FULL JOIN (SELECT {names} FROM {table} WHERE ds = {value(request)}) t ON {same_key(request, 's', 't')} "
        f"WHERE {' OR '.join([f's.{key} IS NULL', f't.{key} IS NULL', *differs])}"
    )
    if _count(cursor) == 0:
        return Written(0, 0, 0, frozenset())
    counts = "".join(
        f", count(*) FILTER (WHERE n{i} IS DISTINCT FROM o{i})" for i, _ in enumerate(request.fields)
    )
    found = {
        row[0]: row[1:]
        for row in cursor.execute(
            f"SELECT change, count(*){counts} FROM {difference} GROUP BY change"
        ).fetchall()
    }
    changed = found.get("changed", (0,) * (len(request.fields) + 1))
    fields = frozenset(one.name for one, count in zip(request.fields, changed[1:], strict=True) if count)
    return Written(found.get("added", (0,))[0], found.get("removed", (0,))[0], changed[0], fields)


def _keep(
    cursor: duckdb.DuckDBPyConnection, difference: str, table: str, request: AttemptRequest, written: Written
) -> None:
    """What undo needs: old values of changed rows, keys of rows that came, whole rows that went; by first attempt."""
    attempt = request.members[0].attempt
    if written.changed or written.added:
        fields = [(f"o{i}", one.name) for i, one in enumerate(request.fields) if one.name in written.fields]
        columns = [*((f"k{i}", one.name) for i, one in enumerate(request.key)), *fields]
        # A table for each set of fields: inserting NULL for the others cost three times the update itself.
        kept = beside(KEPT, kept_name(request.relation, [name for _, name in fields]))
        named = ", ".join(f"{column} AS {identifier(name)}" for column, name in columns)
        select = (
            f"SELECT CAST({attempt} AS BIGINT) AS {ATTEMPT}, change AS {CHANGE}, {value(request)} AS ds, {named} "
            f"FROM {difference} WHERE change <> 'removed'"
        )
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {kept} AS {select} LIMIT 0")
        cursor.execute(f"INSERT INTO {kept} {select}")
    if written.removed:
        kept = beside(KEPT, request.relation)
        select = f"SELECT CAST({attempt} AS BIGINT) AS {ATTEMPT}, 'removed' AS {CHANGE}, t.* FROM {table} t"
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {kept} AS {select} LIMIT 0")
        cursor.execute(
            f"INSERT INTO {kept} BY NAME {select} JOIN {difference} d "
            f"ON d.change = 'removed' AND t.ds = {value(request)} AND {_by_position(request)}"
        )


def absent_value(one: OutputField) -> str:
    """A metrics field where its node has no row."""
    return "0" if one.zero_when_absent else "NULL"
