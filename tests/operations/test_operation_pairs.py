"""Two operations on one instance, both planned before either was applied: the second is applied whole or not at all."""

from __future__ import annotations

from itertools import product

import pytest
from stage import N1, N2, Seen, T, applied, planned, request, seen, world
from test_operation_matrix import FORCES, RERUNS, VERBS, F, N, R, S
from warehouse import World, report

from fieldwise.model.operation import FORCED, Verb
from fieldwise.model.status import Mark, Priority, RunOutcome, Status
from fieldwise.operations.plan import difference


def settle(made: World) -> None:
    """Every attempt that was asked to stop has stopped."""
    window = made.fleet.window
    for attempt, number in made.fleet.running():
        if int(window.marks[window.row(number)]) & int(Mark.STOPPING):
            made.take(report([attempt], RunOutcome.STOPPED, at=made.now))


def happened(verb: Verb, before: Seen, now: Seen) -> bool:
    match verb:
        case _ if verb in FORCES:
            return Mark.FORCED in now.marks and (now.status is R or Mark.PAUSED in now.marks)
        case _ if verb in RERUNS:
            return now.status is not before.status or now.status is N
        case Verb.SET_SUCCESS:
            return now.status is S and Mark.FORCED_SUCCESS in now.marks
        case Verb.STOP:
            return now.status is F and Mark.STOPPED in now.marks
        case Verb.PAUSE:
            return Mark.PAUSED in now.marks
        case Verb.RESUME:
            return Mark.PAUSED not in now.marks
        case Verb.SET_PRIORITY:
            return now.priority == Priority.HIGHEST
        case Verb.SET_RESOURCE_GROUP:
            return now.group != 0
        case _:
            return now.upstream == 1


def disturbed(was: Status, now: Status, verb: Verb) -> bool:
    """The class of the status is another, and not because a run that is forced again has ended."""
    kinds = ["running" if s is R else "waiting" if s.waiting else "idle" for s in (was, now)]
    ended = was is R and now in (S, F) and verb in FORCED
    return kinds[0] != kinds[1] and not ended


def check_pair(first: Verb, second: Verb, stopped: bool) -> int:
    """How often the second was applied. `stopped`: what the first asked to stop has stopped before the second."""
    count = 0
    for one, other, scope, paused in product(Status, (R, S), ("whole", "field"), (False, True)):
        if paused and one not in (N, Status.WAITING_TIME):
            continue
        case = (first, second, one, other, scope, paused)
        made = world(one, other, paused)
        plan = planned(made, request(first))
        then = planned(made, request(second, scope))
        if plan.refused or then.refused:
            continue
        applied(made, plan)
        if stopped:
            settle(made)
        fresh = planned(made, request(second, scope))
        said = difference(then.basis, fresh.basis, second in FORCED)
        before = {number: seen(made, number) for number in (N1, N2)}
        touched = {step.node_instance: Status(step.before) for step in then.steps}
        if any(made.fleet.operated(made.fleet.window.row(number)) for number in touched):
            assert fresh.refused, (case, "another operation holds it")
        if any(disturbed(was, before[n].status, second) for n, was in touched.items()):
            assert said or fresh.refused, (case, "what it rests on is another")
        if said or fresh.refused:
            assert all(len(words.split()) > 2 for words in said or [fresh.refused]), case
            continue
        assert {s.node_instance for s in fresh.steps} == {s.node_instance for s in then.steps}, case
        assert [p.kind for p in fresh.phases] == [p.kind for p in then.phases], case
        applied(made, fresh, 2)
        assert not made.decision.refused, case
        settle(made)
        assert not made.fleet.orders.open(), case
        for step in fresh.steps:
            assert happened(second, before[step.node_instance], seen(made, step.node_instance)), case
        count += 1
    return count


@pytest.mark.parametrize("second", VERBS)
def test_the_second_is_applied_whole_or_refused_in_a_sentence(second: Verb):
    applied_ones = sum(check_pair(first, second, stopped) for first in VERBS for stopped in (False, True))
    if second not in (Verb.RESTORE_UPSTREAM,):
        assert applied_ones


def test_marks_do_not_disturb_each_other():
    assert check_pair(Verb.SET_PRIORITY, Verb.STOP, False)
    assert check_pair(Verb.SET_PRIORITY, Verb.RERUN, False)


def test_what_another_operation_holds_cannot_be_operated():
    made = world(R, S)
    applied(made, planned(made, request(Verb.FORCE_RERUN)))
    fresh = planned(made, request(Verb.SET_PRIORITY))
    assert {c.code for c in fresh.conflicts} == {"held"}
    assert "operation 1" in fresh.refused


@pytest.mark.parametrize("outcome", [RunOutcome.SUCCEEDED, RunOutcome.FAILED])
def test_a_force_is_applied_though_the_run_has_ended_by_itself(outcome: RunOutcome):
    made = world(R, S)
    plan = planned(made, request(Verb.FORCE_RERUN))
    rerun = planned(made, request(Verb.STOP, "field"))
    made.take(report([50], outcome, at=made.now))
    fresh = planned(made, request(Verb.FORCE_RERUN))
    assert difference(plan.basis, fresh.basis, True) == []
    again = planned(made, request(Verb.STOP, "field"))
    assert difference(rerun.basis, again.basis, False)
    applied(made, fresh)
    assert seen(made, N1).status is seen(made, N2).status is R
    assert fresh.steps[0].instance == T
