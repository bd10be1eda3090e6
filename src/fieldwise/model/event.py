"""What happens to node instances, and the facts that one group commit writes (spec 7, "State protocol").

Instants are integers: microseconds since 1970-01-01T00:00Z. Days are integers: days since 1970-01-01.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from fieldwise.model.attempt import MemberResult
from fieldwise.model.status import InstanceType, RunOutcome

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1).toordinal()


def to_micros(instant: datetime) -> int:
    """An aware datetime as microseconds since the epoch, exact."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def to_day(day: date) -> int:
    return day.toordinal() - EPOCH_DAY


def from_day(day: int) -> date:
    return date.fromordinal(day + EPOCH_DAY)


class Event(IntEnum):
    """Causes of a transition. Stored: numbers must never be reused. The table of fleet/transitions.py uses them all."""

    GENERATED = 0
    UPSTREAM_DONE = 1
    UPSTREAM_UNDONE = 2
    TIME_REACHED = 3
    THROTTLED = 4
    ADMITTED = 5
    STARTED = 6
    SUCCEEDED = 7
    FAILED = 8
    RETRY_PLANNED = 9
    TIMED_OUT = 10
    LOST = 11
    STOPPED = 12
    DRY_RUN_DONE = 13
    PAUSED = 14
    RESUMED = 15
    HELD = 16
    RELEASED = 17
    FORCED_SUCCESS = 18
    RERUN = 19
    FORCED = 20
    MARKED = 21
    UNFUSED = (
        22  # a member of a fused run goes back to waiting because the statement was interrupted for another
    )
    UNDONE = 23  # a forced success is taken back to Failed


class Transition(NamedTuple):
    """One row of the event log. Folding the log in order of `sequence` gives the state table, always.

    `marks` = the marks afterwards (Mark bits). `run` = run number concerned, 0 = none. `attempt` 0 = none.
    `operation` = id of the operation or 0. `detail` = short reason, else "".
    """

    node_instance: int
    event: int
    before: int
    after: int
    marks: int
    at: int
    run: int
    attempt: int
    operation: int
    detail: str


class NodeState(NamedTuple):
    """The mutable columns of a node instance, absolute values after a commit. Instants None = not set."""

    id: int
    status: int
    marks: int
    run: int
    attempt: int
    retries_used: int
    losses_used: int
    next_at: int | None  # waiting until: between automatic retries
    started_at: int | None
    ended_at: int | None


class InstanceState(NamedTuple):
    """The derived columns of an instance: counts for lists, rebuilt from the nodes (spec 3, "Field status").

    `nodes`: 7 counts by Status; `fields`: 5 counts by FieldStatus. started = earliest node start, ended = latest
    node end (None while any runs or none ended).
    """

    id: int
    nodes: tuple[int, ...]
    fields: tuple[int, ...]
    started_at: int | None
    ended_at: int | None
    marks: int  # union of its nodes' marks
    runs: int  # sum of its nodes' run numbers


class RunStart(NamedTuple):
    node_instance: int
    number: int
    attempt: int
    at: int
    version: int  # version of the publication it runs
    kind: str  # "automatic" "retry" "manual" "forced" "dry_run" "system" "undo"
    log: str
    fused_with: int  # attempt of the first member of the fused statement; own attempt if alone


@dataclass(frozen=True, slots=True)
class RunEnd:
    """The end of a run; conditional on the attempt: a run already ended is not touched."""

    node_instance: int
    number: int
    attempt: int
    at: int
    outcome: RunOutcome
    message: str = ""
    code: str = ""
    rows: int = 0
    result: MemberResult | None = None
    input_versions: tuple[tuple[str, str], ...] = ()
    engine_seconds: float = 0.0


class OperationRecord(NamedTuple):
    """The row of an operation as it is first written; `document` and `order` are JSON (see usecases/operate.py)."""

    id: int
    at: int
    actor: str
    source: str
    verb: str
    reason: str
    status: str
    total: int
    environment: str
    document: str
    order: str
    instances: tuple[int, ...]
    key: str = ""  # idempotency key, with the digest of what was asked
    digest: str = ""
    undo_of: int = 0


class OperationProgress(NamedTuple):
    """How far an operation has come; `refused`: node instances to which it no longer applied."""

    id: int
    applied: int
    status: str
    refused: tuple[int, ...] = ()


class PausedUntil(NamedTuple):
    """`until` None: the pause has no end, or is over."""

    node_instance: int
    until: int | None
    operation: int = 0


class EdgeChange(NamedTuple):
    """A dependency of a node instance on an instance, removed or restored by an operation."""

    node_instance: int
    upstream: int
    removed: bool
    operation: int


@dataclass(slots=True)
class CommitBatch:
    """Everything one group commit writes, all or nothing, under the leader's fencing epoch.

    `next_attempt`: the counter afterwards (raised before any work is given out).
    """

    at: int
    transitions: list[Transition] = field(default_factory=list)
    nodes: list[NodeState] = field(default_factory=list)
    instances: list[InstanceState] = field(default_factory=list)
    run_starts: list[RunStart] = field(default_factory=list)
    run_ends: list[RunEnd] = field(default_factory=list)
    next_attempt: int | None = None
    operations: list[OperationRecord] = field(default_factory=list)
    progress: list[OperationProgress] = field(default_factory=list)
    priorities: list[tuple[int, int | None]] = field(default_factory=list)  # node instance, chosen priority
    groups: list[tuple[int, str | None]] = field(default_factory=list)  # node instance, resource group
    pauses: list[PausedUntil] = field(default_factory=list)
    edges: list[EdgeChange] = field(default_factory=list)
    versions: list[tuple[int, int]] = field(
        default_factory=list
    )  # instance, version of its definition from now on

    @property
    def empty(self) -> bool:
        return not (
            self.transitions
            or self.nodes
            or self.run_starts
            or self.run_ends
            or self.operations
            or self.progress
        )


class NewNodeInstance(NamedTuple):
    """A node instance to be born. `instance` = index into the batch's instances. Status is usually NOT_RUNNING."""

    instance: int
    node: str
    status: int
    marks: int


class NewInstance(NamedTuple):
    """An instance to be born; the store gives ids in order. `slot_start`, `scheduled_at` micros; days since 1970."""

    task: str
    type: InstanceType
    flow: int
    scheduled_at: int
    slot_start: int
    data_day: int
    ordinal: int
    version: int


class Firing(NamedTuple):
    """What the window needs to know of one stored node instance."""

    state: NodeState
    instance: int
    node: str
    task: str
    type: InstanceType
    flow: int
    scheduled_at: int
    slot_start: int
    data_day: int
    ordinal: int
    version: int
    priority: int | None  # the operator's change on this instance
