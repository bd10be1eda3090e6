"""P4: start with 1,000,000 open node instances in the store until the first attempt is handed out."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.p2_throughput import LAYERS, NEEDS, TASKS, InstantWorkers
from bench.p3_generate import FIRST, NOW, opened
from bench.shapes import layered, publication
from fieldwise.fleet.values import Options
from fieldwise.leader.machine import Leader, Settings
from fieldwise.model.attempt import AttemptRequest
from fieldwise.model.event import to_micros
from fieldwise.store.sqlite import SqliteStore
from fieldwise.usecases.generate import generate_data_days


class FirstStart(InstantWorkers):
    """Remembers when the first attempt came."""

    at = 0.0

    def start(self, requests: Sequence[AttemptRequest]) -> None:
        self.at = self.at or time.perf_counter()
        super().start(requests)


def first_dispatch(days: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        store, epoch, active = opened(Path(folder), publication(layered(LAYERS, TASKS // LAYERS, NEEDS), 256))
        generate_data_days(store, epoch, active, FIRST, FIRST + timedelta(days=days - 1), NOW)
        store.close()
        began = time.perf_counter()
        store = SqliteStore(Path(folder) / "state.db")
        workers: Any = FirstStart()
        settings = Settings("bench", options=Options(ignore_time=True), lease=3600, tolerate=0)
        Leader(store, workers, workers, settings).turn(to_micros(NOW))
        store.close()
        seconds: float = workers.at - began
    return seconds


def measure() -> list[dict[str, Any]]:
    rows = []
    for days, target in ((20, None), (200, 4.0)):
        seconds = first_dispatch(days)
        goal = {} if target is None else {"target": f"<= {target:g} s", "met": seconds <= target}
        rows.append(
            {"measure": f"first dispatch, {days * TASKS:,} open", "value": seconds, "unit": "s", **goal}
        )
    return rows


if __name__ == "__main__":
    for row in measure():
        print(row)
