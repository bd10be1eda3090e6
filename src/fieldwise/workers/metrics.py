"""Rows of a metrics table are the union over its nodes; a key goes when no node has it (spec 2, "Aggregate tables")."""

from __future__ import annotations

import duckdb

from fieldwise.engines.base import MEMBERS, NODE, beside
from fieldwise.engines.ledger import PartitionState
from fieldwise.engines.quoting import identifier, identifiers, literal
from fieldwise.model.attempt import AttemptRequest
from fieldwise.workers.rows import Written, absent_value, apply_difference, same_key, value


def merge_metrics(
    cursor: duckdb.DuckDBPyConnection,
    table: str,
    scratch: str,
    request: AttemptRequest,
    before: PartitionState,
) -> Written:
    zeros = _zero_fields(cursor, request)
    _remember_keys(cursor, table, scratch, request)
    written = apply_difference(cursor, table, _with_absent(scratch, request), request, keep=before.filled)
    if written.added:
        _zero_other_counts(cursor, table, request, {f: n for f, n in zeros.items() if n in before.published})
    return written


def _remember_keys(
    cursor: duckdb.DuckDBPyConnection, table: str, scratch: str, request: AttemptRequest
) -> None:
    members, keys = beside(MEMBERS, request.relation), identifiers(one.name for one in request.key)
    cursor.execute(
        f"CREATE TABLE IF NOT EXISTS {members} AS SELECT '' AS {NODE}, ds, {keys} FROM {table} LIMIT 0"
    )
    for member in request.members:
        node = literal(member.target.node)
        cursor.execute(f"DELETE FROM {members} WHERE {NODE} = {node} AND ds = {value(request)}")
        cursor.execute(f"INSERT INTO {members} SELECT {node}, {value(request)}, {keys} FROM {scratch}")


def _with_absent(scratch: str, request: AttemptRequest) -> str:
    """The result, and NULL or 0 for the keys that only other nodes of the present version have."""
    own = [literal(member.target.node) for member in request.members]
    others = [literal(node) for node in request.all_nodes]
    present = f"AND m.{NODE} IN ({', '.join([*others, *own])}) " if others else ""
    keys = identifiers((one.name for one in request.key), "m.")
    absent = "".join(f", {absent_value(one)}" for one in request.fields)
    columns = identifiers(one.name for one in (*request.key, *request.fields))
    return (
        f"(SELECT {columns} FROM {scratch} UNION ALL SELECT DISTINCT {keys}{absent} FROM {beside(MEMBERS, request.relation)} m "
        f"WHERE m.ds = {value(request)} {present}AND NOT EXISTS (SELECT 1 FROM {scratch} x WHERE {same_key(request, 'x', 'm')}))"
    )


def _zero_fields(cursor: duckdb.DuckDBPyConnection, request: AttemptRequest) -> dict[str, str]:
    """Field -> node of every count of this table published so far; this run's are added."""
    known: dict[str, str] = dict(
        cursor.execute(
            "SELECT field, node FROM fieldwise.zero_field WHERE relation = ?", [request.relation]
        ).fetchall()
    )
    zeros = {one.name for one in request.fields if one.zero_when_absent}
    own = {name: member.target.node for member in request.members for name in member.fields if name in zeros}
    for name, node in own.items():
        if known.get(name) != node:
            cursor.execute(
                "INSERT OR REPLACE INTO fieldwise.zero_field VALUES (?, ?, ?)", [request.relation, node, name]
            )
    return {name: node for name, node in known.items() if name not in own}


def _zero_other_counts(
    cursor: duckdb.DuckDBPyConnection, table: str, request: AttemptRequest, zeros: dict[str, str]
) -> None:
    """Rows that came with this node: counts of nodes that published before are 0 there, not NULL."""
    if zeros:
        assigned = ", ".join(f"{identifier(name)} = coalesce(t.{identifier(name)}, 0)" for name in zeros)
        same = " AND ".join(f"t.{identifier(one.name)} = d.k{i}" for i, one in enumerate(request.key))
        cursor.execute(
            f"UPDATE {table} AS t SET {assigned} FROM difference_{request.members[0].attempt} d "
            f"WHERE d.change = 'added' AND t.ds = {value(request)} AND {same}"
        )
