"""One table with two nodes behind two upstream tables, in any statuses; plans made and applied as the Operator does."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "fleet"))

import numpy as np
from warehouse import Birth, World, need, node, publication, simple, table

from fieldwise.fleet.values import DAY, Decision, Operate
from fieldwise.model.definition import ResourceGroup
from fieldwise.model.event import OperationRecord
from fieldwise.model.operation import OperationOptions, OperationRequest, Verb
from fieldwise.model.status import Mark, Priority, Status
from fieldwise.operations.plan import OperationPlan, make_plan
from fieldwise.operations.scene import Scene
from fieldwise.usecases.operate import _order

DUE = 101 * DAY  # scheduled time of the instances: midnight after their data day
EARLY = DUE - 1
SCOPES: dict[str, tuple[str, ...] | None] = {"whole": None, "field": ("f_n1",), "key": ("id",)}
UPS = (need("up1"), need("up2"))
TABLES = (simple("up1"), simple("up2"), table("t", node("t", "n1", *UPS), node("t", "n2", *UPS)))
PUBLICATION = publication(*TABLES, groups=(ResourceGroup("other", 100),))
UP1, T = 1, 3  # ids of the instances
N1, N2 = 3, 4  # ids of the nodes of t


def world(first: Status, second: Status, paused: bool = False, upstream: Status = Status.SUCCEEDED) -> World:
    """Nothing has been decided yet; `paused`: node n1."""
    birth = Birth()
    firings = birth.instance(TABLES[0], 100, status=upstream)
    firings += birth.instance(TABLES[1], 100, status=upstream)
    for i, firing in enumerate(birth.instance(TABLES[2], 100)):
        status = (first, second)[i]
        ran = status >= Status.RUNNING
        state = firing.state._replace(
            status=status,
            marks=int(Mark.PAUSED) if paused and i == 0 else 0,
            run=int(ran),
            attempt=50 + i if ran else 0,
            started_at=EARLY - 10 if ran else None,
            ended_at=EARLY - 5 if status > Status.RUNNING else None,
        )
        firings.append(firing._replace(state=state))
    made = World([PUBLICATION], firings, now=EARLY)
    made.fleet.next_attempt = 100
    return made


def request(verb: Verb, scope: str = "whole") -> OperationRequest:
    options = {
        Verb.SET_PRIORITY: OperationOptions(priority=Priority.HIGHEST),
        Verb.SET_RESOURCE_GROUP: OperationOptions(resource_group="other"),
        Verb.REMOVE_UPSTREAM: OperationOptions(upstream=(UP1,)),
        Verb.RESTORE_UPSTREAM: OperationOptions(upstream=(UP1,)),
    }.get(verb, OperationOptions())
    return OperationRequest(verb, (T,), SCOPES[scope], options)


def planned(made: World, asked: OperationRequest) -> OperationPlan:
    return make_plan(Scene(made.fleet, made.now), asked)


def applied(made: World, plan: OperationPlan, number: int = 1) -> Decision:
    order = _order(made.fleet, plan, number)
    record = OperationRecord(
        number, made.now, "local", "cli", order.verb, "", "applying", len(plan.steps), "prod", "{}", "", (T,)
    )
    return made.take(Operate(order, record))


@dataclass(frozen=True)
class Seen:
    """Everything an operation may change on a node instance."""

    status: Status
    marks: Mark
    run: int
    priority: int
    group: int
    upstream: int


def seen(made: World, number: int) -> Seen:
    window = made.fleet.window
    row = window.row(number)
    assert row is not None
    return Seen(
        Status(int(window.status[row])),
        Mark(int(window.marks[row])),
        int(window.run[row]),
        int(window.priority[row]),
        int(window.group[row]),
        len(window.upstream.of(np.array([row]))),
    )
