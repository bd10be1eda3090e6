"""The store alone: group commits and the reading of the window, beside the same rows written without any rule.

    python -m bench.store_raw

Helpers for P2, P3 and P4, which measure the whole; seconds are of this process, so that a busy machine matters less.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.p3_generate import FIRST, NOW, TASKS, opened
from bench.shapes import layered, publication
from fieldwise.model.attempt import MemberResult
from fieldwise.model.event import (
    CommitBatch,
    Event,
    Firing,
    InstanceState,
    RunEnd,
    RunStart,
    Transition,
    to_micros,
)
from fieldwise.model.status import RunOutcome, Status
from fieldwise.usecases.generate import generate_data_days

GROUP = 256
AT = to_micros(NOW)
RUNNING, DONE = (0, 0, 0, 0, 1, 0, 0), (0, 0, 0, 0, 0, 1, 0)
NO_FIELDS = (0, 0, 0, 0, 0)


def batches(firings: list[Firing]) -> Iterator[CommitBatch]:
    """One commit ends the group before and starts the next, as the leader's does."""
    ending: list[Firing] = []
    for first in range(0, len(firings) + GROUP, GROUP):
        starting = firings[first : first + GROUP]
        batch = CommitBatch(AT + first, next_attempt=first + GROUP)
        for firing in ending:
            n = firing.state.id
            batch.transitions.append(
                Transition(n, Event.SUCCEEDED, Status.RUNNING, Status.SUCCEEDED, 0, AT, 1, n, 0, "")
            )
            batch.nodes.append(
                firing.state._replace(
                    status=int(Status.SUCCEEDED), run=1, attempt=n, started_at=AT, ended_at=AT + first
                )
            )
            batch.instances.append(InstanceState(firing.instance, DONE, NO_FIELDS, AT, AT + first, 0, 1))
            batch.run_ends.append(
                RunEnd(n, 1, n, AT + first, RunOutcome.SUCCEEDED, result=MemberResult(n, n))
            )
        for firing in starting:
            n = firing.state.id
            batch.transitions.append(
                Transition(n, Event.STARTED, Status.NOT_RUNNING, Status.RUNNING, 0, AT, 1, n, 0, "")
            )
            batch.nodes.append(
                firing.state._replace(status=int(Status.RUNNING), run=1, attempt=n, started_at=AT)
            )
            batch.instances.append(InstanceState(firing.instance, RUNNING, NO_FIELDS, AT, None, 0, 1))
            batch.run_starts.append(RunStart(n, 1, n, AT, 1, "automatic", "logs/x", n))
        ending = starting
        yield batch


def raw_commits(path: Path, prepared: list[CommitBatch]) -> float:
    """Seconds of the same statements on tables that have no index or check beyond their keys."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    for table in ("event (id INTEGER PRIMARY KEY, a, b, c, d, e, f, g, h, i, j)", "node (id INTEGER PRIMARY KEY, a, b, c, d, e, f, g, h, i)",
                  "instance (id INTEGER PRIMARY KEY, a, b, c, d, e, f)", "run (n, k, a, at, v, kind, log, f, ended, PRIMARY KEY (n, k))"):  # fmt: skip
        database.execute(f"CREATE TABLE {table}")
    began = time.process_time()
    for batch in prepared:
        database.execute("BEGIN IMMEDIATE")
        database.executemany(
            "INSERT INTO event VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", batch.transitions
        )
        database.executemany("INSERT OR REPLACE INTO node VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", batch.nodes)
        rows = (
            (i.id, "[0,0,0,0,0,1,0]", i.started_at, i.ended_at, i.marks, i.runs, 0) for i in batch.instances
        )
        database.executemany("INSERT OR REPLACE INTO instance VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        database.executemany("INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)", batch.run_starts)
        ends = ((end.at, end.node_instance, end.number) for end in batch.run_ends)
        database.executemany("UPDATE run SET ended = ? WHERE n = ? AND k = ?", ends)
        database.execute("COMMIT")
    seconds = time.process_time() - began
    database.close()
    return seconds


def measure(days: int = 40) -> list[dict[str, Any]]:
    count = days * TASKS
    with tempfile.TemporaryDirectory() as folder:
        store, epoch, active = opened(Path(folder), publication(layered(50, TASKS // 50, 5), 256))
        firings = generate_data_days(
            store, epoch, active, FIRST, FIRST + timedelta(days=days - 1), NOW
        ).firings
        began = time.process_time()
        columns = store.window_columns(active.environment)
        window = time.process_time() - began
        assert len(columns.id) == count
        prepared = list(batches(firings))
        began = time.process_time()
        for batch in prepared:
            store.commit(epoch, batch)
        seconds = time.process_time() - began
        store.close()
        raw = raw_commits(Path(folder) / "raw.db", prepared)
    return [
        {"measure": "commit, groups of 256", "value": count / seconds, "unit": "node instances/s"},
        {"measure": "the same rows, no rules", "value": count / raw, "unit": "node instances/s"},
        {"measure": "window_columns, per million", "value": window / count * 1e6, "unit": "s"},
    ]


if __name__ == "__main__":
    for row in measure():
        print(row)
