"""P3: generate node instances with dependencies, stored; beside a raw insert of the same rows in the same run."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.shapes import layered, publication
from fieldwise.model.plan import Publication
from fieldwise.store.sqlite import SqliteStore
from fieldwise.usecases.generate import generate_data_days, new_instances

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FIRST = date(2026, 10, 1)
TASKS = 5_000
LAYERS = 50
NEEDS = 5


def opened(folder: Path, tasks: Publication) -> tuple[SqliteStore, int, Publication]:
    """A store on disk in which the project is published."""
    store = SqliteStore(folder / "state.db")
    store.migrate()
    epoch = store.lead("bench", NOW, 3600)
    assert epoch is not None
    pending = store.begin_publication(epoch, tasks, NOW)
    store.activate_publication(epoch, pending.environment, pending.project.name, pending.version, NOW)
    return store, epoch, pending


def generate(days: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        tasks = layered(LAYERS, TASKS // LAYERS, NEEDS)
        store, epoch, active = opened(Path(folder), publication(tasks, 256))
        began = time.perf_counter()
        born = generate_data_days(store, epoch, active, FIRST, FIRST + timedelta(days=days - 1), NOW)
        seconds = time.perf_counter() - began
        assert len(born.firings) == days * TASKS
        store.close()
    return seconds


def raw_insert(days: int) -> float:
    """The same rows of instance, node instance and event, written by executemany in one transaction."""
    active = publication(layered(LAYERS, TASKS // LAYERS, NEEDS), 256)
    instances, nodes = new_instances(active, FIRST, FIRST + timedelta(days=days - 1))
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(Path(folder) / "raw.db", isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(
            "CREATE TABLE instance (id INTEGER PRIMARY KEY, task, type, flow, at, start, day, n, v)"
        )
        database.execute("CREATE UNIQUE INDEX firing ON instance (task, flow, at)")
        database.execute("CREATE TABLE node_instance (id INTEGER PRIMARY KEY, instance, node, status, marks)")
        database.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, node_instance, event, status, at)")
        began = time.perf_counter()
        database.execute("BEGIN IMMEDIATE")
        database.executemany(
            "INSERT INTO instance VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((hash(i.task), 0, 0, i.scheduled_at, i.slot_start, i.data_day, i.ordinal, 1) for i in instances),
        )
        rows = ((number, n.instance, number % 1000, n.status, n.marks) for number, n in enumerate(nodes))
        database.executemany("INSERT INTO node_instance VALUES (?, ?, ?, ?, ?)", rows)
        events = ((number, 0, 0, 1) for number in range(len(nodes)))
        database.executemany("INSERT INTO event VALUES (NULL, ?, ?, ?, ?)", events)
        database.execute("COMMIT")
        seconds = time.perf_counter() - began
        database.close()
    return seconds


def measure() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for days, target in ((20, None), (200, 8.0)):
        count = days * TASKS
        seconds, raw = generate(days), raw_insert(days)
        met = None if target is None else seconds <= target
        goal = "" if target is None else f"<= {target:g} s"
        rows.append(
            {"measure": f"generate {count:,}", "value": seconds, "unit": "s", "target": goal, "met": met}
        )
        rows.append({"measure": f"raw insert of {count:,}", "value": raw, "unit": "s"})
        rows.append({"measure": "ratio", "value": seconds / raw, "unit": "x"})
    return rows


if __name__ == "__main__":
    for row in measure():
        print(row)
