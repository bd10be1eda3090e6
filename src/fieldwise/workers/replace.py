"""Replaces the partition of a table that a task fills, in one transaction with the ledger (spec 2, "Tasks that are scripts")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import duckdb

from fieldwise.engines.base import partition_value
from fieldwise.engines.duckdb import Warehouse
from fieldwise.engines.quoting import identifier, identifiers, literal, relation
from fieldwise.engines.transaction import transaction
from fieldwise.model.attempt import AttemptRequest, MemberResult
from fieldwise.model.status import Environment
from fieldwise.usecases.facts import relation_of
from fieldwise.workers.outcomes import CheckFailed, Fenced

Columns = dict[str, str]


@dataclass(frozen=True, slots=True)
class Output:
    """New rows of one table: a scratch table, or a file; `text` = a file whose types are guesses."""

    item: str
    text: bool = False

    def reading(self, types: Mapping[str, str]) -> str:
        """The FROM item; a text file is read with the types the table already has."""
        if not self.text:
            return self.item
        pinned = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in types.items())
        return (
            f"read_csv({self.item}, header = true, types = {{{pinned}}})"
            if pinned
            else f"read_csv({self.item}, header = true)"
        )


def replace_partitions(
    warehouse: Warehouse,
    cursor: duckdb.DuckDBPyConnection,
    outputs: Mapping[str, Output],
    request: AttemptRequest,
) -> tuple[MemberResult, ...]:
    """All of the outputs and the ledger, or nothing. Raises Fenced, CheckFailed; conflicts are the caller's to repeat."""
    (member,) = request.members
    node = member.target.node
    before = warehouse.ledger.state(cursor, request.relation, request.partition)
    if before.refuses(node, member.attempt):
        raise Fenced(
            f"attempt {member.attempt} of {node} is no longer wanted: a stop or a newer run came first"
        )
    after = replace(
        before,
        environment=member.target.environment,
        published={**before.published, node: member.attempt},
        greatest=max(before.greatest, member.attempt),
    )
    version = dict(before.version)
    added = 0
    with transaction(cursor):
        after = warehouse.ledger.write(cursor, replace(after, filled=True))
        for table, output in outputs.items():
            name = relation_of(Environment(member.target.environment), table)
            rows, changed = _replace(cursor, name, output, request)
            added += rows
            if changed or table not in version:
                version[table] = member.attempt
        if version != dict(before.version):
            after = warehouse.ledger.write(cursor, replace(after, version=version))
    warehouse.ledger.remember(after)
    changed_tables = tuple(table for table in outputs if version[table] == member.attempt)
    return (MemberResult(member.node_instance, member.attempt, changed_tables, rows_added=added),)


def _replace(
    cursor: duckdb.DuckDBPyConnection, table: str, output: Output, request: AttemptRequest
) -> tuple[int, bool]:
    """Rows now there, and whether they differ from those before. The rows' own `ds` gives way to the partition's."""
    ds = partition_value(request.partition, request.partition_type)
    name = relation(table)
    there = _columns_there(cursor, table)
    found = _columns(cursor, output.reading({}))
    item = output.reading({column: there[column] for column in found if column in there and column != "ds"})
    new = {column: kind for column, kind in _columns(cursor, item).items() if column.lower() != "ds"}
    if there:
        _check_columns(table, there, new)
    names = identifiers(new)
    if not there:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(table.partition('.')[0])}")
        cursor.execute(f"CREATE TABLE {name} AS SELECT {ds} AS ds, {names} FROM {item} LIMIT 0")
    before = _digest(cursor, name, ds)
    cursor.execute(f"DELETE FROM {name} WHERE ds = {ds}")
    cursor.execute(f"INSERT INTO {name} (ds, {names}) SELECT {ds}, {names} FROM {item}")
    after = _digest(cursor, name, ds)
    return after[0], before != after


def _columns(cursor: duckdb.DuckDBPyConnection, item: str) -> Columns:
    return {name: kind for name, kind, *_ in cursor.execute(f"DESCRIBE SELECT * FROM {item}").fetchall()}


def _columns_there(cursor: duckdb.DuckDBPyConnection, table: str) -> Columns:
    schema, _, name = table.partition(".")
    sql = "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = ? AND table_name = ? ORDER BY column_index"
    return dict(cursor.execute(sql, [schema, name]).fetchall())


def _check_columns(table: str, there: Columns, new: Columns) -> None:
    changed = [
        f"{name}: {there[name]} -> {kind}" for name, kind in new.items() if there.get(name, kind) != kind
    ]
    changed += [f"{name}: new" for name in new if name not in there]
    changed += [f"{name}: missing" for name in there if name not in new and name != "ds"]
    if changed:
        raise CheckFailed(f"the columns of {table} changed ({'; '.join(changed)})", "columns_changed")


def _digest(cursor: duckdb.DuckDBPyConnection, name: str, ds: str) -> tuple[int, int]:
    row = cursor.execute(
        f"SELECT count(*), coalesce(sum(hash(t)), 0) FROM {name} t WHERE ds = {ds}"
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])
