"""Whatever can be undone comes back exactly: status, marks, priority, group, dependencies."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from stage import N1, N2, SCOPES, T, planned, request, seen, world
from test_operation_undo_edges import apply, undo

from fieldwise.model.operation import OperationOptions, OperationRequest, Verb
from fieldwise.model.status import Mark, Status
from fieldwise.operations.scene import Scene
from fieldwise.operations.undo import UNDOABLE, NotUndoable, Overtaken, plan_undo

N, WT, THROTTLED, WR, R, S, F = Status
VERBS = sorted(UNDOABLE - {Verb.RESTORE_UPSTREAM})


def same(status: Status) -> Status:
    """Upstream is done: Not Running becomes Waiting for time by itself; a pause throws out of the queue."""
    return WT if status in (N, THROTTLED) else status


@pytest.mark.parametrize("verb", VERBS)
def test_undo_gives_back_what_was(verb: Verb):
    tried = 0
    for one, other, scope, paused in product(Status, (N, R, S, F), SCOPES, (False, True)):
        if paused and one not in (N, WT):
            continue
        made = world(one, other, paused)
        before = [seen(made, n) for n in (N1, N2)]
        plan = planned(made, request(verb, scope))
        if plan.refused:
            continue
        steps = apply(made, plan, 1)
        undo(made, verb, steps)
        now = [seen(made, n) for n in (N1, N2)]
        alike = [[replace(one, status=same(one.status)) for one in side] for side in (before, now)]
        assert alike[0] == alike[1], (verb, one, other, scope, paused)
        assert not made.decision.refused
        tried += 1
    assert tried


@pytest.mark.parametrize("verb", sorted(set(Verb) - UNDOABLE))
def test_the_others_cannot_be_undone(verb: Verb):
    made = world(S, F)
    with pytest.raises(NotUndoable):
        plan_undo(Scene(made.fleet, made.now), OperationRequest(Verb.UNDO, (T,)), verb, [], {})


def test_a_later_run_overtakes():
    made = world(F, F)
    steps = apply(made, planned(made, request(Verb.SET_PRIORITY)), 1)
    apply(made, planned(made, request(Verb.FORCE_RERUN)), 2)
    with pytest.raises(Overtaken):
        undo(made, Verb.SET_PRIORITY, steps)


@pytest.mark.parametrize("verb", [Verb.RESUME, Verb.SET_SUCCESS])
def test_a_pause_comes_back_with_its_end(verb: Verb):
    made = world(WT, S)
    until = made.now + 1000
    pause = OperationRequest(Verb.PAUSE, (T,), None, OperationOptions(until=until))
    apply(made, planned(made, pause), 1)
    made.fleet.window.status[made.fleet.window.row(N1)] = N if verb is Verb.SET_SUCCESS else WT
    made.log[N1] = (int(N if verb is Verb.SET_SUCCESS else WT), int(Mark.PAUSED))
    steps = apply(made, planned(made, request(verb)), 2)
    assert not seen(made, N1).marks & Mark.PAUSED
    undo(made, verb, steps)
    assert seen(made, N1).marks & Mark.PAUSED
    made.take(now=until)
    assert not seen(made, N1).marks & Mark.PAUSED
