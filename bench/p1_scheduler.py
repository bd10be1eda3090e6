"""P1: no-op node instances per second through scheduler, worker process and durable store, beside the neighbours.

The neighbours' figures (2 cores, no-op tasks, medians of 3 runs) were measured apart and are written down here:
Airflow 3.3.2 LocalExecutor tuned, Prefect 3.8.8 with its task runs recorded on the server.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from bench.p3_generate import opened
from bench.shapes import chain, layered, publication, wide
from fieldwise.fleet.values import Added, Options
from fieldwise.leader.machine import Leader, Settings
from fieldwise.leader.shell import turn_until_idle
from fieldwise.model.plan import CompiledTask
from fieldwise.model.status import Environment, Status
from fieldwise.usecases.generate import generate_data_days
from fieldwise.workers.local import LocalWorkers

RUNS = 3
SLOTS = 256
DAY = date(2026, 11, 18)
AIRFLOW = {"chain 40": 4.1, "wide 400": 7.0, "layered 20x20": 4.1}
PREFECT = {"chain 40": 36.0, "wide 400": 51.0, "layered 20x20": 43.0}


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def run_once(tasks: Sequence[CompiledTask]) -> tuple[float, list[float]]:
    """(seconds, gaps in milliseconds between the end of the last upstream and the start) of one run."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        store, _, active = opened(home, publication(tasks, SLOTS))
        epoch = store.lead("bench", datetime.now(UTC), 3600)
        assert epoch is not None
        workers = LocalWorkers(home)
        workers.greatest_attempt()  # the process is up before the clock starts
        settings = Settings("bench", options=Options(ignore_time=True), lease=3600, tolerate=0)
        leader = Leader(store, workers, workers, settings)
        turn_until_idle(leader, SystemClock())  # the server is up, with nothing to do
        born = generate_data_days(store, epoch, active, DAY, DAY, datetime.now(UTC))
        leader.inbox.send(Added(born.firings))
        began = time.perf_counter()
        turn_until_idle(leader, SystemClock())
        seconds = time.perf_counter() - began
        states = {f.node: f.state for f in store.window(Environment.PROD)}
        assert all(state.status == Status.SUCCEEDED for state in states.values())
        gaps = [
            (
                (states[node.id].started_at or 0)
                - max(states[up].ended_at or 0 for d in node.upstream for up in d.nodes)
            )
            / 1000
            for task in tasks
            for node in task.nodes
            if node.upstream
        ]
        workers.close()
        store.close()
    return seconds, gaps


def measure() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    shapes = {"chain 40": chain(40), "wide 400": wide(400), "layered 20x20": layered(20, 20, 10)}
    for name, tasks in shapes.items():
        results = sorted((run_once(tasks) for _ in range(RUNS)), key=lambda result: result[0])
        seconds, gaps = results[RUNS // 2]
        rate = len(tasks) / seconds
        rows.append({"measure": name, "value": rate, "unit": "node instances/s"})
        if name == "chain 40":
            gap = statistics.median(gaps)
            step = 1000 * seconds / len(tasks)
            rows.append({"measure": f"{name}, upstream end -> start", "value": gap, "unit": "ms"})
            rows.append(
                {
                    "measure": f"{name}, step",
                    "value": step,
                    "unit": "ms",
                    "target": "<= 2 ms",
                    "met": step <= 2,
                }
            )
            continue
        for peer, figures, target in (("Airflow tuned", AIRFLOW, 1000), ("Prefect recorded", PREFECT, 100)):
            ratio = rate / figures[name]
            goal = {"target": f">= {target:,}x", "met": ratio >= target}
            rows.append(
                {"measure": f"{name} / {peer} ({figures[name]:g}/s)", "value": ratio, "unit": "x", **goal}
            )
    return rows


if __name__ == "__main__":
    for row in measure():
        print(row)
