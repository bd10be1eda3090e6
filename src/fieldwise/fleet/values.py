"""The plain values that go into and come out of a decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fieldwise.model.attempt import Report
from fieldwise.model.event import CommitBatch, Firing, OperationRecord
from fieldwise.model.plan import Publication
from fieldwise.model.status import InstanceType, Priority
from fieldwise.ports.store import Gap

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Question(NamedTuple):
    """A source's `ready` query with the parameters of one slot."""

    project: str
    source: str
    scheduled_at: int
    slot_start: int
    data_day: int


class Answer(NamedTuple):
    question: Question
    ready: bool


class Added(NamedTuple):
    """Node instances newly generated, with ids greater than all before."""

    firings: Sequence[Firing]


class Published(NamedTuple):
    """A version became active; older versions stay in force for instances that carry them."""

    publication: Publication


class Stop(NamedTuple):
    node_instances: tuple[int, ...]
    operation: int = 0
    detail: str = ""


class Pause(NamedTuple):
    node_instances: tuple[int, ...]
    operation: int = 0
    detail: str = ""


class Resume(NamedTuple):
    node_instances: tuple[int, ...]
    operation: int = 0
    detail: str = ""


class Hold(NamedTuple):
    node_instances: tuple[int, ...]
    operation: int = 0
    detail: str = ""


class Release(NamedTuple):
    node_instances: tuple[int, ...]
    operation: int = 0
    detail: str = ""


class SetSuccess(NamedTuple):
    node_instances: tuple[int, ...]
    operation: int = 0
    detail: str = ""


class Rerun(NamedTuple):
    """Set to Not Running; each starts again by itself when its conditions hold. Resets the retry budget."""

    node_instances: tuple[int, ...]
    operation: int = 0
    detail: str = ""


class Force(NamedTuple):
    """Run now whatever upstream, time or status; throttling, slots and busy targets still hold."""

    node_instances: tuple[int, ...]
    operation: int = 0
    detail: str = ""


class SetPriority(NamedTuple):
    """`priority` None: back to the configured one."""

    node_instances: tuple[int, ...]
    priority: Priority | None
    operation: int = 0


class DryRun(NamedTuple):
    """Succeed at once without running, whatever upstream, time or status."""

    node_instances: tuple[int, ...]
    operation: int = 0
    detail: str = ""


class PassThrough(NamedTuple):
    """Succeed without running, in its turn: when its upstream has succeeded."""

    node_instances: tuple[int, ...]
    operation: int = 0
    detail: str = ""


class Undone(NamedTuple):
    """A forced success goes back to Failed."""

    node_instances: tuple[int, ...]
    operation: int = 0
    detail: str = ""


class Order(NamedTuple):
    """What a confirmed operation does: phases of (kind, node instances in order, value of the kind).

    `applied`: how many node instances of all phases, in order, it has been applied to.
    """

    operation: int
    verb: str
    phases: tuple[tuple[str, tuple[int, ...], Any], ...]
    applied: int = 0
    refused: tuple[int, ...] = ()


class Operate(NamedTuple):
    """A confirmed operation with its row for the log."""

    order: Order
    record: OperationRecord


class Cancel(NamedTuple):
    """Apply nothing more of an operation that is being applied; what was applied stays."""

    operation: int


class GroupSlots(NamedTuple):
    project: str
    group: str
    slots: int


class RuleLimit(NamedTuple):
    rule: str
    max_running: int


Command = Stop | Pause | Resume | Hold | Release | SetSuccess | Rerun | Force | DryRun | PassThrough | Undone
Input = (
    Report | Answer | Added | Published | Command | SetPriority | GroupSlots | RuleLimit | Operate | Cancel
)


class StartMember(NamedTuple):
    node_instance: int
    attempt: int
    run: int
    node: str


class Start(NamedTuple):
    """One attempt set: the node instances of one table instance that one statement computes together."""

    members: tuple[StartMember, ...]
    instance: int
    task: str
    version: int
    type: InstanceType
    flow: int
    scheduled_at: int
    slot_start: int
    data_day: int
    ordinal: int
    log: str


class Interrupt(NamedTuple):
    """Ask the worker to interrupt the set that holds this attempt; `code`: timeout or stopped."""

    attempt: int
    code: str


class Refused(NamedTuple):
    """A command that does not apply to the node instance in its present status, or an unknown node
    instance."""

    node_instance: int
    command: str
    status: int | None


@dataclass(slots=True)
class Decision:
    """What one `take` decided. Write `batch` first, then act on the rest.

    `next_time`: call again then at the latest, None = nothing will become due by itself. `questions`: every
    source
    readiness something waits for now.
    """

    batch: CommitBatch
    starts: list[Start] = field(default_factory=list)
    interrupts: list[Interrupt] = field(default_factory=list)
    next_time: int | None = None
    questions: list[Question] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def _no_slots(_task: str, _day: int) -> Sequence[tuple[int, int]]:
    return ()


def _not_purged(_task: str, _scheduled_at: int) -> bool:
    return False


def _utc_day(_project: str, day: int) -> tuple[int, int]:
    return day * DAY, (day + 1) * DAY


@dataclass(frozen=True, slots=True)
class Facts:
    """What the window itself cannot know about slots that it does not hold (spec 3, "Dependencies").

    `births`: task -> earliest scheduled time ever generated. `gaps`: data timestamps skipped on purpose.
    """

    births: Mapping[str, int] = field(default_factory=dict)
    gaps: Sequence[Gap] = ()
    slots: Callable[[str, int], Sequence[tuple[int, int]]] = _no_slots
    purged: Callable[[str, int], bool] = _not_purged
    day_bounds: Callable[[str, int], tuple[int, int]] = _utc_day


@dataclass(frozen=True, slots=True)
class Exceptions:
    """What operations left behind on single node instances, by stored ids (spec 3: the store keeps the exceptions).

    `removed`: (node instance, upstream instance). `pauses`: when pauses end. `groups`: chosen resource groups.
    `orders`: operations that were being applied when the last leader went, in order.
    """

    removed: Sequence[tuple[int, int]] = ()
    pauses: Mapping[int, int] = field(default_factory=dict)
    groups: Mapping[int, str] = field(default_factory=dict)
    orders: Sequence[Order] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """`ignore_time`: `fieldwise run`: the scheduled time counts as reached, retries do not wait.

    `default_slots`: of a resource group no project declares. `shown_after`: microseconds a node instance
    may wait for
    a slot or a rule before its status says so; 0 = at once. A burst that starts within it costs no extra
    writes.
    """

    ignore_time: bool = False
    default_slots: int = 4
    shown_after: int = 0
    fuse: bool = True
    losses: int = 3
    loss_pause: int = 10_000_000
    only_operations: bool = False  # nothing starts but what operations touch, and what follows from it
    chunk: int = 10_000  # node instances that operations change in one transaction
    interrupt_again: int = 30_000_000
