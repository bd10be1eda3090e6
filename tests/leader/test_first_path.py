"""The thinnest whole path with the real store, engine process and workers: publish, generate, run, and again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hand_made import shop

from fieldwise.fleet.values import Options
from fieldwise.leader.machine import Leader, Settings
from fieldwise.leader.shell import turn_until_idle
from fieldwise.store.sqlite import SqliteStore
from fieldwise.usecases.publish import publish
from fieldwise.usecases.run import RunResult, Scope, run
from fieldwise.workers.local import LocalWorkers

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = date(2026, 11, 18)


class Clock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return time.monotonic()


class Driver:
    def __init__(self, leader: Leader) -> None:
        self.leader = leader

    def turn_until_idle(self, clock: Clock, progress: object) -> None:
        turn_until_idle(self.leader, clock)

    def reasons(self, node_instance: int) -> list[dict[str, str]]:
        return []


class Home:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = SqliteStore(folder / "state.db")
        self.workers = LocalWorkers(folder)

    def run(self, second: str | None = None) -> RunResult:
        epoch = self.store.lead("test", NOW, 60)
        assert epoch is not None
        candidate = shop(self.folder) if second is None else shop(self.folder, second)
        active = publish(self.store, self.workers, epoch, candidate, NOW).publication

        def lead(scope: Scope) -> Driver:
            settings = Settings(
                "test", options=Options(ignore_time=True, fuse=False), scope=scope, tolerate=0
            )
            return Driver(Leader(self.store, self.workers, self.workers, settings))

        return run(self.store, epoch, [active], DAY, DAY, lead, Clock())


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    opened = Home(tmp_path)
    yield opened
    opened.workers.close()
    opened.store.close()


def test_one_day_runs_and_a_second_run_starts_nothing(home: Home) -> None:
    result = home.run()
    assert (result.instances, result.node_instances, result.succeeded, result.failed) == (2, 3, 3, 0), (
        result.failures
    )
    rows = home.workers.query("SELECT ds, id, amount, day FROM shop.orders ORDER BY id").rows
    assert rows == ((DAY, 1, 10, DAY), (DAY, 2, 20, DAY))
    assert home.workers.query("SELECT id, twice FROM shop.doubled ORDER BY id").rows == ((1, 20), (2, 40))
    again = home.run()
    assert again.document() | {"seconds": 0} == dict.fromkeys(again.document(), 0)
    assert again.ok


def test_what_fails_is_named_with_its_reason_and_the_rest_runs(home: Home) -> None:
    result = home.run("SELECT id, no_such_column AS twice FROM shop.orders WHERE ds = $data_date")
    assert (result.succeeded, result.failed, result.blocked) == (2, 1, 0)
    assert result.failures[0]["object"] == "shop.doubled"
    assert "no_such_column" in result.failures[0]["message"]
    assert not result.ok
