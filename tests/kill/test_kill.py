"""Real processes killed with SIGKILL at random moments and started again end like an undisturbed run."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fieldwise.model.event import to_day
from fieldwise.model.status import Environment, Status
from fieldwise.store.sqlite import SqliteStore

pytestmark = pytest.mark.kill

DAYS = "2026-11-15..2026-11-18"
FILES = {
    "project.yml": "name: shop\ntimezone: UTC\nowner: ana\ndefaults: {retries: {times: 0}}\n",
    "sources/raw.yml": "schema: raw\ntables:\n  orders: {location: data/orders.csv, key: [order_id, ds], partition: ds}\n"
    "  refunds: {location: data/refunds.csv, key: [order_id, ds], partition: ds}\n",
    "tables/fct_order.sql": """/*
kind: fact
key: [order_id]
*/
SELECT o.order_id, o.amount, o.region, coalesce(r.refund, 0) AS refund
FROM raw.orders o
LEFT JOIN raw.refunds r ON r.order_id = o.order_id AND r.ds = :data_date
WHERE o.ds = :data_date
""",
    "tables/agg_region.sql": """/*
kind: aggregate
key: [region]
*/
SELECT f.region, sum(f.amount) AS amount, sum(f.refund) AS refund,
  (SELECT count(*) FROM range(3000000) AS t (n) WHERE n % 7 = 1) AS slow
FROM shop.fct_order f
WHERE f.ds = :data_date
GROUP BY f.region
""",
    "tables/total.sql": """/*
kind: aggregate
key: [region]
columns: {region: VARCHAR, amount: DOUBLE}
*/
SELECT a.region, a.amount + coalesce(t.amount, 0) AS amount
FROM shop.agg_region a
LEFT JOIN shop.total t ON t.region = a.region AND t.ds = :data_date - INTERVAL 1 DAY
WHERE a.ds = :data_date
""",
}


def project(folder: Path) -> Path:
    for name, text in FILES.items():
        path = folder / "shop" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    data = folder / "shop" / "data"
    data.mkdir()
    orders, refunds = ["order_id,amount,region,ds"], ["order_id,refund,ds"]
    for day in range(15, 19):
        for number in range(200):
            orders.append(f"{number},{number * day}.5,r{number % 5},2026-11-{day}")
            if number % 3 == 0:
                refunds.append(f"{number},{number}.25,2026-11-{day}")
    (data / "orders.csv").write_text("\n".join(orders) + "\n")
    (data / "refunds.csv").write_text("\n".join(refunds) + "\n")
    return folder / "shop"


def start(words: Sequence[object]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "fieldwise.cli.main", *map(str, words)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def finish(words: Sequence[object]) -> Any:
    process = start(words)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, (out, err)
    return json.loads(out)


def tables(home: Path) -> dict[str, list[Any]]:
    return {
        name: sorted(
            json.dumps(row, sort_keys=True)
            for row in finish(["sql", f"SELECT * FROM shop.{name}", "--home", home, "--json"])
        )
        for name in ("fct_order", "agg_region", "total")
    }


def kill_at_random(process: subprocess.Popen[str], seconds: float) -> bool:
    """True if it was still alive. Only the process itself: its engine must notice by itself."""
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        return True
    return False


def check_store(home: Path) -> None:
    """Nothing lost, nothing doubled: every node instance Succeeded by exactly one succeeded run."""
    store = SqliteStore(home / "state.db")
    # A server that is up at 23:00 generates the next day beside them.
    last = to_day(date(2026, 11, 18))
    firings = [firing for firing in store.window(Environment.PROD) if firing.data_day <= last]
    assert len(firings) == 4 * 5, Counter(firing.node for firing in firings)
    assert {firing.state.status for firing in firings} == {Status.SUCCEEDED}
    for instance in {firing.instance for firing in firings}:
        succeeded = Counter(
            run["node_instance"] for run in store.runs(instance) if run["outcome"] == "succeeded"
        )
        assert set(succeeded.values()) == {1}
        assert not [run for run in store.runs(instance) if run["outcome"] == "running"]
    store.close()


def disturbed(folder: Path, home: Path, kills: int, seed: int, undisturbed: float) -> int:
    """Start runs and servers on the home in turn and kill them; returns how many were alive when killed.

    `undisturbed`: seconds that a whole run takes on this machine, so that kills fall into the work whatever its speed.
    """
    chance = random.Random(seed)
    killed = 0
    while killed < kills:
        serve = killed > 0 and chance.random() < 0.6
        words = (
            ["serve", "--home", home, "--port", 0]
            if serve
            else ["run", folder, "--data", DAYS, "--home", home]
        )
        alive = kill_at_random(start(words), chance.uniform(0.3, 0.85) * undisturbed)
        killed += alive
        if not alive and not serve:
            if killed:
                break  # it came to its end between two kills
            shutil.rmtree(home)  # faster than the first time: again, and sooner
            undisturbed *= 0.8
    return killed


def run_and_compare(tmp_path: Path, kills: int, seed: int) -> None:
    folder = project(tmp_path)
    quiet, rough = tmp_path / "quiet", tmp_path / "rough"
    began = time.monotonic()
    finish(["run", folder, "--data", DAYS, "--home", quiet, "--json"])
    assert disturbed(folder, rough, kills, seed, time.monotonic() - began) > 0
    finish(["run", folder, "--data", DAYS, "--home", rough, "--json"])
    check_store(rough)
    assert tables(rough) == tables(quiet)
    again = finish(["run", folder, "--data", DAYS, "--home", rough, "--json"])
    assert again["node_instances"] == 0


@pytest.mark.parametrize("seed", range(5))
def test_killed_processes_end_like_an_undisturbed_run(tmp_path: Path, seed: int) -> None:
    run_and_compare(tmp_path, kills=10, seed=seed)


@pytest.mark.prove
def test_many_kills(tmp_path: Path, seeds: range) -> None:
    for seed in seeds:
        run_and_compare(tmp_path / str(seed), kills=10, seed=seed)
