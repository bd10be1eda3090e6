"""What runs may believe of sources: columns as registered, keys unique, a digest per column (spec 4, STALE; rule J9).

Facts hold as long as the source's fingerprint: paths, sizes and times of its files, or the attempt that filled it.
"""

from __future__ import annotations

import glob
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence

import duckdb

from fieldwise.engines import sources
from fieldwise.engines.ledger import Ledger
from fieldwise.engines.quoting import identifier, identifiers, literal, relation
from fieldwise.engines.sources import Registered
from fieldwise.model.attempt import InputRead
from fieldwise.model.definition import SourceFormat, SourceTable
from fieldwise.model.errors import EngineRefused

REMEMBERED = 20_000


class SourceFacts:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._sources: dict[str, Registered] = {}
        self._facts: dict[tuple[str, ...], object] = {}

    def reload(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """After opening and after each registration."""
        found = sources.registered(cursor)
        with self._lock:
            self._sources = found
            self._facts.clear()

    def changed_columns(
        self, cursor: duckdb.DuckDBPyConnection, name: str, fields: Sequence[str]
    ) -> list[str]:
        """The columns read that are no longer as they were published: "amount: BIGINT -> VARCHAR"."""
        wanted = self._sources[name].columns if name in self._sources else {}
        if not wanted:
            return []
        found = self._remembered(cursor, name, "", "columns", lambda: self._columns_now(cursor, name))
        assert isinstance(found, dict)
        return [f"{field}: {wanted[field]} -> {found.get(field, 'missing')}" for field in fields
                if field in wanted and found.get(field) != wanted[field]]  # fmt: skip

    def _columns_now(self, cursor: duckdb.DuckDBPyConnection, name: str) -> dict[str, str]:
        """Types as the view gives them; if it cannot be read, a column it names is gone: the file says which."""
        source = self._sources[name]
        try:
            return dict(sources.describe(cursor, relation(name)))
        except EngineRefused:
            plain = SourceTable(name, "", SourceFormat(source.format), source.location)
            there = dict(sources.describe(cursor, sources.reading("/", plain)))
            return {column: kind for column, kind in source.columns.items() if column in there}

    def duplicates(
        self, cursor: duckdb.DuckDBPyConnection, item: str, key: Sequence[str], column: str, partition: str
    ) -> str:
        """Examples of key values that a source has more than once in the partition; '' if there are none."""
        name = item.replace('"', "")
        where = f" WHERE {identifier(column)} = {literal(partition)}" if column and partition else ""

        def look() -> str:
            named = identifiers(key)
            total, different = cursor.execute(
                f"SELECT count(*), count(DISTINCT hash({named})) FROM {item}{where}"
            ).fetchone()  # type: ignore[misc]
            if total == different:
                return ""
            twice = cursor.execute(
                f"SELECT {named} FROM {item}{where} GROUP BY {named} HAVING count(*) > 1 LIMIT 3"
            ).fetchall()
            return "; ".join(f"({', '.join(map(str, row))})" for row in twice)

        return str(self._remembered(cursor, name, partition, "key " + ",".join(key), look))

    def digests(self, cursor: duckdb.DuckDBPyConnection, read: InputRead) -> list[tuple[str, str]]:
        """("schema.table.column@partition", digest) for each column read, whatever the order of the rows."""
        column = self._sources[read.relation].partition if read.relation in self._sources else ""
        found: list[tuple[str, str]] = []
        for partition in read.partitions or ("",):
            known = [
                self._remembered_only(cursor, read.relation, partition, f"digest {name}")
                for name in read.fields
            ]
            values = [str(one) for one in known if one is not None]
            if len(values) != len(known):
                values = self._digest(cursor, read, column, partition)
            found += [
                (f"{read.relation}.{name}@{partition}", value)
                for name, value in zip(read.fields, values, strict=True)
            ]
        return found

    def _digest(
        self, cursor: duckdb.DuckDBPyConnection, read: InputRead, column: str, partition: str
    ) -> list[str]:
        if not read.fields:
            return []
        where = f" WHERE {identifier(column)} = {literal(partition)}" if column and partition else ""
        sums = ", ".join(f"coalesce(sum(hash({identifier(name)})), 0)" for name in read.fields)
        row = cursor.execute(f"SELECT count(*), {sums} FROM {relation(read.relation)}{where}").fetchone()
        assert row is not None
        values = [f"{row[0]}:{value:x}" for value in row[1:]]
        fingerprint = self._fingerprint(cursor, read.relation, partition)
        for name, value in zip(read.fields, values, strict=True):
            self._keep((read.relation, partition, f"digest {name}"), fingerprint, value)
        return values

    # -- facts by fingerprint
    def _remembered_only(
        self, cursor: duckdb.DuckDBPyConnection, name: str, partition: str, what: str
    ) -> object | None:
        fingerprint = self._fingerprint(cursor, name, partition)
        return self._facts.get((name, partition, what, fingerprint)) if fingerprint else None

    def _remembered(
        self,
        cursor: duckdb.DuckDBPyConnection,
        name: str,
        partition: str,
        what: str,
        look: Callable[[], object],
    ) -> object:
        """One at a time per source: the second asker finds the first one's answer."""
        with self._locks[name]:
            found = self._remembered_only(cursor, name, partition, what)
            if found is None:
                fingerprint = self._fingerprint(cursor, name, partition)
                found = look()
                self._keep((name, partition, what), fingerprint, found)
            return found

    def _keep(self, about: tuple[str, str, str], fingerprint: str, fact: object) -> None:
        if fingerprint:
            with self._lock:
                if len(self._facts) >= REMEMBERED:
                    self._facts.clear()
                self._facts[*about, fingerprint] = fact

    def _fingerprint(self, cursor: duckdb.DuckDBPyConnection, name: str, partition: str) -> str:
        """'' = nothing is known that would tell of a change: ask the data every time."""
        source = self._sources.get(name)
        if source is None:
            return ""
        if source.format == SourceFormat.FROM_TASK:
            version = (
                self._ledger.state(cursor, source.from_task, partition).version.get(name)
                if partition
                else None
            )
            return f"attempt {version}" if version else ""
        if source.format == SourceFormat.ENGINE_TABLE or "://" in source.location:
            return ""
        return " ".join(_stamp(path) for path in sorted(glob.glob(source.location, recursive=True)))


def _stamp(path: str) -> str:
    try:
        found = os.stat(path)
    except OSError:
        return f"{path}:gone"
    return f"{path}:{found.st_size}:{found.st_mtime_ns}:{found.st_ino}"
