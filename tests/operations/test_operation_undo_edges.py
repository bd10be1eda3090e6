"""Undo of removed dependencies gives every node instance exactly what was taken from it."""

from __future__ import annotations

import json

import numpy as np
from stage import PUBLICATION, TABLES
from warehouse import Birth, World

from fieldwise.fleet.values import DAY, Operate
from fieldwise.model.access import LOCAL
from fieldwise.model.operation import OperationOptions, OperationRequest, Verb
from fieldwise.operations.plan import OperationPlan, make_plan
from fieldwise.operations.scene import Scene
from fieldwise.operations.undo import PastStep, plan_undo
from fieldwise.usecases.operate import _order, _record

UP1, T = 1, 3  # on the first day; three instances a day


def upstream(made: World) -> list[list[int]]:
    window = made.fleet.window
    rows = range(len(window.id))
    return [
        sorted(window.instance_id[window.instance[window.upstream.of(np.array([r]))]].tolist()) for r in rows
    ]


def apply(made: World, plan: OperationPlan, number: int) -> list[PastStep]:
    order = _order(made.fleet, plan, number)
    record = _record(made.fleet, plan, order, "", LOCAL, "", "", 0, made.now)
    made.take(Operate(order, record))
    steps = json.loads(record.document)["steps"]
    return [PastStep(s["node_instance"], s["before"], s["was"], s["run"]) for s in steps]


def remove(
    made: World, instances: tuple[int, ...], fields: tuple[str, ...] | None, *ups: int
) -> list[PastStep]:
    asked = OperationRequest(Verb.REMOVE_UPSTREAM, instances, fields, OperationOptions(upstream=ups))
    return apply(made, make_plan(Scene(made.fleet, made.now), asked), 1)


def undo(made: World, verb: Verb, steps: list[PastStep]) -> list[PastStep]:
    asked = OperationRequest(Verb.UNDO, (T,))
    return apply(made, plan_undo(Scene(made.fleet, made.now), asked, verb, steps, {}), 2)


def fresh() -> World:
    return World([PUBLICATION], Birth().days(TABLES, (100, 101)), now=100 * DAY)


def test_instances_that_lost_different_upstreams_each_get_their_own_back():
    made = fresh()
    before = upstream(made)
    steps = remove(made, (T, T + 3), None, UP1, UP1 + 3)
    assert sum(map(len, upstream(made))) == sum(map(len, before)) - 4
    undo(made, Verb.REMOVE_UPSTREAM, steps)
    assert upstream(made) == before
    assert not made.fleet.window.removed


def test_what_an_earlier_operation_removed_stays_removed():
    made = fresh()
    remove(made, (T,), ("f_n1",), UP1)
    before, removed = upstream(made), set(made.fleet.window.removed)
    steps = remove(made, (T,), None, UP1)
    undo(made, Verb.REMOVE_UPSTREAM, steps)
    assert upstream(made) == before
    assert made.fleet.window.removed == removed
