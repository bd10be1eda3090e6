"""One SQLite file: a writer under the fencing epoch, and a reader per thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from fieldwise.model.errors import Deposed, FieldwiseError
from fieldwise.model.event import to_micros
from fieldwise.store.named import migrations, queries, statements

BUSY_MILLISECONDS = 10_000
CHECKPOINT_PAGES = 8_000  # 32 MB: pages that commit after commit changes are copied into the file once
MAPPED_BYTES = 8 * 1024**3  # pages of the file are read where the system keeps them, without a copy


class StoreNewer(FieldwiseError):
    """The store was written by a newer Fieldwise."""

    code = "store_newer"

    def __init__(self, found: int, known: int) -> None:
        super().__init__(
            f"the store has version {found}, newer than {known}, which this program knows", "upgrade it"
        )


class Database:
    """WAL and synchronous FULL: what was committed survives a power cut (reliability S30)."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.memory = path == ":memory:"
        self.lock = threading.RLock()
        self._threads = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self.writer = self._open()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        if not self.memory:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
        return connection

    def reader(self) -> sqlite3.Connection:
        """This thread's own connection; a database in memory has only one."""
        if self.memory:
            return self.writer
        connection: sqlite3.Connection | None = getattr(self._threads, "connection", None)
        if connection is None:
            connection = self._open()
            self._threads.connection = connection
            with self.lock:
                self._readers.append(connection)
        return connection

    def rows(self, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        if self.memory:
            with self.lock:
                return self.writer.execute(sql, parameters).fetchall()
        return self.reader().execute(sql, parameters).fetchall()

    def cursor(self, sql: str, parameters: Any = ()) -> Iterable[tuple[Any, ...]]:
        """Rows while they are read, for very many of them."""
        if self.memory:
            return self.rows(sql, parameters)
        return self.reader().execute(sql, parameters)

    def hint(self, index: str) -> str:
        """Which index to walk: without statistics SQLite cannot know that a page ends early."""
        return f"INDEXED BY {index}" if index else ""

    @contextmanager
    def write(self, epoch: int | None) -> Iterator[sqlite3.Connection]:
        """One transaction; with an epoch it must still be the leader's, else Deposed and nothing is written."""
        with self.lock:
            self.writer.execute("BEGIN IMMEDIATE")
            try:
                if epoch is not None:
                    self._check(epoch)
                yield self.writer
                self.writer.execute("COMMIT")
            except BaseException:
                if self.writer.in_transaction:
                    self.writer.execute("ROLLBACK")
                raise

    def _check(self, epoch: int) -> None:
        row = self.writer.execute(queries("leadership")["lease"]).fetchone()
        if row is None or row[1] != epoch:
            raise Deposed(f"epoch {epoch} is over", "another server leads now; this one serves reads")

    def migrate(self) -> int:
        """Apply the migrations that are missing, each in a transaction of its own; the newest number."""
        scripts = migrations()
        for number, script in scripts:
            with self.write(
                None
            ) as connection:  # the version is read inside: two processes may start at once
                version = int(connection.execute("PRAGMA user_version").fetchone()[0])
                if version > len(scripts):
                    raise StoreNewer(version, len(scripts))
                if number > version:
                    for statement in statements(script):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {number}")
        return len(scripts)

    def lead(self, holder: str, now: datetime, seconds: float) -> int | None:
        """Take or renew the lease; a new holder draws a new epoch."""
        at = to_micros(now)
        named = queries("leadership")
        with self.write(None) as connection:
            row = connection.execute(named["lease"]).fetchone()
            if row is not None and row[0] != holder and row[2] > at:
                return None
            epoch = int(row[1]) if row is not None and row[0] == holder else (int(row[1]) if row else 0) + 1
            parameters = {"holder": holder, "epoch": epoch, "expires_at": at + round(seconds * 1_000_000)}
            connection.execute(named["take_lease"], parameters)
        return epoch

    def close(self) -> None:
        with self.lock:
            for connection in [*self._readers, self.writer]:
                connection.close()
            self._readers.clear()
