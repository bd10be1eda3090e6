"""The warehouse on DuckDB as one process sees it: open, harden, describe, query, ledger and fence."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from fieldwise.engines import shapes, sources
from fieldwise.engines.errors import conflict, refused
from fieldwise.engines.quoting import literal
from fieldwise.engines.system_tables import SYSTEM_TABLES
from fieldwise.model.attempt import Target
from fieldwise.model.definition import SourceTable
from fieldwise.model.errors import EngineRefused, EngineUnavailable
from fieldwise.ports.engine import Rows, ShapeChange, TableShape

OPEN_WITHIN_SECONDS = 15.0
READ_ONLY = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
FENCE_TRIES = 50


class Warehouse:
    """An open DuckDB database; every thread works on a cursor of its own."""

    def __init__(
        self, path: str, scratch: Path | None = None, threads: int = 0, memory_limit: str = ""
    ) -> None:
        self.connection = _open(path)
        self.ddl = threading.RLock()
        self.allowed: set[str] = set()
        self.connection.execute("SET TimeZone = 'UTC'")
        for statement in SYSTEM_TABLES.strip().split(";"):
            if statement.strip():
                self.connection.execute(statement)
        if threads:
            self.connection.execute(f"SET threads = {int(threads)}")
        if memory_limit:
            self.connection.execute(f"SET memory_limit = {literal(memory_limit)}")
        if scratch is not None:
            self._harden(scratch)

    def _harden(self, scratch: Path) -> None:
        """Files only below the scratch folder and the folders of registered projects; settings locked (spec 7)."""
        scratch.mkdir(parents=True, exist_ok=True)
        self.allowed = {
            folder
            for (folder,) in self.connection.execute(
                "SELECT DISTINCT folder FROM fieldwise.source"
            ).fetchall()
        }
        folders = [str(scratch), *sorted(self.allowed)]
        allowed = ", ".join(literal(folder.rstrip("/") + "/") for folder in folders)
        self.connection.execute(f"SET temp_directory = {literal(str(scratch / 'spill'))}")
        self.connection.execute(f"SET allowed_directories = [{allowed}]")
        self.connection.execute("SET enable_external_access = false")
        self.connection.execute("SET lock_configuration = true")

    def cursor(self) -> duckdb.DuckDBPyConnection:
        return self.connection.cursor()

    # -- the Engine port
    def source_columns(self, folder: str, source: SourceTable) -> tuple[tuple[str, str], ...]:
        return sources.columns_of(self.cursor(), folder, source)

    def remember_folder(self, folder: str) -> bool:
        """Keep a project's folder for the next opening; True if this process may not read it yet."""
        cursor = self.cursor()
        cursor.execute(
            "INSERT INTO fieldwise.source VALUES (?, ?) ON CONFLICT DO UPDATE SET folder = excluded.folder",
            [f"@{folder}", folder],
        )
        return folder not in self.allowed

    def register_sources(self, folder: str, tables: Sequence[SourceTable]) -> None:
        cursor = self.cursor()
        with self.ddl:
            for source in tables:
                try:
                    sources.register(cursor, folder, source)
                except duckdb.Error as error:
                    raise refused(error) from None

    def change_shapes(self, changes: Sequence[ShapeChange], version: str) -> None:
        with self.ddl:
            _retried(lambda: shapes.change_shapes(self.cursor(), changes, version))

    def describe(
        self, sql: str, parameters: Mapping[str, object] | None = None
    ) -> tuple[tuple[str, str], ...]:
        """Names and engine types of a query's columns; nothing is read. Raises EngineRefused."""
        try:
            found = (
                self.cursor().execute(f"DESCRIBE {sql}", dict(parameters) if parameters else None).fetchall()
            )
        except duckdb.Error as error:
            raise refused(error) from None
        return tuple((name, kind) for name, kind, *_ in found)

    def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, limit: int | None = None
    ) -> Rows:
        cursor = self.cursor()
        try:
            statements = cursor.extract_statements(sql)
            if len(statements) != 1 or statements[0].type not in READ_ONLY:
                raise EngineRefused("only one reading statement is taken", "write one SELECT")
            cursor.execute(sql, dict(parameters) if parameters else None)
            found = cursor.fetchall() if limit is None else cursor.fetchmany(limit + 1)
            description = cursor.description or []
        except duckdb.Error as error:
            raise refused(error) from None
        shown = found if limit is None else found[:limit]
        columns = tuple(str(column[0]) for column in description)
        types = tuple(str(column[1]) for column in description)
        return Rows(columns, types, tuple(tuple(row) for row in shown), len(found) > len(shown))

    def published(self, targets: Sequence[Target]) -> dict[Target, int]:
        cursor = self.cursor()
        found = {}
        for target in targets:
            row = cursor.execute(
                "SELECT attempt FROM fieldwise.published WHERE environment = ? AND node = ? AND partition = ?",
                [target.environment, target.node, target.partition],
            ).fetchone()
            if row is not None:
                found[target] = int(row[0])
        return found

    def raise_fence(self, targets: Sequence[tuple[Target, int]]) -> dict[Target, int]:
        """Its first statement writes the guard rows, as a publish does: one of the two waits for or sees the other."""
        return _retried(lambda: self._raise_fence(targets))

    def _raise_fence(self, targets: Sequence[tuple[Target, int]]) -> dict[Target, int]:
        cursor = self.cursor()
        there: dict[Target, int] = {}
        cursor.execute("BEGIN")
        try:
            for target, _ in targets:
                guard(cursor, target.environment, target.task, target.partition)
            for target, attempt in targets:
                cursor.execute(
                    "INSERT INTO fieldwise.fence VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET attempt = greatest(attempt, excluded.attempt)",
                    [target.environment, target.node, target.partition, attempt],
                )
                row = cursor.execute(
                    "SELECT attempt FROM fieldwise.published WHERE environment = ? AND node = ? AND partition = ?",
                    [target.environment, target.node, target.partition],
                ).fetchone()
                if row is not None and int(row[0]) == attempt:
                    there[target] = attempt
            cursor.execute("COMMIT")
        except BaseException:
            _rollback(cursor)
            raise
        return there

    def greatest_attempt(self) -> int:
        row = (
            self.cursor()
            .execute(
                "SELECT greatest(coalesce((SELECT max(attempt) FROM fieldwise.published), 0), coalesce((SELECT max(attempt) FROM fieldwise.fence), 0))"
            )
            .fetchone()
        )
        return int(row[0]) if row else 0

    def close(self) -> None:
        self.connection.close()


class InMemoryEngine(Warehouse):
    """An engine without a home, for `check` and `plan`: nothing is created on disk."""

    def __init__(self) -> None:
        super().__init__(":memory:")

    def create_empty(self, shape: TableShape) -> None:
        """A table of the right shape without rows, so that later queries can be described."""
        cursor = self.cursor()
        cursor.execute(f"DROP TABLE IF EXISTS {sources.relation(shape.relation)}")
        shapes.create_table(cursor, shape)


def guard(cursor: duckdb.DuckDBPyConnection, environment: str, relation: str, partition: str) -> int:
    """Write the partition's row: always a transaction's first statement, so that two of them cannot both commit."""
    row = cursor.execute(
        "INSERT INTO fieldwise.partition VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET publishes = publishes + 1 RETURNING publishes",
        [environment, relation, partition],
    ).fetchone()
    return int(row[0]) if row else 0


def _rollback(cursor: duckdb.DuckDBPyConnection) -> None:
    try:
        cursor.execute("ROLLBACK")
    except duckdb.Error:
        pass  # the engine ended the transaction itself


def _retried(act: Any) -> Any:
    """Repeat what lost a conflict; anything else is the engine's refusal."""
    for _ in range(FENCE_TRIES):
        try:
            return act()
        except duckdb.Error as error:
            if not conflict(error):
                raise refused(error) from None
            time.sleep(0.01)
    raise EngineUnavailable("the engine refused the same change too often", "try again")


def _open(path: str) -> duckdb.DuckDBPyConnection:
    """Open the file; the process that had it before may still be dying."""
    deadline = time.monotonic() + OPEN_WITHIN_SECONDS
    while True:
        try:
            return duckdb.connect(path)
        except duckdb.IOException as error:
            if time.monotonic() > deadline or "lock" not in str(error).lower():
                raise EngineUnavailable(f"the warehouse cannot be opened: {str(error)[:300]}") from None
            time.sleep(0.05)
