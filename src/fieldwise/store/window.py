"""Reads the node instances that the leader keeps in memory: one by one, or a million at once as columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldwise.model.event import Firing, NodeState, to_micros
from fieldwise.model.status import InstanceType
from fieldwise.ports.store import NOT_SET, WindowColumns
from fieldwise.store.database import Database
from fieldwise.store.generation import collector_resting
from fieldwise.store.named import queries
from fieldwise.store.numbers import Numbers

Ints = NDArray[np.int64]
NODE = ("id", "instance", "node", "status", "marks")
RUN = ("run", "attempt", "retries_used", "losses_used", "next_at", "started_at", "ended_at", "priority")
INSTANCE = ("task", "type", "flow", "scheduled_at", "slot_start", "data_day", "ordinal", "version")
TYPES = {int(one): one for one in InstanceType}


def firings(database: Database, numbers: Numbers, ended_after: datetime | None) -> Iterator[Firing]:
    """Every node instance that is not final, or ended after that instant (None: all), by id."""
    nodes, tasks = numbers.node_names, numbers.task_names
    after = None if ended_after is None else to_micros(ended_after)
    for row in database.rows(queries("window")["window"], {"after": after}):
        task = tasks.get(row[12])
        if task is not None:
            state = NodeState._make(row[:10])
            yield Firing(state, row[10], nodes[row[11]], task, TYPES[row[13]], *row[14:21])


def columns(database: Database, numbers: Numbers, ended_after: datetime | None) -> WindowColumns:
    """The same as columns: what never ran is read without the columns that only a run fills."""
    after = {"after": None if ended_after is None else to_micros(ended_after)}
    named = queries("window")
    with collector_resting():
        nodes = _read(database.cursor(named["nodes_at_once"], after), len(NODE))
        runs = _read(database.cursor(named["runs_at_once"], after), 1 + len(RUN))
        instances = _read(database.cursor(named["instances_at_once"], after), 1 + len(INSTANCE))
    found: dict[str, Ints] = dict(zip(NODE, nodes, strict=True))
    found |= _runs(found["id"], runs)
    place = np.searchsorted(instances[0], found["instance"])
    found |= {name: column[place] for name, column in zip(INSTANCE, instances[1:], strict=True)}
    mine = np.isin(found["task"], np.array(list(numbers.task_names), dtype=np.int64))
    if not mine.all():
        found = {name: column[mine] for name, column in found.items()}
    return WindowColumns(**found, node_names=numbers.node_names, task_names=numbers.task_names)


def _runs(ids: Ints, runs: list[Ints]) -> dict[str, Ints]:
    place = np.searchsorted(ids, runs[0])
    found: dict[str, Ints] = {}
    for name, values in zip(RUN, runs[1:], strict=True):
        column = np.full(
            len(ids), NOT_SET if name.endswith("_at") else -1 if name == "priority" else 0, dtype=np.int64
        )
        column[place] = values
        found[name] = column
    return found


def _read(rows: Iterable[tuple[Any, ...]], width: int) -> list[Ints]:
    """Rows of integers as columns, without a Python object per row that outlives it."""
    flat = np.fromiter(chain.from_iterable(rows), dtype=np.int64)
    return [np.ascontiguousarray(column) for column in flat.reshape(-1, width).T]
