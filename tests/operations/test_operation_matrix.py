"""Verb x status of each of two nodes x scope x paused, against the table of spec 4, "Eligibility", written plainly."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import pytest
from stage import DUE, EARLY, N1, N2, SCOPES, Seen, applied, planned, request, seen, world
from warehouse import World, report

from fieldwise.model.operation import Verb
from fieldwise.model.status import Mark, Priority, RunOutcome, Status

N, WT, T, WR, R, S, F = Status
WAITS = (WT, T, WR)
BUSY = (WT, T, WR, R)
VERBS = [
    Verb.RERUN,
    Verb.RERUN_DOWNSTREAM,
    Verb.FORCE_RERUN,
    Verb.FORCE_RERUN_DOWNSTREAM,
    Verb.SET_SUCCESS,
    Verb.STOP,
    Verb.PAUSE,
    Verb.RESUME,
    Verb.SET_PRIORITY,
    Verb.SET_RESOURCE_GROUP,
    Verb.REMOVE_UPSTREAM,
    Verb.RESTORE_UPSTREAM,
]
FORCES = (Verb.FORCE_RERUN, Verb.FORCE_RERUN_DOWNSTREAM)
RERUNS = (Verb.RERUN, Verb.RERUN_DOWNSTREAM)


class Case(NamedTuple):
    verb: Verb
    statuses: dict[int, Status]
    scope: str
    paused: bool  # n1

    def world(self) -> World:
        return world(self.statuses[N1], self.statuses[N2], self.paused)


class Expected(NamedTuple):
    steps: set[int]
    codes: set[str]  # of what is skipped


def cases(verb: Verb) -> list[Case]:
    return [
        Case(verb, {N1: first, N2: second}, scope, paused)
        for first, second, scope, paused in product(Status, Status, SCOPES, (False, True))
        if not paused or first in (N, WT)
    ]


def folded(statuses: list[Status]) -> str:
    """Status of a field, spec 3: succeeded once, running, waiting, all failed, not running."""
    if S in statuses:
        return "S"
    if R in statuses:
        return "R"
    if any(s in WAITS for s in statuses):
        return "W"
    return "F" if set(statuses) == {F} else "N"


def expected(case: Case) -> Expected:
    both = {N1, N2}
    asked = {"whole": [{N1}, {N2}], "field": [{N1}], "key": [both]}[case.scope]
    if case.verb is Verb.RESTORE_UPSTREAM:
        return Expected(set(), {"not_removed"})
    if case.verb is Verb.REMOVE_UPSTREAM:
        return Expected(set().union(*asked), set())
    if case.verb in (Verb.STOP, Verb.PAUSE, Verb.RESUME, Verb.SET_PRIORITY, Verb.SET_RESOURCE_GROUP):
        return by_node(case, set().union(*asked))
    fits = (
        {"S", "F"} if case.verb in RERUNS else {"N", "F"} if case.verb is Verb.SET_SUCCESS else set("NWRSF")
    )
    if case.verb is Verb.RERUN_DOWNSTREAM and any(s in BUSY for s in case.statuses.values()):
        return Expected(set(), {"status"})
    taken = [nodes for nodes in asked if folded([case.statuses[n] for n in nodes]) in fits]
    codes = {"status"} if len(taken) < len(asked) else set()
    steps: set[int] = set().union(*taken)
    if case.verb is Verb.RERUN and any(case.statuses[n] in BUSY for n in steps):
        return Expected(set(), codes | {"required_busy"})
    return Expected(steps, codes)


def by_node(case: Case, asked: set[int]) -> Expected:
    allowed = {Verb.STOP: BUSY, Verb.PAUSE: (N, WT, T), Verb.SET_RESOURCE_GROUP: (N, WT, T, WR, S, F)}
    steps, codes = set(), set()
    for number in asked:
        held = case.paused and number == N1
        if case.statuses[number] not in allowed.get(case.verb, tuple(Status)):
            codes.add("status")
        elif case.verb is Verb.PAUSE and held:
            codes.add("paused_already")
        elif case.verb is Verb.RESUME and not held:
            codes.add("not_paused")
        else:
            steps.add(number)
            if case.verb is Verb.PAUSE and case.scope == "key":
                codes.add("also_held")  # the fields that wait with the key are named
    return Expected(steps, codes)


def check_plan(case: Case) -> None:
    made = case.world()
    plan = planned(made, request(case.verb, case.scope))
    wanted = expected(case)
    assert {step.node_instance for step in plan.steps} == wanted.steps, case
    assert {one.code for one in plan.skipped} == wanted.codes, case
    assert bool(plan.refused) == (not wanted.steps), case
    assert all(one.message for one in plan.skipped)
    if wanted.steps:
        check_effect(case, made, wanted.steps)


def check_effect(case: Case, made: World, steps: set[int]) -> None:
    before = {number: seen(made, number) for number in (N1, N2)}
    other = made.fleet.catalog.group("p", "other")
    plan = planned(made, request(case.verb, case.scope))
    applied(made, plan)
    stopping = [n for n in sorted(steps) if case.statuses[n] is R and case.verb in (*FORCES, Verb.STOP)]
    assert {i.attempt for i in made.decision.interrupts} == {50 + (n == N2) for n in stopping}, case
    for number in stopping:
        now = seen(made, number)
        assert (now.status, bool(now.marks & Mark.STOPPING)) == (R, True), "first it must stop"
        assert now.run == 1
    for number in stopping:
        made.take(report([50 + (number == N2)], RunOutcome.STOPPED, at=made.now))
    for number in (N1, N2):
        now = seen(made, number)
        if number in steps:
            check_node(case, number, before[number], now, other)
        else:
            moved = N in (before[number].status,) and now.status is WT
            assert now == before[number] or moved, (case, "untouched")
    assert not made.decision.refused, case
    assert not made.fleet.orders.open(), (case, "the order is done")
    if case.verb in RERUNS:
        made.take(now=DUE)
        free = {n for n in steps if not (case.paused and n == N1)}
        assert all(seen(made, n).status is R for n in free), (
            case,
            "it starts by itself when its time comes",
        )


def check_node(case: Case, number: int, before: Seen, now: Seen, other: int) -> None:
    status, paused = case.statuses[number], case.paused and number == N1
    settled = WT if status is N else status  # upstream is done, the time has not come
    match case.verb:
        case Verb.RERUN | Verb.RERUN_DOWNSTREAM:
            assert (now.status, now.run) == (WT, before.run), case
        case Verb.FORCE_RERUN | Verb.FORCE_RERUN_DOWNSTREAM:
            assert now.status is (WT if paused else R), case
            assert now.run == before.run + (not paused), case
            assert Mark.FORCED in now.marks
            assert Mark.STOPPED not in now.marks
        case Verb.SET_SUCCESS:
            assert (now.status, now.marks, now.run) == (S, Mark.FORCED_SUCCESS, before.run), case
        case Verb.STOP:
            assert (now.status, now.marks, now.run) == (F, Mark.STOPPED, before.run), case
        case Verb.PAUSE:
            assert (now.status, now.marks) == (WT, Mark.PAUSED), case
        case Verb.RESUME:
            assert (now.status, now.marks) == (settled, Mark.NONE), case
        case Verb.SET_PRIORITY:
            assert (now.status, now.priority) == (settled, Priority.HIGHEST), case
        case Verb.SET_RESOURCE_GROUP:
            assert (now.status, now.group) == (settled, other), case
        case Verb.REMOVE_UPSTREAM:
            assert (now.status, now.upstream) == (settled, before.upstream - 1), case


@pytest.mark.parametrize("verb", VERBS)
def test_matrix(verb: Verb):
    for case in cases(verb):
        check_plan(case)


def test_a_rerun_behind_an_upstream_that_is_not_succeeded_stays_not_running():
    made = world(S, F, upstream=F)
    applied(made, planned(made, request(Verb.RERUN)))
    assert {seen(made, n).status for n in (N1, N2)} == {N}
    made.take(now=DUE)
    assert {seen(made, n).status for n in (N1, N2)} == {N}


def test_a_force_rerun_asks_neither_upstream_nor_time():
    made = world(N, F, upstream=F)
    assert made.now == EARLY
    applied(made, planned(made, request(Verb.FORCE_RERUN)))
    assert {seen(made, n).status for n in (N1, N2)} == {R}


def test_a_stop_that_comes_too_late_leaves_succeeded():
    made = world(R, N)
    applied(made, planned(made, request(Verb.STOP, "field")))
    made.take(report([50], RunOutcome.SUCCEEDED, at=made.now))
    assert seen(made, N1).status is S
    assert Mark.STOPPING not in seen(made, N1).marks
