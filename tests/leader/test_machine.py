"""The leader's turn: nothing is done before the commit, a failed turn rebuilds, calls answer once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hand_made import shop

from fieldwise.fleet.values import Options, Stop
from fieldwise.leader.machine import Leader, NotLeading, Settings
from fieldwise.model.attempt import AttemptRequest
from fieldwise.model.errors import BadRequest, Deposed
from fieldwise.model.event import from_day, from_micros
from fieldwise.model.status import Environment, Status
from fieldwise.simulation.clock import DAY, HOUR, MINUTE, SECOND, VirtualClock
from fieldwise.simulation.engine import SimulatedEngine, Warehouse
from fieldwise.simulation.faults import Faults
from fieldwise.simulation.worker import SimulatedWorker
from fieldwise.store.sqlite import SqliteStore
from fieldwise.usecases.generate import generate_data_days
from fieldwise.usecases.publish import publish

NOW = 20_777 * DAY


class World:
    """The real store in memory, simulated workers, one day of the hand-made shop."""

    def __init__(self) -> None:
        self.clock = VirtualClock(NOW)
        self.store = SqliteStore(":memory:")
        faults = Faults(Random(0), storm=False)
        self.warehouse = Warehouse()
        self.engine = SimulatedEngine(self.warehouse, faults)
        self.started: list[AttemptRequest] = []
        self.worker = SimulatedWorker(self.clock, self.warehouse, faults, Random(0), self.started.append)
        epoch = self.store.lead("one", self.clock.now(), 60)
        assert epoch is not None
        published = publish(self.store, self.engine, epoch, shop(Path("shop")), self.clock.now()).publication
        day = from_day(20_775)
        generate_data_days(self.store, epoch, published, day, day, self.clock.now())
        self.leader = self.lead("one")

    def lead(self, holder: str) -> Leader:
        settings = Settings(holder, options=Options(fuse=False), lease=60, tolerate=3)
        return Leader(self.store, self.engine, self.worker, settings)

    def statuses(self) -> dict[str, Status]:
        return {f.node: Status(f.state.status) for f in self.store.window(Environment.PROD)}

    def run_until_idle(self) -> None:
        for _ in range(200):
            again = self.leader.turn(self.clock.micros)
            if self.leader.idle:
                return
            times = [at for at in (again, self.worker.next_time) if at is not None]
            self.clock.move_to(max(min(times), self.clock.micros + 1))
            self.worker.pass_time()
        raise AssertionError("never idle")


@pytest.fixture
def world() -> Iterator[World]:
    opened = World()
    yield opened
    opened.store.close()


def test_everything_runs_and_then_the_leader_is_idle(world: World) -> None:
    world.run_until_idle()
    assert set(world.statuses().values()) == {Status.SUCCEEDED}
    assert len(world.started) == 3


def test_nothing_is_handed_out_before_the_commit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*words: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(world.store, "commit", broken)
    for _ in range(3):
        assert world.leader.turn(world.clock.micros) == world.clock.micros + SECOND
    assert world.started == []
    with pytest.raises(OSError, match="disk full"):
        world.leader.turn(world.clock.micros)
    monkeypatch.undo()
    world.run_until_idle()
    assert set(world.statuses().values()) == {Status.SUCCEEDED}


def test_a_lost_commit_answer_does_not_start_anything_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = world.store.commit

    def unheard(*words: Any) -> None:
        monkeypatch.setattr(world.store, "commit", commit)
        commit(*words)
        raise OSError("connection lost")

    monkeypatch.setattr(world.store, "commit", unheard)
    world.run_until_idle()
    assert set(world.statuses().values()) == {Status.SUCCEEDED}
    attempts = [member.attempt for request in world.started for member in request.members]
    assert len(attempts) == len(set(attempts)) == 3


def test_another_leader_waits_for_the_lease_and_the_first_is_deposed(world: World) -> None:
    world.leader.turn(world.clock.micros)
    other = world.lead("two")
    with pytest.raises(NotLeading):
        other.turn(world.clock.micros)
    other.turn(world.clock.micros + 2 * MINUTE)
    with pytest.raises(Deposed):
        world.leader.turn(world.clock.micros + 2 * MINUTE)


def test_calls_answer_and_their_errors_reach_the_caller(world: World) -> None:
    def refuse(epoch: int, now: int) -> Any:
        raise BadRequest("no")

    answer = world.leader.inbox.call(lambda epoch, now: (now, []))
    refused = world.leader.inbox.call(refuse)
    cancelled = world.leader.inbox.call(lambda epoch, now: (1, []))
    cancelled.cancel()
    world.leader.turn(world.clock.micros)
    assert answer.result(0) == world.clock.micros
    with pytest.raises(BadRequest):
        refused.result(0)


def test_a_stopped_attempt_that_stays_silent_is_settled_by_the_fence(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.leader.turn(world.clock.micros)
    running = [f for f in world.store.window(Environment.PROD) if f.state.status == Status.RUNNING]
    monkeypatch.setattr(SimulatedWorker, "interrupt", lambda self, attempt, code: None)
    world.leader.inbox.send(Stop((running[0].state.id,)))
    again = world.leader.turn(world.clock.micros)
    assert again is not None
    world.leader.turn(world.clock.micros + 30 * SECOND)
    assert world.statuses()[running[0].node] is Status.FAILED
    world.clock.move_to(world.clock.micros + HOUR)
    world.worker.pass_time()  # the silent one ends now, too late
    assert world.warehouse.ledger.get(world.started[0].members[0].target) is None
    assert from_micros(world.clock.micros) > from_micros(NOW)
