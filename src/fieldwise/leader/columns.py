"""The stored window as the fleet's columns: which of it this leader may run, and what of it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldwise.fleet.catalog import Catalog
from fieldwise.fleet.window import NONE, Rows
from fieldwise.model.status import Status
from fieldwise.ports.store import NOT_SET, Ints, WindowColumns

Scope = Callable[[WindowColumns], NDArray[np.bool_]]


class Running(NamedTuple):
    """A stored node instance that runs, with what names its target."""

    attempt: int
    task: str
    node: str
    version: int
    scheduled_at: int
    slot_start: int
    data_day: int


def chosen(columns: WindowColumns, scope: Scope | None) -> WindowColumns:
    """What is final, which others may depend on, and of the rest what is in scope."""
    if scope is None:
        return columns
    kept = (columns.status >= Status.SUCCEEDED) | scope(columns)
    if kept.all():
        return columns
    named = {name: getattr(columns, name)[kept] for name in _columns_of(columns)}
    return replace(columns, **named)


def _columns_of(columns: WindowColumns) -> list[str]:
    return [name for name in columns.__dataclass_fields__ if isinstance(getattr(columns, name), np.ndarray)]


def versions_named(columns: WindowColumns) -> set[tuple[str, int]]:
    """(task, version) pairs that occur."""
    pairs = np.unique(columns.task << 32 | columns.version)
    return {(columns.task_names[pair >> 32], pair & 0xFFFFFFFF) for pair in pairs.tolist()}


def running(columns: WindowColumns) -> Iterator[Running]:
    for at in np.flatnonzero(columns.status == Status.RUNNING).tolist():
        yield Running(
            int(columns.attempt[at]),
            columns.task_names[int(columns.task[at])],
            columns.node_names[int(columns.node[at])],
            int(columns.version[at]),
            int(columns.scheduled_at[at]),
            int(columns.slot_start[at]),
            int(columns.data_day[at]),
        )


def rows_of(columns: WindowColumns, catalog: Catalog) -> Rows:
    """The same rows in the numbers of a catalog."""
    pairs, place = np.unique(columns.node << 32 | columns.version, return_inverse=True)
    numbers = [catalog.numbers[columns.node_names[pair >> 32], pair & 0xFFFFFFFF] for pair in pairs.tolist()]
    return Rows(
        id=columns.id,
        instance=columns.instance,
        node=np.array(numbers, dtype=np.int64)[place.ravel()] if len(numbers) else columns.node,
        status=columns.status,
        marks=columns.marks,
        chosen_priority=columns.priority,
        run=columns.run,
        attempt=columns.attempt,
        retries_used=columns.retries_used,
        losses_used=columns.losses_used,
        next_at=_instants(columns.next_at),
        started_at=_instants(columns.started_at),
        ended_at=_instants(columns.ended_at),
        type=columns.type,
        flow=columns.flow,
        scheduled_at=columns.scheduled_at,
        slot_start=columns.slot_start,
        data_day=columns.data_day,
        ordinal=columns.ordinal,
    )


def _instants(column: Ints) -> Ints:
    """The store and the window may write "not set" differently."""
    if NOT_SET == NONE:
        return column
    return np.where(column == NOT_SET, NONE, column)
