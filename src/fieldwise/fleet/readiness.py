"""Decides which checks a node instance passes and what holds it: the run condition, in the order people
read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fieldwise.fleet.catalog import Array
from fieldwise.fleet.decide import Fleet
from fieldwise.fleet.values import Question
from fieldwise.fleet.window import READY
from fieldwise.model.event import from_day, from_micros
from fieldwise.model.status import Mark, Status

PASS, BLOCKED, SKIPPED, NOT_REACHED = "pass", "blocked", "skipped", "not_reached"
_ROOTS = 100


class Reason(NamedTuple):
    """`code`: stable word; `object`: what holds it, by name; `node_instance`: its id, 0 if it is none."""

    code: str
    object: str
    message: str
    node_instance: int = 0


class CheckResult(NamedTuple):
    check: str
    result: str
    reasons: tuple[Reason, ...] = ()


class Subject(NamedTuple):
    """The node instance looked at."""

    fleet: Fleet
    row: int
    now: int

    @property
    def marks(self) -> Mark:
        return Mark(int(self.fleet.window.marks[self.row]))

    @property
    def owner(self) -> int:
        return int(self.fleet.window.instance[self.row])


def name_of(fleet: Fleet, row: int) -> str:
    """`project.table/node` with its data timestamp."""
    window = fleet.window
    day = from_day(int(window.instances.day[window.instance[row]]))
    return f"{fleet.catalog.names[window.node[row]]} {day.isoformat()}"


def upstream(subject: Subject) -> list[Reason]:
    """Every upstream node instance Succeeded, every slot due generated, every source ready."""
    fleet, row = subject.fleet, subject.row
    window = fleet.window
    reasons = []
    for up in np.unique(window.upstream.of(np.array([row]))).tolist():
        status = Status(int(window.status[up]))
        if status is not Status.SUCCEEDED:
            name = name_of(fleet, up)
            words = status.word.replace("_", " ")
            reasons.append(Reason("upstream_not_succeeded", name, f"{name} is {words}", int(window.id[up])))
    missing = window.missing
    mine = missing.missing_row == row
    for task, day in sorted(
        set(zip(missing.missing_task[mine].tolist(), missing.missing_day[mine].tolist(), strict=True))
    ):
        name = f"{fleet.catalog.task_names[task]} {from_day(day).isoformat()}"
        reasons.append(Reason("not_generated", name, f"{name} is not generated yet"))
    return reasons + [
        Reason("source_not_ready", question.source, f"source {question.source} is not ready")
        for question in questions_of(fleet, row)
        if not window.flags[row] & READY
    ]


def questions_of(fleet: Fleet, row: int) -> list[Question]:
    """The `ready` queries a node instance waits for at its slot."""
    instances, owner = fleet.window.instances, int(fleet.window.instance[row])
    project = fleet.catalog.task_projects[int(instances.task[owner])]
    slot = (int(instances.scheduled_at[owner]), int(instances.slot_start[owner]), int(instances.day[owner]))
    sources = fleet.catalog.questions.get(int(fleet.window.node[row]), ())
    return [Question(project, source, *slot) for source in sources]


def time(subject: Subject) -> list[Reason]:
    """Scheduled time reached, pause between retries over."""
    window = subject.fleet.window
    scheduled = int(window.instances.scheduled_at[subject.owner])
    reasons = []
    if not subject.marks & Mark.FORCED and scheduled > subject.now:
        at = from_micros(scheduled).isoformat()
        reasons.append(Reason("time_not_reached", at, f"scheduled for {at}"))
    next_at = int(window.next_at[subject.row])
    if next_at > subject.now:
        at = from_micros(next_at).isoformat()
        reasons.append(Reason("between_retries", at, f"runs again at {at}"))
    return reasons


def pause(subject: Subject) -> list[Reason]:
    """Not paused, not held by an operation, target not busy."""
    fleet, row = subject.fleet, subject.row
    name = name_of(fleet, row)
    reasons = []
    if subject.marks & Mark.PAUSED:
        reasons.append(Reason("paused", name, f"{name} is paused"))
    operation = fleet.operated(row)
    if operation:
        reasons.append(Reason("held", name, f"{name} is held by operation {operation}"))
    elif subject.marks & Mark.HELD:
        reasons.append(Reason("held", name, f"{name} is held by an operation"))
    target = fleet.window.target[row]
    for _, other in fleet.running():
        at = fleet.window.row(other)
        if at is not None and at != row and fleet.window.target[at] == target:
            message = f"another run writes the same target: {name_of(fleet, at)}"
            reasons.append(Reason("target_busy", name_of(fleet, at), message, other))
    return reasons


def throttling(subject: Subject) -> list[Reason]:
    """Every matching throttling rule has room."""
    fleet = subject.fleet
    names = {number: name for name, (number, _) in fleet.catalog.rules.items()}
    reasons = []
    for rule in fleet.queue.rules(subject.row):
        running, limit = fleet.queue.rule_running[rule], fleet.catalog.rule_limits[rule]
        if running >= limit:
            message = f"throttling rule {names[rule]}: {running} of {limit} running"
            reasons.append(Reason("throttled", names[rule], message))
    return reasons


def slot(subject: Subject) -> list[Reason]:
    """A slot of its resource group is free, and nothing of higher order waits for it in the group."""
    fleet, row = subject.fleet, subject.row
    group = int(fleet.window.group[row])
    name = next(name for (_, name), number in fleet.catalog.groups.items() if number == group)
    free, cost = fleet.queue.free(group), fleet.queue.cost(row)
    if free < cost:
        used, slots = fleet.queue.used[group], fleet.catalog.group_slots[group]
        return [
            Reason("no_slot", name, f"resource group {name}: {used} of {slots} slots taken, {cost} needed")
        ]
    return []


CHECKS: tuple[tuple[str, Callable[[Subject], list[Reason]]], ...] = (
    ("upstream", upstream),
    ("time", time),
    ("pause", pause),
    ("throttling", throttling),
    ("slot", slot),
)
_DRY_RUN_SKIPS = ("throttling", "slot")


def skipped(subject: Subject, check: str) -> str | None:
    """Why a check does not count for this node instance."""
    if subject.marks & Mark.FORCED and check == "upstream":
        return "forced"
    if subject.fleet.options.ignore_time and check == "time":
        return "run"
    if subject.marks & Mark.DRY_RUN and check in _DRY_RUN_SKIPS:
        return "dry_run"
    return None


def explain(fleet: Fleet, node_instance: int, now: int) -> list[CheckResult]:
    """Every check in order; after the first that blocks the others are not reached. Empty for an unknown id.

    A node instance that runs or is final has passed them all.
    """
    row = fleet.window.row(node_instance)
    if row is None:
        return []
    subject = Subject(fleet, row, now)
    if fleet.window.status[row] >= Status.RUNNING:
        return [CheckResult(name, PASS) for name, _ in CHECKS]
    results: list[CheckResult] = []
    blocked = False
    for name, check in CHECKS:
        why = skipped(subject, name)
        if blocked:
            results.append(CheckResult(name, NOT_REACHED))
        elif why is not None:
            results.append(
                CheckResult(name, SKIPPED, (Reason(why, name, f"skipped by {why.replace('_', ' ')}"),))
            )
        else:
            reasons = check(subject)
            blocked = bool(reasons)
            results.append(CheckResult(name, BLOCKED if reasons else PASS, tuple(reasons)))
    return results


def root_blockers(fleet: Fleet, node_instance: int, now: int) -> list[Reason]:
    """The topmost node instances and things that hold a node instance: what an operator must look at, at
    most 100."""
    row = fleet.window.row(node_instance)
    if row is None:
        return []
    found: dict[tuple[str, str, int], Reason] = {}
    seen = {row}
    layer = np.array([row], dtype=np.int64)
    while len(layer) and len(found) < _ROOTS:
        nexts: list[Array] = []
        for one in layer.tolist():
            ahead = _waiting_upstream(fleet, one)
            nexts.append(ahead)
            if not len(ahead) and one != row:
                root = _root(fleet, one, now)
                found.setdefault((root.code, root.object, root.node_instance), root)
            for reason in _outside(fleet, one, now):
                found.setdefault((reason.code, reason.object, reason.node_instance), reason)
        layer = np.array(
            [r for r in np.unique(np.concatenate(nexts)).tolist() if r not in seen], dtype=np.int64
        )
        seen.update(layer.tolist())
    return list(found.values())[:_ROOTS]


def _waiting_upstream(fleet: Fleet, row: int) -> Array:
    """Upstream rows that have not succeeded; none for a row that is itself the cause: running, failed or
    forced."""
    window = fleet.window
    if window.status[row] >= Status.RUNNING or window.marks[row] & int(Mark.FORCED):
        return np.empty(0, dtype=np.int64)
    ahead = np.unique(window.upstream.of(np.array([row]))).astype(np.int64)
    answer: Array = ahead[window.status[ahead] != Status.SUCCEEDED]
    return answer


def _root(fleet: Fleet, row: int, now: int) -> Reason:
    window = fleet.window
    name, status = name_of(fleet, row), Status(int(window.status[row]))
    reasons = [
        r
        for result in explain(fleet, int(window.id[row]), now)
        if result.result == BLOCKED
        for r in result.reasons
    ]
    why = f": {reasons[0].message}" if reasons else ""
    return Reason(status.word, name, f"{name} is {status.word.replace('_', ' ')}{why}", int(window.id[row]))


def _outside(fleet: Fleet, row: int, now: int) -> list[Reason]:
    """What holds a row that is no other row: slots not generated, sources, a pause on the way."""
    if fleet.window.status[row] >= Status.RUNNING:
        return []
    subject = Subject(fleet, row, now)
    outside = [] if subject.marks & Mark.FORCED else [r for r in upstream(subject) if not r.node_instance]
    held = [r for r in pause(subject) if r.code in ("paused", "held")]
    return outside + held
