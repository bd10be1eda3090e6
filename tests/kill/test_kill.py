"""Real processes killed with SIGKILL at random moments and started again end like an undisturbed run."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fieldwise.model.event import to_day
from fieldwise.model.status import Environment, Status
from fieldwise.store.sqlite import SqliteStore

pytestmark = pytest.mark.kill

DAYS = "2026-11-15..2026-11-18"
NODE_INSTANCES = 4 * 5
KILLS, SEEDS = 50, 5
LOSSES = 3  # a node whose run is lost more often has failed: so many kills on one home
TABLES = ("fct_order", "agg_region", "total")
# A server that is up at 23:00 generates the next day beside them: only the days that were asked for count.
LAST_DAY = to_day(date(2026, 11, 18))
GENERATED = f"SELECT count(*) FROM node_instance n JOIN instance i ON i.id = n.instance WHERE i.data_day <= {LAST_DAY}"
SUCCEEDED = f"{GENERATED} AND n.status = {int(Status.SUCCEEDED)}"
PROGRESS = """SELECT (SELECT max(epoch) FROM lease) + (SELECT count(*) FROM node_instance)
  + (SELECT count(*) FROM run) + (SELECT count(*) FROM run WHERE outcome <> 0)"""
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


def tables(home: Path) -> list[str]:
    sql = " UNION ALL ".join(f"SELECT to_json(t)::VARCHAR AS row FROM shop.{name} AS t" for name in TABLES)
    return sorted(json.dumps(row) for row in finish(["sql", sql, "--home", home, "--json"]))


def number(home: Path, query: str) -> int:
    """What the store of a home answers; 0 while there is none yet. Only reads, beside the process that writes."""
    try:
        with closing(sqlite3.connect(f"file:{home / 'state.db'}?mode=ro", uri=True)) as store:
            return int(store.execute(query).fetchone()[0] or 0)
    except sqlite3.OperationalError:
        return 0


def progress(home: Path) -> int:
    """Grows with every step of the work: a process took the home, nodes generated, runs started and ended."""
    return number(home, PROGRESS)


def done(home: Path) -> bool:
    return number(home, SUCCEEDED) == NODE_INSTANCES


def kill_when(process: subprocess.Popen[str], home: Path, steps: int, seconds: float) -> bool:
    """Kill it when the work has come to so many steps, or at a moment that has nothing to do with steps. False if
    there was nothing left to do. Only the process itself: its engine must notice by itself."""
    moment = time.monotonic() + seconds
    while process.poll() is None and not done(home) and progress(home) < steps and time.monotonic() < moment:
        time.sleep(0.001)
    killed = process.poll() is None and not done(home)
    process.kill()
    process.communicate()
    return killed


def check_store(home: Path) -> None:
    """Nothing lost, nothing doubled: every node instance Succeeded by exactly one succeeded run."""
    store = SqliteStore(home / "state.db")
    firings = [firing for firing in store.window(Environment.PROD) if firing.data_day <= LAST_DAY]
    assert len(firings) == NODE_INSTANCES, Counter(firing.node for firing in firings)
    assert {firing.state.status for firing in firings} == {Status.SUCCEEDED}
    for instance in {firing.instance for firing in firings}:
        succeeded = Counter(
            run["node_instance"] for run in store.runs(instance) if run["outcome"] == "succeeded"
        )
        assert set(succeeded.values()) == {1}
        assert not [run for run in store.runs(instance) if run["outcome"] == "running"]
    store.close()


def disturb(folder: Path, home: Path, kills: int, chance: random.Random) -> Counter[str]:
    """Kill a run and then servers on the home until the days are done; returns how many of each."""
    killed: Counter[str] = Counter()
    while killed.total() < kills and not done(home):
        serve = number(home, GENERATED) == NODE_INSTANCES  # what a server works on
        words = ["serve", "--home", home, "--port", 0]
        process = start(words if serve else ["run", folder, "--data", DAYS, "--home", home])
        # The first step of a server is to take the home: it is killed while it recovers.
        more = 1 if chance.random() < 0.2 else chance.randint(2, 10)
        early = serve and chance.random() < 0.2
        steps = (progress(home) if serve else NODE_INSTANCES) + more
        killed["serve" if serve else "run"] += kill_when(
            process, home, steps, chance.uniform(0.0, 1.5) if early else 60
        )
    return killed


def check_home(folder: Path, home: Path, expected: list[str]) -> None:
    finish(["run", folder, "--data", DAYS, "--home", home, "--json"])
    check_store(home)
    assert tables(home) == expected


def kill_and_compare(tmp_path: Path, kills: int, seed: int) -> Counter[str]:
    """A home whose work ended before all kills had fallen is compared, and the next one is fresh."""
    folder, chance = project(tmp_path), random.Random(seed)
    quiet = tmp_path / "quiet"
    finish(["run", folder, "--data", DAYS, "--home", quiet, "--json"])
    expected = tables(quiet)
    killed: Counter[str] = Counter()
    early = kill_when(
        start(["run", folder, "--data", DAYS, "--home", tmp_path / "rough0"]),
        tmp_path / "rough0",
        NODE_INSTANCES,
        chance.uniform(0.0, 0.8),
    )
    killed["run"] += early
    homes = 0
    while killed.total() < kills:
        home = tmp_path / f"rough{homes}"
        homes += 1
        killed += disturb(folder, home, min(LOSSES, kills - killed.total()), chance)
        check_home(folder, home, expected)
    again = finish(["run", folder, "--data", DAYS, "--home", home, "--json"])
    assert again["node_instances"] == 0
    return killed


@pytest.mark.parametrize("seed", range(SEEDS))
def test_killed_processes_end_like_an_undisturbed_run(tmp_path: Path, seed: int) -> None:
    killed = kill_and_compare(tmp_path, KILLS // SEEDS, seed)
    assert killed.total() == KILLS // SEEDS
    assert killed["serve"] > killed["run"]


@pytest.mark.prove
def test_many_kills(tmp_path: Path, seeds: range) -> None:
    for seed in seeds:
        kill_and_compare(tmp_path / str(seed), kills=10, seed=seed)
