"""The publish transaction: guard row, fence, ledger, columns, versions, all or nothing (spec 7, "Publish")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import duckdb

from fieldwise.engines.base import STAGING, beside, partition_value
from fieldwise.engines.duckdb import Warehouse
from fieldwise.engines.ledger import Ledger, PartitionState
from fieldwise.engines.quoting import identifiers, relation
from fieldwise.engines.shapes import show_partition
from fieldwise.engines.system_tables import KEY_SET
from fieldwise.engines.transaction import transaction
from fieldwise.model.attempt import AttemptRequest, MemberResult
from fieldwise.workers.metrics import merge_metrics
from fieldwise.workers.outcomes import Fenced
from fieldwise.workers.rows import Written, insert_all, update_columns

Check = Callable[[str, int], None]


def publish(
    warehouse: Warehouse, cursor: duckdb.DuckDBPyConnection, request: AttemptRequest, scratch: str, rows: int
) -> tuple[MemberResult, ...]:
    """From scratch into the table. Raises Fenced with nothing written; conflicts are the caller's to repeat."""
    ledger = warehouse.ledger
    before = ledger.state(cursor, request.relation, request.partition)
    after = _admitted(before, request)
    staged = request.visible_complete and not (before.filled and before.shown)
    if not before.filled and not request.metrics:
        after = replace(after, version=_versions(before, request, None))
    with transaction(cursor):
        after = ledger.write(
            cursor, replace(after, filled=True, shown=not staged)
        )  # the guard: first statement
        table = _staging(cursor, request) if staged else relation(request.relation)
        written = _write_rows(cursor, table, scratch, request, before, rows)
        version = _versions(before, request, written if before.filled else None)
        if before.filled and dict(before.version) != version:
            _keep_versions(cursor, request, before, version)
        complete = staged and set(request.all_nodes) <= set(after.published)
        if complete:
            show_partition(
                cursor, request.relation, partition_value(request.partition, request.partition_type)
            )
        if complete or version != after.version:
            # The row was written by this transaction: nobody else can have moved it.
            after = ledger.write(cursor, replace(after, version=version, shown=after.shown or complete))
    ledger.remember(after)
    return _results(request, before, after, written)


def may_insert_once(ledger: Ledger, cursor: duckdb.DuckDBPyConnection, request: AttemptRequest) -> bool:
    """All nodes of the table in one statement into a partition without rows: no other node can be in between."""
    if request.metrics or not set(request.all_nodes) <= {member.target.node for member in request.members}:
        return False
    return not ledger.state(cursor, request.relation, request.partition).filled


def insert_once(
    warehouse: Warehouse, cursor: duckdb.DuckDBPyConnection, request: AttemptRequest, check: Check
) -> tuple[int, tuple[MemberResult, ...]]:
    """Compute straight into the table and check there before the commit: half the work of going through scratch."""
    ledger = warehouse.ledger
    before = ledger.state(cursor, request.relation, request.partition)
    after = _admitted(before, request)
    version = _versions(before, request, None)
    ds = partition_value(request.partition, request.partition_type)
    with transaction(cursor):
        after = ledger.write(cursor, replace(after, filled=True, shown=True, version=version))
        table = relation(request.relation)
        rows = insert_all(
            cursor, table, f"({request.sql.rstrip().rstrip(';')}\n)", request, dict(request.parameters)
        )
        columns = identifiers(one.name for one in (*request.key, *request.fields))
        check(f"(SELECT {columns} FROM {table} WHERE ds = {ds})", rows)
    ledger.remember(after)
    written = Written(rows, 0, 0, frozenset(one.name for one in request.fields))
    return rows, _results(request, before, after, written)


def _staging(cursor: duckdb.DuckDBPyConnection, request: AttemptRequest) -> str:
    table = beside(STAGING, request.relation)
    cursor.execute(f"CREATE TABLE IF NOT EXISTS {table} AS FROM {relation(request.relation)} LIMIT 0")
    return table


def _admitted(before: PartitionState, request: AttemptRequest) -> PartitionState:
    """Check-and-set of every member's attempt. Raises Fenced."""
    published = dict(before.published)
    for member in request.members:
        node = member.target.node
        if before.refuses(node, member.attempt):
            raise Fenced(
                f"attempt {member.attempt} of {node} is no longer wanted: a stop or a newer run came first"
            )
        published[node] = member.attempt
    greatest = max(before.greatest, *published.values())
    environment = request.members[0].target.environment
    return replace(before, environment=environment, published=published, greatest=greatest)


def _write_rows(
    cursor: duckdb.DuckDBPyConnection,
    table: str,
    scratch: str,
    request: AttemptRequest,
    before: PartitionState,
    rows: int,
) -> Written:
    if request.metrics:
        return merge_metrics(cursor, table, scratch, request, before)
    if not before.filled:
        insert_all(cursor, table, scratch, request)
        return Written(rows, 0, 0, frozenset(one.name for one in request.fields))
    new = not any(one.name in before.version for one in request.fields)
    return update_columns(cursor, table, scratch, request, rows, first_time=new)


def _versions(before: PartitionState, request: AttemptRequest, written: Written | None) -> dict[str, int]:
    """Who last changed a value of each field, and of the key set (spec 4, STALE). `written` None: first rows."""
    version = dict(before.version)
    for member in request.members:
        for name in member.fields:
            if written is None or name not in version or name in written.fields:
                version[name] = member.attempt
    if written is None or written.added or written.removed:
        version[KEY_SET] = max(member.attempt for member in request.members)
    return version


def _keep_versions(
    cursor: duckdb.DuckDBPyConnection,
    request: AttemptRequest,
    before: PartitionState,
    version: dict[str, int],
) -> None:
    """The versions that undo puts back."""
    attempt = request.members[0].attempt
    replaced = [(name, old) for name, old in before.version.items() if version[name] != old]
    if replaced:
        marks = ", ".join(["(?, ?, ?, ?, ?)"] * len(replaced))
        values = [
            v for name, old in replaced for v in (request.relation, request.partition, attempt, name, old)
        ]
        cursor.execute(f"INSERT INTO fieldwise.replaced_version VALUES {marks}", values)


def _results(
    request: AttemptRequest, before: PartitionState, after: PartitionState, written: Written
) -> tuple[MemberResult, ...]:
    own = {member.target.node for member in request.members}
    others = set(before.published) - own
    if request.all_nodes:
        others &= set(request.all_nodes)
    moved = before.filled and not request.metrics and (written.added or written.removed)
    differ = tuple(sorted(others)) if moved else ()
    return tuple(
        MemberResult(
            member.node_instance,
            member.attempt,
            tuple(name for name in member.fields if after.version.get(name) == member.attempt),
            written.added,
            written.removed,
            written.changed,
            differ,
        )
        for member in request.members
    )
