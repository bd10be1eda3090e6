"""The warehouse on DuckDB as one process sees it: open, describe, query, shapes, ledger and fence."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import duckdb

from fieldwise.engines import shapes, sources
from fieldwise.engines.base import partition_value
from fieldwise.engines.errors import conflict, refused
from fieldwise.engines.ledger import Ledger, greatest_attempt
from fieldwise.engines.opening import harden, open_file
from fieldwise.engines.quoting import literal, relation
from fieldwise.engines.source_facts import SourceFacts
from fieldwise.engines.system_tables import KEY_SET, SYSTEM_TABLES
from fieldwise.engines.transaction import transaction
from fieldwise.model.attempt import InputRead, Target
from fieldwise.model.definition import SourceTable
from fieldwise.model.errors import EngineRefused, EngineUnavailable
from fieldwise.model.status import Environment
from fieldwise.ports.engine import Rows, ShapeChange, TableShape
from fieldwise.usecases.facts import relation_of

READ_ONLY = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
CONFLICT_SECONDS = 15.0
PAUSE_SECONDS = 0.01

T = TypeVar("T")


class Warehouse:
    """An open DuckDB database; every thread works on a cursor of its own."""

    def __init__(
        self,
        path: str,
        scratch: Path | None = None,
        threads: int = 0,
        memory_limit: str = "",
        within: float = 15.0,
    ) -> None:
        self.connection = open_file(path, within)
        self.connection.execute("SET GLOBAL TimeZone = 'UTC'")
        if threads:
            self.connection.execute(f"SET GLOBAL threads = {int(threads)}")
        if memory_limit:
            self.connection.execute(f"SET GLOBAL memory_limit = {literal(memory_limit)}")
        for statement in SYSTEM_TABLES:
            self.connection.execute(statement)
        self.folders = {folder for (folder,) in self.connection.execute("FROM fieldwise.folder").fetchall()}
        if scratch is not None:
            harden(self.connection, scratch, sorted(self.folders))
        self.ledger = Ledger(self.connection)
        self.facts = SourceFacts(self.ledger)
        self.facts.reload(self.connection)
        self._definitions = threading.Lock()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        return self.connection.cursor()

    def close(self) -> None:
        self.connection.close()

    # -- sources
    def source_columns(self, folder: str, source: SourceTable) -> sources.Columns:
        return sources.columns_of(self.cursor(), folder, source)

    def remember_folders(self, folders: Sequence[str]) -> bool:
        """Keep what later openings may read; True if this process, whose settings are locked, may not."""
        new = [folder for folder in folders if folder not in self.folders]
        for folder in new:
            self.cursor().execute("INSERT OR REPLACE INTO fieldwise.folder VALUES (?)", [folder])
        return bool(new)

    def register_sources(self, folder: str, tables: Sequence[SourceTable]) -> None:
        def act() -> None:
            cursor = self.cursor()
            with transaction(cursor):
                for source in tables:
                    sources.register(cursor, folder, source)

        with self._definitions:
            repeated(act)
            self.facts.reload(self.cursor())

    # -- shapes
    def change_shapes(self, changes: Sequence[ShapeChange], version: str) -> None:
        with self._definitions:
            repeated(lambda: shapes.change_shapes(self.cursor(), changes, version))
            self.ledger.forget_all()

    # -- reading
    def describe(self, sql: str, parameters: Mapping[str, object] | None = None) -> sources.Columns:
        """Names and engine types of a query's columns; nothing is read. Raises EngineRefused."""
        cursor = self.cursor()
        _refuse_writing(cursor, sql)
        try:
            found = cursor.execute(f"DESCRIBE {sql}", dict(parameters) if parameters else None).fetchall()
        except duckdb.Error as error:
            raise refused(error) from None
        return tuple((name, kind) for name, kind, *_ in found)

    def query(
        self,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> Rows:
        """One reading statement in a read-only transaction. Raises EngineRefused."""
        cursor = self.cursor()
        _refuse_writing(cursor, sql)
        timer = threading.Timer(timeout, cursor.interrupt) if timeout else None
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            with transaction(cursor, "READ ONLY"):
                cursor.execute(sql, dict(parameters) if parameters else None)
                found = cursor.fetchall() if limit is None else cursor.fetchmany(limit + 1)
                description = cursor.description or []
        except duckdb.InterruptException:
            raise EngineRefused(f"the query took longer than {timeout:g} s", "ask for less") from None
        except duckdb.Error as error:
            raise refused(error) from None
        finally:
            if timer is not None:
                timer.cancel()
        shown = found if limit is None else found[:limit]
        columns = tuple(str(column[0]) for column in description)
        types = tuple(str(column[1]) for column in description)
        return Rows(columns, types, tuple(tuple(row) for row in shown), len(found) > len(shown))

    def input_versions(self, reads: Sequence[InputRead]) -> tuple[tuple[str, str], ...]:
        return self.versions(self.cursor(), reads)

    def versions(
        self, cursor: duckdb.DuckDBPyConnection, reads: Sequence[InputRead]
    ) -> tuple[tuple[str, str], ...]:
        """What STALE compares: the attempt that last changed each column read, and the keys; digests of sources."""
        found: list[tuple[str, str]] = []
        for read in reads:
            if read.source:
                found += self.facts.digests(cursor, read)
                continue
            for partition in read.partitions:
                version = self.ledger.state(cursor, read.relation, partition).version
                found += [
                    (f"{read.relation}.{name}@{partition}", str(version.get(name, 0)))
                    for name in (KEY_SET, *read.fields)
                ]
        return tuple(found)

    # -- ledger and fence
    def published(self, targets: Sequence[Target]) -> dict[Target, int]:
        cursor = self.cursor()
        found = {}
        for target in targets:
            state = self.ledger.state(cursor, _relation(target), target.partition)
            if target.node in state.published:
                found[target] = state.published[target.node]
        return found

    def raise_fence(self, targets: Sequence[tuple[Target, int]]) -> dict[Target, int]:
        """Writes the guard row first, as a publish does: one of the two waits for, or sees, the other."""
        cursor = self.cursor()
        there: dict[Target, int] = {}
        grouped: dict[tuple[str, str], list[tuple[Target, int]]] = {}
        for target, attempt in targets:
            grouped.setdefault((_relation(target), target.partition), []).append((target, attempt))
        for place, pairs in grouped.items():
            there |= repeated(partial(self._fence, cursor, *place, pairs))
        return there

    def _fence(
        self,
        cursor: duckdb.DuckDBPyConnection,
        name: str,
        partition: str,
        pairs: Sequence[tuple[Target, int]],
    ) -> dict[Target, int]:
        before = self.ledger.stored(cursor, name, partition)
        fence = dict(before.fence)
        for target, attempt in pairs:
            fence[target.node] = max(fence.get(target.node, 0), attempt)
        greatest = max(before.greatest, *(attempt for _, attempt in pairs))
        environment = pairs[0][0].environment
        with transaction(cursor):
            after = self.ledger.write(
                cursor, replace(before, environment=environment, fence=fence, greatest=greatest)
            )
        self.ledger.remember(after)
        return {target: attempt for target, attempt in pairs if after.published.get(target.node) == attempt}

    def greatest_attempt(self) -> int:
        return greatest_attempt(self.cursor())

    def show_partition(self, relation: str, partition: str, partition_type: str) -> None:
        """Let a `visible: complete` partition appear whose last missing node will not run: forced success, dry run."""

        def act() -> None:
            cursor = self.cursor()
            before = self.ledger.stored(cursor, relation, partition)
            if before.shown:
                return
            with transaction(cursor):
                after = self.ledger.write(cursor, replace(before, shown=True))
                shapes.show_partition(cursor, relation, partition_value(partition, partition_type))
            self.ledger.remember(after)

        repeated(act)

    def forget_replaced(self, below: int) -> None:
        """Drop what runs with smaller attempts replaced: they can no longer be undone (`keep_replaced`)."""

        def act() -> None:
            cursor = self.cursor()
            with transaction(cursor):
                shapes.forget_replaced(cursor, below)

        repeated(act)


class InMemoryEngine(Warehouse):
    """An engine without a home, for `check` and `plan`: nothing is created on disk."""

    def __init__(self) -> None:
        super().__init__(":memory:")

    def create_empty(self, shape: TableShape) -> None:
        """A table of the right shape without rows, so that later queries can be described."""
        cursor = self.cursor()
        cursor.execute(f"DROP TABLE IF EXISTS {relation(shape.relation)}")
        shapes.create_table(cursor, shape)


def _relation(target: Target) -> str:
    return relation_of(Environment(target.environment), target.task)


def _refuse_writing(cursor: duckdb.DuckDBPyConnection, sql: str) -> None:
    try:
        statements = cursor.extract_statements(sql)
    except duckdb.Error as error:
        raise refused(error) from None
    if len(statements) != 1 or statements[0].type not in READ_ONLY:
        raise EngineRefused("only one reading statement is taken", "write one SELECT")


def repeated(act: Callable[[], T], within: float = CONFLICT_SECONDS) -> T:
    """Repeat what lost a conflict; anything else is the engine's refusal."""
    deadline = time.monotonic() + within
    while True:
        try:
            return act()
        except Exception as error:
            if not conflict(error):
                if isinstance(error, duckdb.Error):
                    raise refused(error) from None
                raise
            if time.monotonic() > deadline:
                raise EngineUnavailable(
                    "another change of the same table does not end", "try again"
                ) from None
            time.sleep(PAUSE_SECONDS)
