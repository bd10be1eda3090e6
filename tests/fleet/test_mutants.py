"""Each of these broken fleets is caught by the comparison with the reference: else the comparison proves nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from test_reference import Pair

from fieldwise.fleet import queue
from fieldwise.fleet.decide import Fleet
from fieldwise.fleet.queue import Queue
from fieldwise.fleet.timers import Timers
from fieldwise.fleet.window import NONE
from fieldwise.model.event import Event

Patch = Callable[[pytest.MonkeyPatch], None]
original_set, original_add, original_start = Fleet._set, Timers.add, Queue.start


def upstream_forgotten(
    self: Fleet, event: Event, rows: np.ndarray, operation: int = 0, detail: str = ""
) -> None:
    blocking = self.window.blocking.copy()
    original_set(self, event, rows, operation, detail)
    if event is Event.RERUN:
        self.window.blocking[:] = blocking


def failure_is_final(self: Fleet, rows: np.ndarray, *_: object) -> None:
    self._final(Event.FAILED, rows, "")


def no_pause(self: Fleet, row: int, pause: int) -> None:
    self.window.next_at[row] = NONE


class Stubborn:
    """Leaves no queue; a decision that then never ends is caught too."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, _rows: object) -> None:
        self.calls += 1
        assert self.calls < 100_000, "this decision does not end"


MUTANTS: dict[str, Patch] = {
    "a throttling rule is not asked": lambda p: p.setattr(Queue, "full_rule", lambda *_: None),
    "slots are not counted": lambda p: p.setattr(
        Queue, "start", lambda s, rows, g: original_start(s, rows, g) and 0
    ),
    "a slot is released twice": lambda p: p.setattr(
        Queue, "release", lambda s, g, cost: (s.used.__setitem__(g, s.used[g] - 2 * cost), s.dirty.add(g))[1]
    ),
    "a slot is never released": lambda p: p.setattr(Queue, "release", lambda *_: None),
    "nothing ages": lambda p: p.setattr(queue, "aged", lambda priority, _waited: priority),
    "a busy target is not seen": lambda p: (
        p.setattr(Fleet, "_busy", lambda *_: False),
        p.setattr(Fleet, "_without_busy", lambda _self, rows: rows),
    )[0],
    "retries do not wait": lambda p: p.setattr(Fleet, "_wait", no_pause),
    "retries are lost": lambda p: p.setattr(Fleet, "_failed", failure_is_final),
    "losses are final": lambda p: p.setattr(Fleet, "_lost", failure_is_final),
    "an upstream that leaves Succeeded is not noticed": lambda p: p.setattr(
        Fleet, "_set", upstream_forgotten
    ),
    "a timer is a minute late": lambda p: p.setattr(
        Timers, "add", lambda s, due, rows: original_add(s, due + 60_000_000, rows)
    ),
    "everything is fused": lambda p: p.setattr(Queue, "fits", lambda *_: True),
    "nothing is fused": lambda p: p.setattr(Queue, "riders", lambda *_: []),
    "a changed priority does not re-sort": lambda p: p.setattr(Queue, "resort", lambda *_: None),
    "held rows keep their place": lambda p: p.setattr(Queue, "leave", Stubborn()),
}


@settings(
    max_examples=1500,
    deadline=None,
    database=None,
    derandomize=True,
    report_multiple_bugs=False,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(st.data())
def compare(data: st.DataObject) -> None:
    pair = Pair(data.draw)
    for _ in range(data.draw(st.integers(1, 20))):
        pair.step()


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name: str, monkeypatch: pytest.MonkeyPatch):
    MUTANTS[name](monkeypatch)
    with pytest.raises((AssertionError, KeyError, IndexError)):
        compare()
