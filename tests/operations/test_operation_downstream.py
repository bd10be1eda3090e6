"""Rerun downstream and force rerun downstream over a chain: who is taken, what refuses, against plain rules."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
import stage  # noqa: F401  (finds the warehouse of the fleet's tests)
from warehouse import Birth, World, need, publication, simple

from fieldwise.fleet.values import DAY
from fieldwise.model.operation import OperationOptions, OperationRequest, Range, Verb
from fieldwise.model.plan import CompiledTask, How, LineageEdge
from fieldwise.model.status import Status
from fieldwise.operations.plan import OperationPlan, make_plan
from fieldwise.operations.scene import Scene

N, WT, T, WR, R, S, F = Status
FINAL = (S, F)


def link(name: str, up: str) -> CompiledTask:
    one = simple(name, need(up, fields=("f_n1",)))
    return replace(one, lineage=(LineageEdge("f_n1", f"p.{up}", "f_n1", How.VALUE),))


CHAIN = (simple("a"), link("b", "a"), link("c", "b"))


def planned(statuses: tuple[Status, ...], verb: Verb, wanted: Range | None) -> OperationPlan:
    birth = Birth()
    firings = []
    for one, status in zip(CHAIN, statuses, strict=True):
        (firing,) = birth.instance(one, 100, status=status)
        ran = status >= R
        state = firing.state._replace(run=int(ran), attempt=50 + firing.instance if ran else 0)
        firings.append(firing._replace(state=state))
    made = World([publication(*CHAIN)], firings, now=100 * DAY)
    asked = OperationRequest(verb, (1,), None, OperationOptions(range=wanted))
    return make_plan(Scene(made.fleet, made.now), asked)


@pytest.mark.parametrize("wanted", [None, Range.ALL_FINAL, Range.ALL_FAILED])
def test_rerun_downstream_takes_final_descendants_and_refuses_gaps(wanted: Range | None):
    for statuses in product(Status, repeat=3):
        a, b, c = statuses
        plan = planned(statuses, Verb.RERUN_DOWNSTREAM, wanted)
        taken = {step.node_instance for step in plan.steps}
        if a not in FINAL:
            assert not taken, statuses
            assert plan.refused
            continue
        fits = (F,) if wanted is Range.ALL_FAILED else FINAL
        below = {number for number, status in ((2, b), (3, c)) if status in fits}
        assert taken == {1} | below, statuses
        gap = 3 in below and 2 not in below and b is not S
        assert {one.code for one in plan.conflicts} == ({"gap_not_succeeded"} if gap else set()), statuses
        assert bool(plan.refused) == gap
        skipped = sum(status not in FINAL for status in (b, c))
        assert [one.code for one in plan.skipped] == ["status"] * skipped, statuses
        older = {n.object for n in plan.older}
        left = {
            f"p.{name}"
            for name, number in (("b", 2), ("c", 3))
            if number not in taken and statuses[number - 1] is S
        }
        assert older == left, statuses


def test_force_rerun_downstream_takes_everything_in_any_status():
    for statuses in product(Status, repeat=3):
        plan = planned(statuses, Verb.FORCE_RERUN_DOWNSTREAM, None)
        assert {step.node_instance for step in plan.steps} == {1, 2, 3}, statuses
        assert [phase.kind for phase in plan.phases] == ["rerun", "force"]
        assert plan.reason_required
        assert plan.impact.running_stopped == statuses.count(R)
        assert not plan.refused
