"""Runs chosen data timestamps to the end: generates them, turns the leader until nothing can run, and sums up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from fieldwise.model.errors import BadRequest
from fieldwise.model.event import Firing, from_day, to_day
from fieldwise.model.plan import Publication
from fieldwise.model.status import Environment, Status
from fieldwise.ports.clock import Clock
from fieldwise.ports.store import Store, WindowColumns
from fieldwise.usecases.generate import generate_data_days
from fieldwise.usecases.versions import project_of


@dataclass(frozen=True, slots=True)
class Scope:
    """Which node instances a run may start: recurring ones of these projects and data timestamps."""

    projects: Collection[str]
    first: int
    last: int

    def __call__(self, columns: WindowColumns) -> NDArray[np.bool_]:
        """Which rows of the window."""
        tasks = [number for number, name in columns.task_names.items() if project_of(name) in self.projects]
        of_project = np.isin(columns.task, np.array(tasks, dtype=np.int64))
        in_days = (columns.data_day >= self.first) & (columns.data_day <= self.last)
        mine: NDArray[np.bool_] = of_project & in_days & (columns.flow == 0)
        return mine

    def holds(self, firing: Firing) -> bool:
        """The same of one node instance."""
        return (
            firing.flow == 0
            and self.first <= firing.data_day <= self.last
            and project_of(firing.task) in self.projects
        )


class Driver(Protocol):
    """The leader as a run sees it."""

    def turn_until_idle(self, clock: Clock, progress: Callable[[int, int], None] | None) -> None: ...

    def reasons(self, node_instance: int) -> list[dict[str, str]]:
        """Why a node instance does not run: `code`, `object`, `message` each."""
        ...


@dataclass(slots=True)
class RunResult:
    """What one call ran, in the words of `run --json`, and everything in scope that is Failed or blocked now."""

    instances: int = 0
    node_instances: int = 0
    succeeded: int = 0
    failed: int = 0
    blocked: int = 0
    seconds: float = 0.0
    failures: list[dict[str, Any]] = field(default_factory=list)
    blocks: list[dict[str, Any]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        return {
            "instances": self.instances,
            "node_instances": self.node_instances,
            "succeeded": self.succeeded,
            "failed": self.failed,
            "blocked": self.blocked,
            "seconds": round(self.seconds, 3),
        }

    @property
    def ok(self) -> bool:
        return not (self.failures or self.blocks)


def refuse_future(publications: Iterable[Publication], last: date, now: datetime) -> None:
    """Data timestamps after yesterday, in the zone of each project, are refused (spec 3)."""
    for publication in publications:
        yesterday = now.astimezone(ZoneInfo(publication.project.timezone)).date().toordinal() - 1
        if last.toordinal() > yesterday:
            newest = date.fromordinal(yesterday)
            raise BadRequest(
                f"data timestamp {last} is after yesterday ({newest}, {publication.project.timezone})",
                f"the newest data timestamp that can run now is {newest}",
            )


def run(
    store: Store,
    epoch: int,
    publications: Sequence[Publication],
    first: date,
    last: date,
    lead: Callable[[Scope], Driver],
    clock: Clock,
    progress: Callable[[int, int], None] | None = None,
) -> RunResult:
    """Generate the slots of `first`..`last` of published projects and run them. A second call starts nothing."""
    began = clock.monotonic()
    refuse_future(publications, last, clock.now())
    scope = Scope({p.project.name for p in publications}, to_day(first), to_day(last))
    environment = publications[0].environment
    before = _by_id(store, environment, scope)
    for publication in publications:
        generate_data_days(store, epoch, publication, first, last, clock.now())
    driver = lead(scope)
    driver.turn_until_idle(clock, progress)
    after = _by_id(store, environment, scope)
    touched = [f for number, f in after.items() if number not in before or before[number].state != f.state]
    return _sum_up(store, driver, touched, list(after.values()), clock.monotonic() - began)


def _by_id(store: Store, environment: Environment, scope: Scope) -> dict[int, Firing]:
    return {firing.state.id: firing for firing in store.window(environment) if scope.holds(firing)}


def _sum_up(
    store: Store, driver: Driver, touched: Sequence[Firing], everything: Sequence[Firing], seconds: float
) -> RunResult:
    result = RunResult(seconds=seconds)
    result.instances = len({firing.instance for firing in touched})
    result.node_instances = len(touched)
    result.succeeded = sum(firing.state.status == Status.SUCCEEDED for firing in touched)
    result.failed = sum(firing.state.status == Status.FAILED for firing in touched)
    result.blocked = result.node_instances - result.succeeded - result.failed
    result.failures = _failures(store, [f for f in everything if f.state.status == Status.FAILED])
    result.blocks = [
        {
            "object": f.task,
            "node": f.node,
            "data_timestamp": from_day(f.data_day).isoformat(),
            "reasons": driver.reasons(f.state.id),
        }
        for f in everything
        if not Status(f.state.status).final
    ]
    return result


def _failures(store: Store, failed: Sequence[Firing]) -> list[dict[str, Any]]:
    messages: dict[int, dict[str, Any]] = {}
    for instance in dict.fromkeys(firing.instance for firing in failed):
        for row in store.runs(instance):
            known = messages.get(row["node_instance"])
            if known is None or row["number"] > known["number"]:
                messages[row["node_instance"]] = row
    found = []
    for firing in failed:
        last_run = messages.get(firing.state.id, {})
        found.append(
            {
                "object": firing.task,
                "node": firing.node,
                "data_timestamp": from_day(firing.data_day).isoformat(),
                "instance": firing.instance,
                "code": last_run.get("code", ""),
                "message": last_run.get("message", ""),
            }
        )
    return found
