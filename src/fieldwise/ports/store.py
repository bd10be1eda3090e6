"""Where Fieldwise keeps its own state: the truth. One writer (the leader, fenced by an epoch), many readers.

Every write takes the leader's `epoch`; a deposed leader's write changes nothing and raises Deposed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fieldwise.model.event import CommitBatch, Firing, NewInstance, NewNodeInstance, Transition
from fieldwise.model.plan import Publication
from fieldwise.model.status import Environment
from fieldwise.ports.operations import OperationLog


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of a project skipped on purpose (spec 3, "Dependencies"); data timestamps, inclusive."""

    environment: Environment
    project: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Born:
    """Answer of `generate`: how many instances were new, and the new node instances as the window needs them."""

    instances: int
    firings: list[Firing]


@dataclass(frozen=True, slots=True)
class Page:
    """One keyset page of plain dictionaries in the words of the API; `cursor` None on the last page."""

    items: list[dict[str, Any]]
    cursor: str | None
    total: int | None = None


NOT_SET = -(2**62)  # an instant that is not set, in columns of instants

Ints = NDArray[np.int64]
Place = tuple[int, int]  # (day, sequence): how far a reader of the event log has come


@dataclass(frozen=True, slots=True)
class WindowColumns:
    """What `window` gives, as columns of 64-bit integers in order of `id`: for a million rows at once.

    Instants not set are NOT_SET, no chosen `priority` is -1, `type` is an InstanceType. `task` and `node` are the
    store's numbers; the dictionaries give their names.
    """

    id: Ints
    instance: Ints
    node: Ints
    status: Ints
    marks: Ints
    run: Ints
    attempt: Ints
    retries_used: Ints
    losses_used: Ints
    next_at: Ints
    started_at: Ints
    ended_at: Ints
    priority: Ints
    task: Ints
    type: Ints
    flow: Ints
    scheduled_at: Ints
    slot_start: Ints
    data_day: Ints
    ordinal: Ints
    version: Ints
    node_names: Mapping[int, str]
    task_names: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Changed:
    """Instances with events after a place in the log, and the place to go on from.

    `more`: too many to name them all, so that everything shown may have changed.
    """

    instances: list[int]
    place: Place
    more: bool = False


@dataclass(frozen=True, slots=True)
class Purged:
    """What retention removed of each task: everything up to an instant; some of it had not succeeded."""

    until: Mapping[str, int]
    unsuccessful: frozenset[tuple[str, int]] = frozenset()

    def __call__(self, task: str, scheduled_at: int) -> bool:
        """Whether an instance that is not there any more had succeeded (spec 3, "Dependencies")."""
        return scheduled_at <= self.until.get(task, NOT_SET) and (task, scheduled_at) not in self.unsuccessful


class Store(OperationLog, Protocol):
    # -- life
    def migrate(self) -> int:
        """Bring the schema to the newest version; returns its number."""
        ...

    def lead(self, holder: str, now: datetime, seconds: float) -> int | None:
        """Take or renew leadership until now + seconds. Returns the fencing epoch, or None if another holds it."""
        ...

    def resign(self, epoch: int) -> None: ...

    def close(self) -> None: ...

    # -- publications
    def begin_publication(self, epoch: int, publication: Publication, now: datetime) -> Publication:
        """Store as `pending` with the next version number."""
        ...

    def activate_publication(
        self, epoch: int, environment: Environment, project: str, version: int, now: datetime
    ) -> None:
        """`pending` -> `active`; the former active one stays stored (`retired`), its task versions in force for old instances."""
        ...

    def revert_publication(
        self, epoch: int, environment: Environment, project: str, version: int
    ) -> None: ...

    def pending_publications(self) -> list[Publication]: ...

    def active_publications(self, environment: Environment) -> list[Publication]: ...

    def publication(self, environment: Environment, project: str, version: int) -> Publication: ...

    # -- generation
    def generate(
        self,
        epoch: int,
        environment: Environment,
        project: str,
        instances: Sequence[NewInstance],
        nodes: Sequence[NewNodeInstance],
        generated_until: datetime | None,
        now: datetime,
    ) -> Born:
        """One transaction: insert what is new (unique by environment, node, scheduled instant, flow), with events, and
        move the project's `generated_until` forward if given. What exists already is left alone and not returned."""
        ...

    def generated_until(self, environment: Environment) -> dict[str, datetime]: ...

    def births(self, environment: Environment) -> dict[str, int]:
        """Task -> its earliest scheduled time ever generated (micros)."""
        ...

    def gaps(self, environment: Environment) -> list[Gap]: ...

    def record_gap(self, epoch: int, gap: Gap) -> None: ...

    def close_gap(self, epoch: int, gap: Gap) -> None:
        """A later run made up for it."""
        ...

    def purged(self, environment: Environment) -> Purged: ...

    # -- the open window
    def next_attempt(self) -> int: ...

    def raise_attempt(self, epoch: int, above: int) -> None:
        """The counter becomes greater than `above`."""
        ...

    def window(self, environment: Environment, ended_after: datetime | None = None) -> Iterable[Firing]:
        """Every node instance that is not final, or final and ended after that instant (None: all), by id."""
        ...

    def window_columns(self, environment: Environment, ended_after: datetime | None = None) -> WindowColumns:
        """The same as columns, several times faster."""
        ...

    def commit(self, epoch: int, batch: CommitBatch) -> None:
        """Write one group commit. Run ends are conditional on (node_instance, number, attempt) still running."""
        ...

    def set_secret_free_setting(self, epoch: int, name: str, value: str) -> None: ...

    def setting(self, name: str) -> str | None: ...

    # -- reading for people (spec 5: lists, instance page)
    def instances(
        self,
        filters: Mapping[str, Sequence[str]],
        sort: str = "-scheduled",
        limit: int = 50,
        cursor: str | None = None,
        count: str | None = None,
    ) -> Page: ...

    def instance(self, instance_id: int) -> dict[str, Any] | None: ...

    def find_instances(self, environment: Environment, task: str, data_day: int) -> list[int]: ...

    def node_instances(self, instance_id: int) -> list[dict[str, Any]]: ...

    def runs(self, instance_id: int) -> list[dict[str, Any]]: ...

    def run(self, run_id: int) -> dict[str, Any] | None:
        """One run by its id, in the same words as `runs`."""
        ...

    def events(self, instance_id: int) -> list[Transition]:
        """All events of an instance's nodes that are within the retention, oldest first."""
        ...

    def newest_event(self) -> Place:
        """Where the event log ends; (0, 0) while it is empty."""
        ...

    def changed_instances(self, after: Place, limit: int = 5_000) -> Changed:
        """Instances with events after a place in the log; work by what changed."""
        ...

    def day_counts(self, environment: Environment, newest: int, days: int) -> list[dict[str, Any]]:
        """Instances, and nodes and fields by status, of the last data days, newest first."""
        ...

    def newest_day(self, environment: Environment, limit: int) -> int | None:
        """The newest data day that has instances, not after `limit`."""
        ...

    def in_status(
        self, environment: Environment, first: int, last: int, statuses: tuple[int, int], limit: int
    ) -> list[dict[str, Any]]:
        """Node instances of data days whose status lies in the range, the longest there first."""
        ...

    def recent_rows(self, node: str, environment: Environment, limit: int = 7) -> list[int]:
        """Row counts of the last successful real runs of a node, newest first."""
        ...

    # -- tidying
    def tidy(self, epoch: int, now: datetime, keep_days: int) -> int:
        """Drop what was created before the retention; returns how many days were dropped."""
        ...
