"""P2: sustained no-op throughput of scheduler and durable store: 1,000,000 node instances with 5 edges each.

Workers answer in this process, so that only the decisions and the writes are measured. Beside it, in the same run, a
raw loop that only writes the same rows (two transitions, a run and its end, the state) in groups of 256.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.p3_generate import FIRST, NOW, opened
from bench.shapes import layered, publication
from fieldwise.fleet.values import Options
from fieldwise.leader.machine import Leader, Settings
from fieldwise.model.attempt import AttemptRequest, MemberResult, Report
from fieldwise.model.event import to_micros
from fieldwise.model.status import RunOutcome
from fieldwise.usecases.generate import generate_data_days

TASKS, LAYERS, NEEDS, SLOTS = 5_000, 50, 5, 256
GROUP = 256


@dataclass
class InstantWorkers:
    """Everything it is given has succeeded when the leader asks next; the ledger is empty."""

    done: list[Report] = field(default_factory=list)

    def start(self, requests: Sequence[AttemptRequest]) -> None:
        now = datetime.now(UTC)
        for request in requests:
            attempts = tuple(member.attempt for member in request.members)
            results = tuple(MemberResult(m.node_instance, m.attempt) for m in request.members)
            self.done.append(Report(attempts, RunOutcome.SUCCEEDED, now, members=results))

    def interrupt(self, attempt: int, code: str) -> None: ...

    def reports(self) -> list[Report]:
        done, self.done = self.done, []
        return done

    def on_report(self, wake: Callable[[], None]) -> None: ...

    def close(self, grace: float = 0.0) -> None: ...

    def greatest_attempt(self) -> int:
        return 0


def run_all(days: int) -> tuple[float, float]:
    """(seconds, bytes of the window for each node instance)."""
    with tempfile.TemporaryDirectory() as folder:
        tasks = publication(layered(LAYERS, TASKS // LAYERS, NEEDS), SLOTS)
        store, epoch, active = opened(Path(folder), tasks)
        generate_data_days(store, epoch, active, FIRST, FIRST + timedelta(days=days - 1), NOW)
        workers: Any = InstantWorkers()
        settings = Settings("bench", options=Options(ignore_time=True), lease=3600, tolerate=0)
        leader = Leader(store, workers, workers, settings)
        now = to_micros(NOW)
        leader.turn(now)
        assert leader.fleet is not None
        size = leader.fleet.window.nbytes / len(leader.fleet.window)
        began = time.perf_counter()
        while not leader.idle:
            now += 1000
            leader.turn(now)
        seconds = time.perf_counter() - began
        done, total = leader.progress()
        assert done == total == days * TASKS
        store.close()
    return seconds, size


def raw_loop(count: int) -> float:
    """Node instances per second of a loop that only writes the rows."""
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(Path(folder) / "raw.db", isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(
            "CREATE TABLE event (id INTEGER PRIMARY KEY, n, event, before, after, marks, at, run, a)"
        )
        database.execute(
            "CREATE TABLE run (id INTEGER PRIMARY KEY, n, number, attempt, at, version, kind, log, ended)"
        )
        database.execute("CREATE UNIQUE INDEX run_number ON run (n, number)")
        database.execute("CREATE TABLE node (id INTEGER PRIMARY KEY, status, run, attempt, started, ended)")
        began = time.perf_counter()
        for first in range(0, count, GROUP):
            group = range(first, min(first + GROUP, count))
            database.execute("BEGIN IMMEDIATE")
            database.executemany(
                "INSERT INTO event VALUES (NULL, ?, ?, 0, 4, 0, 1, 1, ?)",
                ((n, e, n) for n in group for e in (6, 7)),
            )
            database.executemany(
                "INSERT INTO run VALUES (NULL, ?, 1, ?, 1, 1, 'automatic', '', NULL)", ((n, n) for n in group)
            )
            database.executemany("UPDATE run SET ended = 2 WHERE n = ? AND number = 1", ((n,) for n in group))
            database.executemany(
                "INSERT OR REPLACE INTO node VALUES (?, 5, 1, ?, 1, 2)", ((n, n) for n in group)
            )
            database.execute("COMMIT")
        seconds = time.perf_counter() - began
        database.close()
    return count / seconds


def measure() -> list[dict[str, Any]]:
    days = 200
    count = days * TASKS
    seconds, size = run_all(days)
    rate, raw = count / seconds, raw_loop(count)
    return [
        {"measure": f"{count:,} node instances, {NEEDS} edges each", "value": rate, "unit": "/s",
         "target": ">= 20,000/s", "met": rate >= 20_000},
        {"measure": "raw loop, groups of 256", "value": raw, "unit": "/s"},
        {"measure": "share of the raw loop", "value": rate / raw, "unit": "x"},
        {"measure": "memory of the window, each", "value": size, "unit": "bytes", "target": "<= 400", "met": size <= 400},
    ]  # fmt: skip


if __name__ == "__main__":
    for row in measure():
        print(row)
