"""A published project in a store, and the few moves that tests of stores make with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from fieldwise.model.definition import ProjectDefinition, TaskDefinition
from fieldwise.model.event import (
    CommitBatch,
    Event,
    Firing,
    InstanceState,
    NewInstance,
    NewNodeInstance,
    NodeState,
    RunEnd,
    RunStart,
    Transition,
    to_micros,
)
from fieldwise.model.plan import CompiledTask, Field, Node, Publication
from fieldwise.model.schedule import Period, Schedule
from fieldwise.model.status import (
    Environment,
    FieldStatus,
    InstanceType,
    Priority,
    RunOutcome,
    Status,
    TableKind,
    TaskKind,
)
from fieldwise.store.sqlite import SqliteStore

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AT = to_micros(NOW)
DAY = 86_400_000_000
TODAY = AT // DAY
PROD = Environment.PROD


def task(
    name: str, nodes: int = 2, owner: str = "ada", priority: Priority = Priority.MEDIUM, **more: object
) -> CompiledTask:
    """A logical table with a key and one field per node."""
    definition = TaskDefinition(
        f"shop.{name}", "shop", TaskKind.MODELING, f"tables/{name}.sql", table_kind=TableKind.FACT, key=("id",),
        owner=owner, priority=priority, schedule=Schedule(Period.DAY), **more,  # type: ignore[arg-type]
    )  # fmt: skip
    made = tuple(Node(f"shop.{name}/n{n}", f"n{n + 1}", n == 0, (f"f{n}",)) for n in range(nodes))
    return CompiledTask(definition, made, (Field("id", key=True), *(Field(f"f{n}") for n in range(nodes))))


TASKS = (
    task("orders", 2),
    task("clicks", 1, owner="bob", priority=Priority.HIGH, tags=("web",)),
    task("users", 3, tags=("web", "core")),
)


def shop_of(
    tasks: Sequence[CompiledTask] = TASKS, name: str = "shop", environment: Environment = PROD
) -> Publication:
    return Publication(ProjectDefinition(name, "", timezone="Asia/Shanghai"), tuple(tasks), environment)


class Shop:
    """The store, the epoch under which this test leads, and what it has generated."""

    def __init__(self, store: SqliteStore, epoch: int, publication: Publication) -> None:
        self.store = store
        self.epoch = epoch
        self.publication = publication
        self.attempts = 0
        self.born: list[Firing] = []

    def generate(
        self, day: int = TODAY, slots: int = 1, flow: int = 0, until: datetime | None = None
    ) -> list[Firing]:
        """Every task's slots on the day after a data day, evenly apart."""
        instances: list[NewInstance] = []
        nodes: list[NewNodeInstance] = []
        for one in self.publication.tasks:
            for slot in range(slots):
                at = (day + 1) * DAY + slot * (DAY // slots)
                kind = InstanceType.RECURRING if flow == 0 else InstanceType.BACKFILL
                nodes += [
                    NewNodeInstance(len(instances), node.id, Status.NOT_RUNNING, 0) for node in one.nodes
                ]
                instances.append(
                    NewInstance(
                        one.name, kind, flow, at, at - DAY // slots, day, slot, self.publication.version
                    )
                )
        born = self.store.generate(self.epoch, PROD, "shop", instances, nodes, until, NOW)
        self.born += born.firings
        return born.firings

    def states(self) -> dict[int, NodeState]:
        return {firing.state.id: firing.state for firing in self.store.window(PROD)}

    def start(self, *numbers: int, at: int = AT) -> None:
        batch, known = CommitBatch(at), self.states()
        for number in numbers:
            self.attempts += 1
            before = known[number]
            state = before._replace(
                status=Status.RUNNING, run=before.run + 1, attempt=self.attempts, started_at=at, ended_at=None
            )
            batch.nodes.append(state)
            batch.transitions.append(moved(Event.STARTED, before, state, at))
            batch.run_starts.append(
                RunStart(number, state.run, state.attempt, at, 1, "automatic", "", state.attempt)
            )
        batch.next_attempt = self.attempts + 1
        self._commit(batch, known)

    def end(
        self, *numbers: int, at: int = AT + 1_000_000, outcome: RunOutcome = RunOutcome.SUCCEEDED
    ) -> None:
        batch, known = CommitBatch(at), self.states()
        event, status = (
            (Event.SUCCEEDED, Status.SUCCEEDED)
            if outcome is RunOutcome.SUCCEEDED
            else (Event.FAILED, Status.FAILED)
        )
        for number in numbers:
            before = known[number]
            state = before._replace(status=status, ended_at=at)
            batch.nodes.append(state)
            batch.transitions.append(moved(event, before, state, at))
            batch.run_ends.append(RunEnd(number, state.run, state.attempt, at, outcome, "it is done"))
        self._commit(batch, known)

    def _commit(self, batch: CommitBatch, known: dict[int, NodeState]) -> None:
        states = known | {state.id: state for state in batch.nodes}
        owners = {firing.state.id: firing.instance for firing in self.born}
        changed = {owners[state.id] for state in batch.nodes}
        for owner in sorted(changed):
            mine = [states[number] for number, instance in owners.items() if instance == owner]
            batch.instances.append(summary(owner, mine))
        self.store.commit(self.epoch, batch)


def moved(event: Event, before: NodeState, after: NodeState, at: int) -> Transition:
    return Transition(
        before.id, event, before.status, after.status, after.marks, at, after.run, after.attempt, 0, ""
    )


def summary(owner: int, nodes: Sequence[NodeState]) -> InstanceState:
    """Counts of an instance each of whose fields has its own node (the key counts with the best of them)."""
    counts, fields = [0] * 7, [0] * 5
    words = {Status.NOT_RUNNING: FieldStatus.NOT_RUNNING, Status.RUNNING: FieldStatus.RUNNING,
             Status.SUCCEEDED: FieldStatus.SUCCEEDED, Status.FAILED: FieldStatus.FAILED}  # fmt: skip
    for node in nodes:
        counts[node.status] += 1
        fields[words.get(Status(node.status), FieldStatus.WAITING)] += 1
    fields[next(place for place in (3, 2, 1, 4, 0) if fields[place])] += 1
    started = [node.started_at for node in nodes if node.started_at is not None]
    ended = [node.ended_at for node in nodes if node.ended_at is not None]
    marks = 0
    for node in nodes:
        marks |= node.marks
    return InstanceState(
        owner, tuple(counts), tuple(fields), min(started, default=None),
        None if counts[Status.RUNNING] else max(ended, default=None), marks, sum(node.run for node in nodes),
    )  # fmt: skip


def opened(store: SqliteStore, publication: Publication | None = None) -> Shop:
    epoch = store.lead("test", NOW, 3600)
    assert epoch is not None
    pending = store.begin_publication(epoch, publication or shop_of(), NOW)
    store.activate_publication(epoch, pending.environment, pending.project.name, pending.version, NOW)
    return Shop(store, epoch, pending)
