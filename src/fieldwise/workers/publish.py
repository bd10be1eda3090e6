"""The publish transaction: guard row, fence, ledger, columns, versions, all or nothing (spec 7, "Publish")."""

from __future__ import annotations

from dataclasses import dataclass, replace

import duckdb

from fieldwise.engines.duckdb import guard
from fieldwise.engines.quoting import identifier, identifiers, relation
from fieldwise.engines.system_tables import KEY_SET
from fieldwise.model.attempt import AttemptRequest, Member, MemberResult
from fieldwise.workers.outcomes import Fenced


@dataclass(frozen=True, slots=True)
class Difference:
    """What the new result changes in the partition; `fields`: those of which a value changed."""

    added: int
    removed: int
    changed: int
    fields: tuple[str, ...]


def publish_columns(
    cursor: duckdb.DuckDBPyConnection, scratch: str, request: AttemptRequest, rows: int
) -> tuple[MemberResult, ...]:
    """One transaction; raises Fenced with nothing written, duckdb.Error on conflict (repeat the publish)."""
    cursor.execute("BEGIN")
    try:
        results = _publish(cursor, scratch, request, rows)
        cursor.execute("COMMIT")
    except BaseException:
        try:
            cursor.execute("ROLLBACK")
        except duckdb.Error:
            pass  # the engine ended the transaction itself
        raise
    return results


def _publish(
    cursor: duckdb.DuckDBPyConnection, scratch: str, request: AttemptRequest, rows: int
) -> tuple[MemberResult, ...]:
    environment = request.members[0].target.environment
    first = guard(cursor, environment, request.relation, request.partition) == 1
    others = _pass_fence_and_ledger(cursor, request, environment)
    if first and not request.metrics:
        _insert_all(cursor, scratch, request)
        difference = Difference(rows, 0, 0, tuple(one.name for one in request.fields))
    elif request.metrics:
        difference = _merge_metrics(cursor, scratch, request)
    else:
        difference = _update(cursor, scratch, request)
    fresh = {member.node_instance for member in request.members if member.target.node not in others}
    _write_versions(cursor, request, difference, first, fresh)
    return _results(request, difference, first, fresh, others)


def _pass_fence_and_ledger(
    cursor: duckdb.DuckDBPyConnection, request: AttemptRequest, environment: str
) -> set[str]:
    """Check-and-set of every member's attempt; returns the nodes that had published this partition before."""
    fence = cursor.execute(
        "SELECT node, attempt FROM fieldwise.fence WHERE environment = ? AND partition = ? AND list_contains(?, node)",
        [environment, request.partition, [member.target.node for member in request.members]],
    ).fetchall()
    fenced = dict(fence)
    known: dict[str, int] = dict(
        cursor.execute(
            "SELECT node, attempt FROM fieldwise.published WHERE environment = ? AND relation = ? AND partition = ?",
            [environment, request.relation, request.partition],
        ).fetchall()
    )
    for member in request.members:
        node = member.target.node
        if member.attempt <= fenced.get(node, 0) or member.attempt <= known.get(node, 0):
            raise Fenced(
                f"attempt {member.attempt} of {node} is no longer wanted: a stop or a newer run came first"
            )
    values = [
        part
        for member in request.members
        for part in (environment, request.relation, member.target.node, request.partition, member.attempt)
    ]
    marks = ", ".join(["(?, ?, ?, ?, ?)"] * len(request.members))
    cursor.execute(
        f"INSERT INTO fieldwise.published VALUES {marks} ON CONFLICT DO UPDATE SET attempt = excluded.attempt",
        values,
    )
    return set(known)


def _partition(request: AttemptRequest) -> str:
    return f"CAST($partition AS {request.partition_type})"


def _insert_all(cursor: duckdb.DuckDBPyConnection, scratch: str, request: AttemptRequest) -> None:
    names = identifiers(one.name for one in (*request.key, *request.fields))
    cursor.execute(
        f"INSERT INTO {relation(request.relation)} (ds, {names}) SELECT {_partition(request)}, {names} FROM {scratch}",
        {"partition": request.partition},
    )


def _same_key(request: AttemptRequest, left: str, right: str) -> str:
    return " AND ".join(
        f"{left}.{identifier(one.name)} = {right}.{identifier(one.name)}" for one in request.key
    )


def _difference(cursor: duckdb.DuckDBPyConnection, scratch: str, request: AttemptRequest) -> Difference:
    """Counts by one full join of the new result with what the partition holds."""
    key = identifier(request.key[0].name)
    both = f"s.{key} IS NOT NULL AND t.{key} IS NOT NULL"
    distinct = [
        f"s.{identifier(one.name)} IS DISTINCT FROM t.{identifier(one.name)}" for one in request.fields
    ]
    any_field = " OR ".join(distinct) or "false"
    counted = "".join(f", count(*) FILTER (WHERE {both} AND {sql})" for sql in distinct)
    row = cursor.execute(
        f"SELECT count(*) FILTER (WHERE t.{key} IS NULL), count(*) FILTER (WHERE s.{key} IS NULL), "
        f"count(*) FILTER (WHERE {both} AND ({any_field})){counted} "
        f"FROM {scratch} s FULL JOIN (SELECT * FROM {relation(request.relation)} WHERE ds = {_partition(request)}) t ON {_same_key(request, 's', 't')}",
        {"partition": request.partition},
    ).fetchone()
    assert row is not None
    added, removed, changed, *fields = (int(value) for value in row)
    names = tuple(one.name for one, count in zip(request.fields, fields, strict=True) if count)
    return Difference(added, removed, changed, names)


def _update(cursor: duckdb.DuckDBPyConnection, scratch: str, request: AttemptRequest) -> Difference:
    """Only changed rows are written; rows that came are inserted, rows that went are removed."""
    difference = _difference(cursor, scratch, request)
    table, values = relation(request.relation), {"partition": request.partition}
    if difference.changed:
        _update_fields(cursor, scratch, request, difference.fields)
    if difference.removed:
        cursor.execute(
            f"DELETE FROM {table} t WHERE t.ds = {_partition(request)} AND NOT EXISTS (SELECT 1 FROM {scratch} s WHERE {_same_key(request, 's', 't')})",
            values,
        )
    if difference.added:
        _insert_missing(cursor, scratch, request)
    if difference.added and difference.fields != tuple(one.name for one in request.fields):
        difference = replace(difference, fields=tuple(one.name for one in request.fields))
    return difference


def _update_fields(
    cursor: duckdb.DuckDBPyConnection, scratch: str, request: AttemptRequest, fields: tuple[str, ...]
) -> None:
    assigned = ", ".join(f"{identifier(name)} = s.{identifier(name)}" for name in fields)
    differs = " OR ".join(f"t.{identifier(name)} IS DISTINCT FROM s.{identifier(name)}" for name in fields)
    cursor.execute(
        f"UPDATE {relation(request.relation)} AS t SET {assigned} FROM {scratch} s "
        f"WHERE t.ds = {_partition(request)} AND {_same_key(request, 's', 't')} AND ({differs})",
        {"partition": request.partition},
    )


def _insert_missing(cursor: duckdb.DuckDBPyConnection, scratch: str, request: AttemptRequest) -> None:
    names = [one.name for one in (*request.key, *request.fields)]
    table = relation(request.relation)
    cursor.execute(
        f"INSERT INTO {table} (ds, {identifiers(names)}) SELECT {_partition(request)}, {identifiers(names, 's.')} FROM {scratch} s "
        f"WHERE NOT EXISTS (SELECT 1 FROM {table} t WHERE t.ds = {_partition(request)} AND {_same_key(request, 's', 't')})",
        {"partition": request.partition},
    )


def _merge_metrics(cursor: duckdb.DuckDBPyConnection, scratch: str, request: AttemptRequest) -> Difference:
    """Rows of a metrics table are the union over its nodes: absent here means NULL, or 0 for a count (spec 2)."""
    table, values = relation(request.relation), {"partition": request.partition}
    _remember_zero_fields(cursor, request)
    _remember_keys(cursor, scratch, request)
    difference = _difference(cursor, scratch, request)
    if difference.changed:
        _update_fields(cursor, scratch, request, difference.fields)
    absent = f"t.ds = {_partition(request)} AND NOT EXISTS (SELECT 1 FROM {scratch} s WHERE {_same_key(request, 's', 't')})"
    emptied = ", ".join(
        f"{identifier(one.name)} = {'0' if one.zero_when_absent else 'NULL'}" for one in request.fields
    )
    if difference.removed and emptied:
        cursor.execute(f"UPDATE {table} AS t SET {emptied} WHERE {absent}", values)
    if difference.added:
        _insert_missing(cursor, scratch, request)
        _zero_other_counts(cursor, scratch, request)
    gone = 0
    if difference.removed:
        key_text = _key_text(request, "t")
        gone = len(
            cursor.execute(
                f"DELETE FROM {table} AS t WHERE t.ds = {_partition(request)} AND NOT EXISTS (SELECT 1 FROM fieldwise.member m "
                f"WHERE m.relation = $relation AND m.partition = $partition AND m.key = {key_text}) RETURNING 1",
                values | {"relation": request.relation},
            ).fetchall()
        )
    fields = (
        tuple(one.name for one in request.fields)
        if difference.added or difference.removed
        else difference.fields
    )
    return Difference(difference.added, gone, difference.changed, fields)


def _key_text(request: AttemptRequest, alias: str) -> str:
    return f"CAST(({', '.join(f'{alias}.{identifier(one.name)}' for one in request.key)},) AS VARCHAR)"


def _remember_keys(cursor: duckdb.DuckDBPyConnection, scratch: str, request: AttemptRequest) -> None:
    for member in request.members:
        values = {"relation": request.relation, "node": member.target.node, "partition": request.partition}
        cursor.execute(
            "DELETE FROM fieldwise.member WHERE relation = $relation AND node = $node AND partition = $partition",
            values,
        )
        cursor.execute(
            f"INSERT INTO fieldwise.member SELECT $relation, $node, $partition, {_key_text(request, 's')} FROM {scratch} s",
            values,
        )


def _remember_zero_fields(cursor: duckdb.DuckDBPyConnection, request: AttemptRequest) -> None:
    zeros = {one.name for one in request.fields if one.zero_when_absent}
    for member in request.members:
        for name in zeros.intersection(member.fields):
            cursor.execute(
                "INSERT INTO fieldwise.zero_field VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET node = excluded.node",
                [request.relation, member.target.node, name],
            )


def _zero_other_counts(cursor: duckdb.DuckDBPyConnection, scratch: str, request: AttemptRequest) -> None:
    """Rows that came with this node: the counts of nodes that published before are 0 there, not NULL."""
    own = {member.target.node for member in request.members}
    found = cursor.execute(
        "SELECT z.field, z.node FROM fieldwise.zero_field z JOIN fieldwise.published p ON p.node = z.node AND p.partition = ? WHERE z.relation = ?",
        [request.partition, request.relation],
    ).fetchall()
    names = [field for field, node in found if node not in own]
    if names:
        assigned = ", ".join(f"{identifier(name)} = coalesce(t.{identifier(name)}, 0)" for name in names)
        cursor.execute(
            f"UPDATE {relation(request.relation)} AS t SET {assigned} FROM {scratch} s WHERE t.ds = {_partition(request)} AND {_same_key(request, 's', 't')}",
            {"partition": request.partition},
        )


def _write_versions(
    cursor: duckdb.DuckDBPyConnection,
    request: AttemptRequest,
    difference: Difference,
    first: bool,
    fresh: set[int],
) -> None:
    """Who last changed a value: of each field, and of the key set (spec 4, STALE)."""
    rows: list[tuple[str, int]] = []
    for member in request.members:
        new = first or member.node_instance in fresh
        rows += [(name, member.attempt) for name in member.fields if new or name in difference.fields]
    if first or difference.added or difference.removed:
        rows.append((KEY_SET, max(member.attempt for member in request.members)))
    if rows:
        marks = ", ".join(["(?, ?, ?, ?)"] * len(rows))
        values = [
            part for field, attempt in rows for part in (request.relation, request.partition, field, attempt)
        ]
        cursor.execute(
            f"INSERT INTO fieldwise.version VALUES {marks} ON CONFLICT DO UPDATE SET attempt = excluded.attempt",
            values,
        )


def _results(
    request: AttemptRequest, difference: Difference, first: bool, fresh: set[int], others: set[str]
) -> tuple[MemberResult, ...]:
    own = {member.target.node for member in request.members}
    differ = (
        ()
        if first or request.metrics or not (difference.added or difference.removed)
        else tuple(sorted(others - own))
    )

    def one(member: Member) -> MemberResult:
        new = first or member.node_instance in fresh
        changed = tuple(name for name in member.fields if new or name in difference.fields)
        return MemberResult(
            member.node_instance,
            member.attempt,
            changed,
            difference.added,
            difference.removed,
            difference.changed,
            differ,
        )

    return tuple(one(member) for member in request.members)
