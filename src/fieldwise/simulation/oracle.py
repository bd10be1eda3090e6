"""A second, slower opinion on slots and upstream, written without the window's arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from fieldwise.model.event import Firing, to_micros
from fieldwise.model.plan import CompiledTask, Dependency, Publication
from fieldwise.model.schedule import Window
from fieldwise.model.status import Status
from fieldwise.usecases.facts import slots_of


def slots_due(publication: Publication, first: datetime, last: datetime) -> set[tuple[str, int]]:
    """(task, scheduled instant) of every slot between two instants."""
    zone = ZoneInfo(publication.project.timezone)
    first_day = first.astimezone(zone).date() - timedelta(days=2)
    last_day = last.astimezone(zone).date()
    return {
        (task.name, to_micros(slot.scheduled_at))
        for task in publication.tasks
        for slot in slots_of(publication, task.definition, first_day, last_day)
        if first <= slot.scheduled_at < last
    }


def missing_upstream(firing: Firing, task: CompiledTask, firings: Sequence[Firing]) -> list[str]:
    """Upstream node instances that exist and have not succeeded, for the windows the simulated projects use."""
    node = task.node(firing.node)
    return [
        f"{other.node} of day {other.data_day}"
        for dependency in node.upstream
        for other in _read(dependency, firing, firings)
        if other.state.status != Status.SUCCEEDED
    ]


def _read(dependency: Dependency, firing: Firing, firings: Iterable[Firing]) -> list[Firing]:
    upstream = [
        f for f in firings if f.task == dependency.task and f.node in dependency.nodes and f.flow == 0
    ]
    if dependency.task == firing.task:
        earlier = [f for f in upstream if f.scheduled_at < firing.scheduled_at]
        newest = max((f.scheduled_at for f in earlier), default=None)
        return [f for f in earlier if f.scheduled_at == newest]
    day = firing.data_day
    match dependency.window:
        case Window.PREVIOUS:
            return [f for f in upstream if f.data_day == day - 1]
        case Window.LAST_N:
            return [f for f in upstream if day - (dependency.n or 1) < f.data_day <= day]
        case Window.CURRENT:
            return [f for f in upstream if f.data_day == day]
        case _:
            return []
