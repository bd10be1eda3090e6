"""Small warehouses for the tests of the fleet: publications and firings without a compiler or a store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from fieldwise.fleet.decide import Fleet
from fieldwise.fleet.values import DAY, Decision, Facts, Input, Options
from fieldwise.model.attempt import MemberResult, Report
from fieldwise.model.definition import ProjectDefinition, ResourceGroup, TaskDefinition, ThrottlingRule
from fieldwise.model.event import Firing, NodeState, from_micros
from fieldwise.model.plan import CompiledTask, Dependency, Field, Node, Publication
from fieldwise.model.schedule import Period, Policy, Rerun, Retries, Schedule, Window
from fieldwise.model.status import InstanceType, Mark, Priority, RunOutcome, Status, TaskKind

PROJECT = "p"
AT = datetime(2026, 1, 1, tzinfo=UTC)


def need(
    task: str,
    window: Window = Window.CURRENT,
    n: int | None = None,
    policy: Policy = Policy.ALL,
    nodes: tuple[str, ...] = ("n1",),
    fields: tuple[str, ...] = (),
) -> Dependency:
    return Dependency(
        f"{PROJECT}.{task}", fields, tuple(f"{PROJECT}.{task}/{n}" for n in nodes), window, n, policy
    )


def node(
    task: str,
    label: str,
    *upstream: Dependency,
    group: str = "default",
    cost: int = 1,
    priority: Priority = Priority.MEDIUM,
    waits_for: tuple[str, ...] = (),
    fields: tuple[str, ...] | None = None,
) -> Node:
    return Node(
        f"{PROJECT}.{task}/{label}",
        label,
        label == "n1",
        fields if fields is not None else (f"f_{label}",),
        upstream=upstream,
        resource_group=group,
        cost=cost,
        priority=priority,
        waits_for=waits_for,
    )


def table(
    name: str,
    *nodes: Node,
    period: Period = Period.DAY,
    retries: Retries | None = None,
    timeout: float = 48 * 3600.0,
    rerun: Rerun = Rerun.ALWAYS,
    tags: tuple[str, ...] = (),
    on_rows_differ: str = "rerun",
) -> CompiledTask:
    definition = TaskDefinition(
        f"{PROJECT}.{name}",
        PROJECT,
        TaskKind.MODELING,
        f"{name}.sql",
        key=("id",),
        schedule=Schedule(period=period),
        retries=retries or Retries(times=0),
        timeout=timeout,
        rerun=rerun,
        tags=tags,
        on_rows_differ=on_rows_differ,
    )
    fields = (Field("id", key=True), *(Field(f) for n in nodes for f in n.fields))
    return CompiledTask(definition, nodes, fields, partition_type="TIMESTAMP" if period.below_day else "DATE")


def simple(name: str, *upstream: Dependency, **options: object) -> CompiledTask:
    return table(name, node(name, "n1", *upstream), **options)  # type: ignore[arg-type]


def publication(
    *tasks: CompiledTask,
    slots: int = 100,
    groups: tuple[ResourceGroup, ...] = (),
    rules: tuple[ThrottlingRule, ...] = (),
    version: int = 1,
) -> Publication:
    project = ProjectDefinition(
        PROJECT, ".", resource_groups=(ResourceGroup("default", slots), *groups), throttling=rules
    )
    return Publication(project, tasks, version=version)


@dataclass
class Birth:
    """Gives ids in order, like the store."""

    node_ids: Iterable[int] = field(default_factory=lambda: count(1))
    instance_ids: Iterable[int] = field(default_factory=lambda: count(1))

    def instance(
        self,
        task: CompiledTask,
        day: int,
        *,
        at: int | None = None,
        slot_start: int | None = None,
        ordinal: int = 0,
        flow: int = 0,
        kind: InstanceType = InstanceType.RECURRING,
        version: int = 1,
        status: Status = Status.NOT_RUNNING,
        marks: Mark = Mark.NONE,
    ) -> list[Firing]:
        """Firings of one instance; a day-task's scheduled time is midnight UTC after its data day."""
        scheduled = (day + 1) * DAY if at is None else at
        start = scheduled - DAY if slot_start is None else slot_start
        number = next(iter(self.instance_ids))
        return [
            Firing(
                NodeState(next(iter(self.node_ids)), status, int(marks), 0, 0, 0, 0, None, None, None),
                number,
                n.id,
                task.name,
                kind,
                flow,
                scheduled,
                start,
                day,
                ordinal,
                version,
                None,
            )
            for n in task.nodes
        ]

    def days(self, tasks: Sequence[CompiledTask], days: Iterable[int]) -> list[Firing]:
        return [firing for day in days for task in tasks for firing in self.instance(task, day)]


def report(
    decision_attempts: Sequence[int],
    outcome: RunOutcome = RunOutcome.SUCCEEDED,
    code: str = "",
    members: tuple[MemberResult, ...] = (),
    at: int = 0,
) -> Report:
    return Report(tuple(decision_attempts), outcome, from_micros(at), code=code, members=members)


class World:
    """A fleet with its log: folds every batch and checks what must always hold."""

    def __init__(
        self,
        publications: Sequence[Publication],
        firings: Sequence[Firing],
        facts: Facts | None = None,
        options: Options | None = None,
        now: int = 10_000 * DAY,
    ) -> None:
        self.now = now
        self.fleet = Fleet(publications, firings, facts, 1, options)
        self.log: dict[int, tuple[int, int]] = {f.state.id: (f.state.status, f.state.marks) for f in firings}
        self.decision = Decision(None)  # type: ignore[arg-type]

    def take(self, *inputs: Input, now: int | None = None) -> Decision:
        self.now = self.now if now is None else now
        self.decision = self.fleet.take(inputs, self.now)
        self.check()
        return self.decision

    def check(self) -> None:
        for move in self.decision.batch.transitions:
            known = self.log.get(move.node_instance, (0, 0))
            assert known[0] == move.before
            self.log[move.node_instance] = (move.after, move.marks)
        for state in self.decision.batch.nodes:
            assert self.log[state.id] == (state.status, state.marks), "folding the log gives the state"

    def status(self, number: int) -> Status:
        row = self.fleet.window.row(number)
        assert row is not None
        return Status(int(self.fleet.window.status[row]))

    def statuses(self) -> list[Status]:
        return [Status(s) for s in self.fleet.window.status.tolist()]

    def started(self) -> list[list[int]]:
        return [[m.node_instance for m in start.members] for start in self.decision.starts]

    def finish(self, outcome: RunOutcome = RunOutcome.SUCCEEDED) -> Decision:
        """Report every attempt set that the last decision started."""
        reports = [report([m.attempt for m in s.members], outcome, at=self.now) for s in self.decision.starts]
        return self.take(*reports)
