"""Holds the open window: every node instance that may still run, and what it waits for, as columns of
numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, repeat
from typing import NamedTuple

import numpy as np

from fieldwise.fleet.catalog import Array, Catalog
from fieldwise.fleet.edges import Adjacency, Instances, Reach, Resolved, Resolver, ranges
from fieldwise.fleet.values import DAY, Facts
from fieldwise.model.event import Firing, NodeState
from fieldwise.model.plan import Publication
from fieldwise.model.status import Status

NONE = -(2**62)  # "not set" in a column of instants
_CHUNK = 1 << 15
ALONE = 1  # a member of a fused run that failed: runs by itself until it is final
OPERATED = 8  # an operation that is being applied holds the row
READY = 2  # every `ready` query of its sources has answered yes

NODE_COLUMNS: dict[str, type[np.generic]] = {
    "id": np.int64,
    "instance": np.int32,
    "node": np.int32,
    "status": np.int8,
    "marks": np.int16,
    "flags": np.uint8,
    "chosen_priority": np.int8,  # the operator's change, -1 = none
    "priority": np.int8,  # effective
    "run": np.int32,
    "attempt": np.int64,
    "retries_used": np.int16,
    "losses_used": np.int16,
    "next_at": np.int64,
    "started_at": np.int64,
    "ended_at": np.int64,
    "target": np.int64,  # what a run writes: equal numbers, equal (node, partition)
    "blocking": np.int32,
    "queued_at": np.int64,  # NONE = in no group's queue
    "level": np.int8,  # priority with ageing while queued
    "group": np.int32,  # resource group: the node's own unless an operation chose another
}
INSTANCE_COLUMNS: dict[str, type[np.generic]] = {
    "task": np.int32,
    "version": np.int32,
    "flow": np.int64,
    "type": np.int8,
    "scheduled_at": np.int64,
    "slot_start": np.int64,
    "day": np.int32,
    "ordinal": np.int32,
    "offset": np.int64,
    "width": np.int32,
}


# Narrow where the window is narrow: a million rows are read at once.
_ROW_KINDS: dict[str, type[np.generic]] = {
    **{name: kind for name, kind in NODE_COLUMNS.items() if name != "instance"},
    **{name: kind for name, kind in INSTANCE_COLUMNS.items() if name != "task"},
    "data_day": np.int64,
}
_NULLABLE = ("chosen_priority", "next_at", "started_at", "ended_at")


class Rows(NamedTuple):
    """Firings as columns, in order of id: what a store can give at once when it reads very many.

    `instance`: stored id. `node`: number in `Catalog.numbers`, by (node id, version). Instants not set are
    NONE,
    no chosen priority is -1.
    """

    id: Array
    instance: Array
    node: Array
    status: Array
    marks: Array
    chosen_priority: Array
    run: Array
    attempt: Array
    retries_used: Array
    losses_used: Array
    next_at: Array
    started_at: Array
    ended_at: Array
    type: Array
    flow: Array
    scheduled_at: Array
    slot_start: Array
    data_day: Array
    ordinal: Array


def columns_of(firings: Iterable[Firing], catalog: Catalog) -> Rows:
    """Firings turned into columns, in order of id."""
    source = iter(firings)
    parts: list[list[Array]] = []
    while chunk := list(islice(source, _CHUNK)):
        states, instance, node, _task, kind, flow, at, start, day, ordinal, version, chosen = zip(
            *chunk, strict=True
        )
        number, status, marks, run, attempt, retries, losses, next_at, started, ended = zip(
            *states, strict=True
        )
        numbers = [catalog.numbers[key] for key in zip(node, version, strict=True)]
        plain = (number, instance, numbers, status, marks, run, attempt, retries, losses)
        slot = (kind, flow, at, start, day, ordinal)
        names = [name for name in Rows._fields if name not in _NULLABLE]
        values = zip(names, (*plain, *slot), strict=True)
        columns = [np.array(column, dtype=_ROW_KINDS.get(name, np.int64)) for name, column in values]
        columns[5:5] = [_or(chosen, -1)]
        columns[10:10] = [_or(next_at, NONE), _or(started, NONE), _or(ended, NONE)]
        parts.append(columns)
    if not parts:
        return Rows(*(np.empty(0, dtype=np.int64) for _ in Rows._fields))
    rows = Rows(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    if bool((rows.id[1:] > rows.id[:-1]).all()):
        return rows
    order = np.argsort(rows.id, kind="stable")
    return Rows(*(column[order] for column in rows))


def _or(values: tuple[int | None, ...], default: int) -> Array:
    """A column in which None stands for the default."""
    if values.count(None) == len(values):
        return np.full(len(values), default)
    return np.array([default if value is None else value for value in values], dtype=np.int64)


class Window:
    """Columns by row; a row number stays the same while the window lives. Ids ascend with rows."""

    id: Array
    instance: Array
    node: Array
    status: Array
    marks: Array
    flags: Array
    chosen_priority: Array
    priority: Array
    run: Array
    attempt: Array
    retries_used: Array
    losses_used: Array
    next_at: Array
    started_at: Array
    ended_at: Array
    target: Array
    blocking: Array
    queued_at: Array
    level: Array
    group: Array

    def __init__(self, catalog: Catalog, facts: Facts) -> None:
        self.catalog = catalog
        self.facts = facts
        for name, kind in NODE_COLUMNS.items():
            setattr(self, name, np.empty(0, dtype=kind))
        self.instances = Instances(*(np.empty(0, dtype=kind) for kind in INSTANCE_COLUMNS.values()))
        self.instance_id = np.empty(0, dtype=np.int64)
        self.places = np.empty(0, dtype=np.int32)
        self.downstream = Adjacency()
        self.upstream = Adjacency()
        self.births: dict[int, tuple[int, int]] = {
            catalog.task(task): (at, at // DAY - 2) for task, at in facts.births.items()
        }
        catalog.refresh_widths()
        self.missing = _no_missing()
        self.removed: set[tuple[int, int]] = set()  # (row, number of an upstream instance)
        self._partitions: dict[int, int] = {}
        self.relinked: Array = np.empty(0, dtype=np.int64)  # older rows whose edges the last `add` changed

    @classmethod
    def build(
        cls,
        publications: Iterable[Publication],
        firings: Iterable[Firing],
        facts: Facts,
        default_slots: int = 4,
    ) -> Window:
        window = cls(Catalog(publications, default_slots), facts)
        window.add(firings)
        return window

    def __len__(self) -> int:
        return len(self.id)

    def row(self, node_instance: int) -> int | None:
        at = int(np.searchsorted(self.id, node_instance))
        return at if at < len(self.id) and self.id[at] == node_instance else None

    def add(self, firings: Iterable[Firing]) -> Array:
        """Take in node instances; returns their rows. Older rows find the edges to them too."""
        return self.add_rows(columns_of(firings, self.catalog))

    def add_rows(self, rows: Rows) -> Array:
        if len(rows.id) and len(self.id) and rows.id[0] <= self.id[-1]:
            raise ValueError(f"node instance {int(rows.id[0])} is older than the window's newest")
        first = len(self.id)
        fresh = np.arange(first, first + len(rows.id), dtype=np.int64)
        self.relinked = fresh[:0]
        if not len(fresh):
            return fresh
        births = dict(self.births)
        owners = self._add_instances(rows)
        self._append(rows, owners)
        self._place(fresh, owners)
        del rows  # as big as the window itself, and no longer needed while edges are sought
        self._link(fresh, owners, births)
        return fresh

    def _add_instances(self, rows: Rows) -> Array:
        """Number of the instance of each new node instance; an instance may gain nodes later."""
        ids, at, owners = np.unique(rows.instance, return_index=True, return_inverse=True)
        known_order = (
            np.argsort(self.instance_id, kind="stable") if len(self.instance_id) else self.instance_id
        )
        spot = np.searchsorted(self.instance_id, ids, sorter=known_order if len(known_order) else None)
        known = np.zeros(len(ids), dtype=bool)
        numbers = np.empty(len(ids), dtype=np.int64)
        if len(self.instance_id):
            spot = np.minimum(spot, len(self.instance_id) - 1)
            numbers = known_order[spot].astype(np.int64)
            known = self.instance_id[numbers] == ids
        new = np.flatnonzero(~known)
        numbers[new] = len(self.instance_id) + np.arange(len(new))
        picks = at[new]
        nodes = rows.node[picks]
        task = self.catalog.node_task[nodes]
        width = self.catalog.task_width[task]
        offset = len(self.places) + np.concatenate([[0], np.cumsum(width.astype(np.int64))])
        columns = (
            task,
            self.catalog.node_version[nodes],
            rows.flow[picks],
            rows.type[picks],
            rows.scheduled_at[picks],
            rows.slot_start[picks],
            rows.data_day[picks],
            rows.ordinal[picks],
            offset[:-1],
            width,
        )
        kinds = INSTANCE_COLUMNS.values()
        self.instances = Instances(
            *(
                np.concatenate([old, new_column.astype(kind)])
                for old, new_column, kind in zip(self.instances, columns, kinds, strict=True)
            )
        )
        self.instance_id = np.concatenate([self.instance_id, ids[new]])
        empty = np.full(int(offset[-1]) - len(self.places), -1, dtype=np.int32)
        self.places = np.concatenate([self.places, empty])
        self._note_births(len(self.instance_id) - len(new))
        owner: Array = numbers[owners.ravel()]
        return owner

    def _note_births(self, first: int) -> None:
        """A task is born with the earliest recurring slot ever generated."""
        new = np.flatnonzero(self.instances.flow[first:] == 0) + first
        if not len(new):
            return
        order = new[np.lexsort((self.instances.scheduled_at[new], self.instances.task[new]))]
        task = self.instances.task[order]
        heads = order[np.concatenate([[True], task[1:] != task[:-1]])]
        for number, at, day in zip(
            self.instances.task[heads].tolist(),
            self.instances.scheduled_at[heads].tolist(),
            self.instances.day[heads].tolist(),
            strict=True,
        ):
            known = self.births.get(number)
            if known is None or at <= known[0]:
                self.births[number] = (at, day)

    def _append(self, rows: Rows, owners: Array) -> None:
        size = len(rows.id)
        configured = self.catalog.node_priority[rows.node]
        priority = np.where(rows.chosen_priority >= 0, rows.chosen_priority, configured)
        given = {
            **rows._asdict(),
            "instance": owners,
            "priority": priority,
            "level": priority,
            "flags": np.zeros(size),
            "target": self._targets_of(rows),
            "blocking": np.zeros(size),
            "queued_at": np.full(size, NONE),
            "group": self.catalog.node_group[rows.node],
        }
        for name, kind in NODE_COLUMNS.items():
            setattr(self, name, np.concatenate([getattr(self, name), given[name].astype(kind)]))

    def _place(self, fresh: Array, owners: Array) -> None:
        place = self.catalog.node_place[self.node[fresh]]
        self.places[self.instances.offset[owners] + place] = fresh

    def _link(self, fresh: Array, owners: Array, births: dict[int, tuple[int, int]]) -> None:
        resolver = Resolver(self.catalog, self.facts, self.births)
        found = resolver.resolve(self.instances, self.places, fresh, owners, self.node[fresh])
        old = len(self) - len(fresh)
        if old:
            self._link_old(old, np.unique(owners), births, resolver)
        self.take_edges(found)

    def _link_old(
        self, old: int, owners: Array, births: dict[int, tuple[int, int]], resolver: Resolver
    ) -> None:
        """Older rows see the new instances too: exactly as if all had been read at once."""
        reach = Reach(self.instances, owners, births, self.births)
        size = int(self.instance[:old].max()) + 1
        seen = np.flatnonzero(reach.near(self.instances, self.catalog, size))
        rows = self.rows_of(seen)[0]
        rows = rows[rows < old]
        row, depend = resolver.pairs(rows, self.node[rows])
        hit = reach.hits(self.instances, self.instance[row], depend, resolver)
        missing = self.missing
        # What waited for a task that had never been generated: the slots before its first one never were.
        born = np.isin(missing.missing_task, [task for task in self.births if task not in births])
        waited = _pair(missing.missing_row, missing.missing_depend)
        pairs = np.unique(np.concatenate([_pair(row[hit], depend[hit]), waited[born]]))
        again = pairs[~np.isin(pairs, waited)] >> 32
        light: Array = pairs[~np.isin(pairs >> 32, again)]
        self.relinked = np.unique(pairs >> 32)
        if len(light):
            self._resolve_pairs(light, resolver)
        if len(again):
            self._resolve_rows(np.unique(again), resolver)

    def _resolve_pairs(self, pairs: Array, resolver: Resolver) -> None:
        """Drop the missing slots of (row, dependency) pairs and resolve them afresh; the edges they have
        stay."""
        missing = self.missing
        dropped = np.isin(_pair(missing.missing_row, missing.missing_depend), pairs)
        np.subtract.at(self.blocking, missing.missing_row[dropped], 1)
        self._keep_missing(~dropped)
        row, depend = pairs >> 32, pairs & 0xFFFFFFFF
        found = resolver.resolve_pairs(
            self.instances, self.places, row, self.instance[row], self.node[row], depend
        )
        keys = [_pair(np.array([one]), self.upstream.of(np.array([one]))) for one in np.unique(row).tolist()]
        known = np.isin(_pair(found.row, found.upstream), np.concatenate(keys))
        self.take_edges(found._replace(row=found.row[~known], upstream=found.upstream[~known]))

    def _resolve_rows(self, rows: Array, resolver: Resolver) -> None:
        """Forget all edges of the rows and resolve them afresh: what a policy chose before may no longer be
        it."""
        mask = np.zeros(len(self), dtype=bool)
        mask[rows] = True
        self.upstream.drop(lambda sources, _ends: mask[sources])
        self.downstream.drop(lambda _sources, ends: mask[ends])
        self.blocking[rows] = 0
        self._keep_missing(~mask[self.missing.missing_row])
        self.take_edges(
            resolver.resolve(self.instances, self.places, rows, self.instance[rows], self.node[rows])
        )

    def _keep_missing(self, kept: Array) -> None:
        self.missing = Resolved(_nothing(), _nothing(), *(column[kept] for column in self.missing[2:]))

    def reconsider(self, facts: Facts) -> Array:
        """The calendar or gaps changed: resolve what waits for slots not generated; returns those rows."""
        self.facts = facts
        missing = self.missing
        rows: Array = np.unique(missing.missing_row).astype(np.int64)
        if len(rows):
            resolver = Resolver(self.catalog, facts, self.births)
            self._resolve_pairs(np.unique(_pair(missing.missing_row, missing.missing_depend)), resolver)
        return rows

    def renew(self, owner: int, numbers: Mapping[int, int], version: int) -> Array:
        """The instance carries a newer version of its definition, with the same nodes; returns its rows."""
        rows, _ = self.rows_of(np.array([owner], dtype=np.int64))
        rows = rows.astype(np.int64)
        own_group = self.group[rows] == self.catalog.node_group[self.node[rows]]
        self.node[rows] = [numbers[number] for number in self.node[rows].tolist()]
        self.instances.version[owner] = version
        self.group[rows] = np.where(own_group, self.catalog.node_group[self.node[rows]], self.group[rows])
        configured = self.catalog.node_priority[self.node[rows]]
        self.priority[rows] = np.where(self.chosen_priority[rows] < 0, configured, self.chosen_priority[rows])
        return rows

    def resolve_again(self, rows: Array) -> None:
        """Edges of rows whose definition is another one now."""
        self._resolve_rows(rows, Resolver(self.catalog, self.facts, self.births))

    def remove_edges(self, row: int, owners: Iterable[int]) -> None:
        """The row no longer waits for these instances."""
        new = {(row, owner) for owner in owners}
        self.removed |= new
        gone = np.array([owner for _, owner in new], dtype=np.int64)
        ups = np.unique(self.upstream.of(np.array([row])))
        ups = ups[np.isin(self.instance[ups], gone)]
        if len(ups):
            self.upstream.drop(lambda sources, ends: (sources == row) & np.isin(ends, ups))
            self.downstream.drop(lambda sources, ends: (ends == row) & np.isin(sources, ups))
            self._count_again(np.array([row], dtype=np.int64))

    def restore_edges(self, row: int, owners: Iterable[int]) -> None:
        self.removed -= {(row, owner) for owner in owners}
        resolver = Resolver(self.catalog, self.facts, self.births)
        self._resolve_rows(np.array([row], dtype=np.int64), resolver)

    def _count_again(self, rows: Array) -> None:
        """How many upstream rows each still waits for."""
        missing = self.missing.missing_row
        for row in rows.tolist():
            ups = self.upstream.of(np.array([row]))
            open_ = int((self.status[ups] != Status.SUCCEEDED).sum())
            self.blocking[row] = open_ + int((missing == row).sum())

    def _without_removed(self, resolved: Resolved) -> Resolved:
        if not self.removed or not len(resolved.row):
            return resolved
        concerned = np.isin(resolved.row, np.array(sorted({row for row, _ in self.removed})))
        keep = np.ones(len(resolved.row), dtype=bool)
        for at in np.flatnonzero(concerned).tolist():
            pair = (int(resolved.row[at]), int(self.instance[resolved.upstream[at]]))
            keep[at] = pair not in self.removed
        return resolved._replace(row=resolved.row[keep], upstream=resolved.upstream[keep])

    def take_edges(self, resolved: Resolved) -> None:
        resolved = self._without_removed(resolved)
        self.upstream.add(resolved.row, resolved.upstream, len(self))
        self.downstream.add(resolved.upstream, resolved.row, len(self))
        open_edges = self.status[resolved.upstream] != Status.SUCCEEDED
        counts = np.bincount(resolved.row[open_edges], minlength=0)
        self.blocking[: len(counts)] += counts.astype(np.int32)
        counts = np.bincount(resolved.missing_row, minlength=0)
        self.blocking[: len(counts)] += counts.astype(np.int32)
        self.missing = Resolved(
            *(np.concatenate([old, new]) for old, new in zip(self.missing, resolved, strict=True))
        )._replace(row=_nothing(), upstream=_nothing())

    def _targets_of(self, rows: Rows) -> Array:
        """A partition is the instant of a slot for sub-day tables, else its day; instants are far bigger
        than days."""
        by_instant = self.catalog.node_by_instant[rows.node]
        values, at = np.unique(np.where(by_instant, rows.slot_start, rows.data_day), return_inverse=True)
        numbers = [self._partitions.setdefault(value, len(self._partitions)) for value in values.tolist()]
        answer: Array = (
            self.catalog.node_name[rows.node] << 32 | np.array(numbers, dtype=np.int64)[at.ravel()]
        )
        return answer

    def rows_of(self, owners: Array) -> tuple[Array, Array]:
        """Rows of the instances, instance after instance, and the number of rows of each."""
        width = self.instances.width[owners]
        rows = self.places[ranges(self.instances.offset[owners], width)]
        there = rows >= 0
        counts = np.bincount(np.repeat(np.arange(len(owners)), width)[there], minlength=len(owners))
        return rows[there], counts

    def states(self, rows: Array) -> list[NodeState]:
        """The stored columns of the rows."""
        columns: list[Sequence[int | None]] = [
            getattr(self, name)[rows].tolist()
            for name in ("id", "status", "marks", "run", "attempt", "retries_used", "losses_used")
        ]
        columns += [optional(getattr(self, name)[rows]) for name in ("next_at", "started_at", "ended_at")]
        return list(map(tuple.__new__, repeat(NodeState), zip(*columns, strict=True)))

    @property
    def nbytes(self) -> int:
        own = sum(getattr(self, name).nbytes for name in NODE_COLUMNS)
        instances = (
            sum(column.nbytes for column in self.instances) + self.instance_id.nbytes + self.places.nbytes
        )
        return int(own + instances + self.downstream.nbytes + self.upstream.nbytes)


def optional(column: Array) -> list[int | None]:
    """A column of instants as Python values, None where not set."""
    if len(column) and bool((column == NONE).any()):
        return [None if value == NONE else value for value in column.tolist()]
    values: list[int | None] = column.tolist()
    return values


def _pair(first: Array, second: Array) -> Array:
    """Two small whole numbers as one that compares like the pair (days may be negative)."""
    return first.astype(np.int64) << 32 | (second.astype(np.int64) & 0xFFFFFFFF)


def _nothing() -> Array:
    return np.empty(0, dtype=np.int32)


def _no_missing() -> Resolved:
    return Resolved(*(_nothing() for _ in Resolved._fields))
