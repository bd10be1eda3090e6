"""What the warehouse knows of each partition: who published what, who is refused, who last changed which column.

This process is the only writer of the file, so rows are remembered; every write checks that what it remembers was true.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import duckdb

from fieldwise.engines.errors import Moved

REMEMBERED = 50_000  # partitions; about 1 kB each


@dataclass(frozen=True, slots=True)
class PartitionState:
    """One row of `fieldwise.partition`; `writes` 0: there is none yet."""

    relation: str
    partition: str
    environment: str = ""
    writes: int = 0
    greatest: int = 0
    filled: bool = False
    shown: bool = True
    published: Mapping[str, int] = field(default_factory=dict)
    fence: Mapping[str, int] = field(default_factory=dict)
    version: Mapping[str, int] = field(default_factory=dict)

    def refuses(self, node: str, attempt: int) -> bool:
        return attempt <= self.fence.get(node, 0) or attempt <= self.published.get(node, 0)


class Ledger:
    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._lock = threading.Lock()
        self._states: dict[tuple[str, str], PartitionState] = {}
        self._latest: dict[str, str] = dict(
            cursor.execute(
                "SELECT relation, max(partition) FROM fieldwise.partition GROUP BY relation"
            ).fetchall()
        )

    def state(self, cursor: duckdb.DuckDBPyConnection, relation: str, partition: str) -> PartitionState:
        """As remembered, else as stored. A partition after the relation's latest has no row: nothing is asked."""
        with self._lock:
            known = self._states.get((relation, partition))
            if known is not None:
                return known
            if partition > self._latest.get(relation, ""):
                return PartitionState(relation, partition)
        return self.remember(self.stored(cursor, relation, partition))

    def stored(self, cursor: duckdb.DuckDBPyConnection, relation: str, partition: str) -> PartitionState:
        row = cursor.execute(
            "SELECT environment, writes, greatest, filled, shown, published, fence, version "
            "FROM fieldwise.partition WHERE relation = ? AND partition = ?",
            [relation, partition],
        ).fetchone()
        if row is None:
            return PartitionState(relation, partition)
        return PartitionState(relation, partition, *row[:5], *(json.loads(text) for text in row[5:]))

    def remember(self, state: PartitionState) -> PartitionState:
        """Call after the commit."""
        with self._lock:
            if len(self._states) >= REMEMBERED:
                self._states.clear()
            self._states[state.relation, state.partition] = state
            if state.writes and state.partition > self._latest.get(state.relation, ""):
                self._latest[state.relation] = state.partition
        return state

    def forget(self, state: PartitionState) -> None:
        with self._lock:
            self._states.pop((state.relation, state.partition), None)

    def forget_all(self) -> None:
        with self._lock:
            self._states.clear()

    def write(self, cursor: duckdb.DuckDBPyConnection, after: PartitionState) -> PartitionState:
        """Write the row inside the open transaction; raises Moved if it is not the one `after` was made from."""
        written = replace(after, writes=after.writes + 1)
        maps = [
            json.dumps(found, separators=(",", ":"))
            for found in (after.published, after.fence, after.version)
        ]
        if after.writes == 0:
            cursor.execute(
                "INSERT INTO fieldwise.partition VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?)",
                [
                    after.environment,
                    after.relation,
                    after.partition,
                    after.greatest,
                    after.filled,
                    after.shown,
                    *maps,
                ],
            )
            return written
        row = cursor.execute(
            "UPDATE fieldwise.partition SET writes = ?, greatest = ?, filled = ?, shown = ?, published = ?, fence = ?, "
            "version = ? WHERE relation = ? AND partition = ? AND writes = ?",
            [written.writes, after.greatest, after.filled, after.shown, *maps, after.relation, after.partition, after.writes],
        ).fetchone()  # fmt: skip
        if row is None or row[0] != 1:
            raise Moved(f"{after.relation} {after.partition}")
        return written


def greatest_attempt(cursor: duckdb.DuckDBPyConnection) -> int:
    row = cursor.execute("SELECT coalesce(max(greatest), 0) FROM fieldwise.partition").fetchone()
    return int(row[0]) if row else 0
