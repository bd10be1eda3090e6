"""What became of an attempt without success: the ledger knows, and no engine means no answer."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

from fieldwise.leader.doubts import RETRY, Doubts
from fieldwise.model.attempt import Report, Target
from fieldwise.model.errors import EngineUnavailable
from fieldwise.model.status import RunOutcome
from fieldwise.simulation.engine import SimulatedEngine, Warehouse
from fieldwise.simulation.faults import Faults

NOW = datetime(2026, 11, 20, tzinfo=UTC)
ONE, TWO = Target("prod", "p.t", "p.t/1", "2026-11-18"), Target("prod", "p.t", "p.t/2", "2026-11-18")


class Unreachable(SimulatedEngine):
    down = True

    def _reach(self) -> None:
        if self.down:
            raise EngineUnavailable("down")


def doubts(warehouse: Warehouse) -> Doubts:
    settled = Doubts(SimulatedEngine(warehouse, Faults(Random(0), storm=False)))
    settled.hand_out({1: ONE, 2: TWO})
    return settled


def test_a_lost_attempt_that_published_has_succeeded() -> None:
    warehouse = Warehouse()
    warehouse.publish({ONE: 1, TWO: 2})
    (report,) = doubts(warehouse).settle([Report((1, 2), RunOutcome.LOST, NOW)], 0)
    assert (report.outcome, report.attempts) == (RunOutcome.SUCCEEDED, (1, 2))


def test_an_attempt_that_did_not_publish_never_will() -> None:
    warehouse = Warehouse()
    (report,) = doubts(warehouse).settle([Report((1, 2), RunOutcome.STOPPED, NOW)], 0)
    assert report.outcome is RunOutcome.STOPPED
    assert not warehouse.publish({ONE: 1, TWO: 2})
    assert warehouse.publish({ONE: 3, TWO: 4})


def test_without_an_engine_nothing_is_settled() -> None:
    engine = Unreachable(Warehouse(), Faults(Random(0), storm=False))
    waiting = Doubts(engine)
    waiting.hand_out({1: ONE})
    assert waiting.settle([Report((1,), RunOutcome.LOST, NOW)], 5) == []
    assert waiting.next_time == 5 + RETRY
    engine.down = False
    assert waiting.settle([], 6)[0].outcome is RunOutcome.LOST
    assert waiting.next_time is None


def test_a_success_is_believed_without_asking() -> None:
    engine = Unreachable(Warehouse(), Faults(Random(0), storm=False))
    believed = Doubts(engine)
    believed.hand_out({1: ONE})
    assert believed.settle([Report((1,), RunOutcome.SUCCEEDED, NOW)], 0)
    assert believed.open == 0
