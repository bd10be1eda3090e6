"""Decides which fields of which instances depend on chosen fields: lineage followed through the edges of the window."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from fieldwise.fleet.catalog import Array
from fieldwise.fleet.edges import ranges
from fieldwise.fleet.window import Window
from fieldwise.operations.fields import FieldMap, FieldMaps
from fieldwise.operations.flow import Flow

Extra = Callable[[Array], Mapping[int, int]]
"""Instances -> those of them with fields that are required whatever was chosen (STALE, ...), as masks."""


class Masks:
    """Sets of fields by small numbers, so that a column of instances can hold them. Number 0 is the empty set."""

    def __init__(self) -> None:
        self.values: list[int] = [0]
        self._numbers: dict[int, int] = {0: 0}

    def number(self, mask: int) -> int:
        found = self._numbers.get(mask)
        if found is None:
            found = self._numbers[mask] = len(self.values)
            self.values.append(mask)
        return found


class Reach:
    """`changed[i]`: number of the set of fields of instance i that change; `level[i]`: distance from a start, -1 = none.

    A field required only because it shares a node is not in it: it is computed again from unchanged input, and what
    reads it stays as it is (spec 4, "Rerun downstream").
    """

    def __init__(
        self,
        window: Window,
        maps: FieldMaps,
        flow: Flow,
        extra: Extra | None = None,
        cross_day: bool = True,
        levels: int | None = None,
        closed: Array | None = None,
    ) -> None:
        """`levels`: how far to go. `closed`: rows that are not passed: they stay as they are."""
        self.window = window
        self.maps = maps
        self.masks = Masks()
        size = len(window.instance_id)
        self.changed = np.zeros(size, dtype=np.int32)
        self.level = np.full(size, -1, dtype=np.int32)
        self._expanded = np.zeros(size, dtype=np.int32)
        self._flow = flow
        self._extra = extra
        self._cross_day = cross_day
        self._levels = levels
        self._closed = closed

    def go(self, seeds: Mapping[int, int]) -> Reach:
        """Follow everything from instances (by number in the window) with the fields that change there."""
        for owner, mask in seeds.items():
            self.changed[owner] = self.masks.number(self._map(owner).spread(mask))
            self.level[owner] = 0
        frontier = np.array(sorted(seeds), dtype=np.int64)
        level = 0
        while len(frontier) and (self._levels is None or level < self._levels):
            level += 1
            frontier = self._step(frontier, level)
        return self

    def mask(self, owner: int) -> int:
        return self.masks.values[int(self.changed[owner])]

    @property
    def reached(self) -> Array:
        """Numbers of the instances with changing fields."""
        return np.flatnonzero(self.changed)

    def _map(self, owner: int) -> FieldMap:
        return self.maps[int(self.window.instances.version[owner])]

    def _step(self, frontier: Array, level: int) -> Array:
        touched: list[Array] = []
        values = self.masks.values
        versions = self.window.instances.version[frontier]
        for version, now, before, owners in _groups(
            frontier, versions, self.changed[frontier], self._expanded[frontier]
        ):
            self._expanded[owners] = now
            fresh = values[now] & ~values[before]
            if fresh:
                self._expand(version, fresh, owners, level, touched)
        if not touched:
            return np.empty(0, dtype=np.int64)
        found: Array = np.unique(np.concatenate(touched))
        return found

    def _expand(self, version: int, fresh: int, owners: Array, level: int, touched: list[Array]) -> None:
        """The readers of fields `fresh` of instances of one version."""
        window = self.window
        source, reader = self._edges(self.maps[version], fresh, owners)
        if not len(reader):
            return
        own = window.instance[reader].astype(np.int64)
        day = window.instances.day
        days = (day[own] - day[source]).astype(np.int64)
        keep = np.ones(len(own), dtype=bool) if self._cross_day else days == 0
        keep &= window.status[reader] >= 0
        if self._closed is not None:
            keep &= ~self._closed[reader]
        own, days, node = own[keep], days[keep], window.node[reader[keep]].astype(np.int64)
        for number, between, _, group in _groups(own, node, days, np.zeros(len(own), dtype=np.int64)):
            reached = self._flow.affected(number, version, between, fresh)
            if reached:
                self._add(int(window.catalog.node_version[number]), np.unique(group), reached, level, touched)

    def _edges(self, fields: FieldMap, fresh: int, owners: Array) -> tuple[Array, Array]:
        """(instance, row that reads it) for every node of the instances that computes one of the fields."""
        window = self.window
        nodes = fields.nodes if fresh & fields.keys else fields.running(fresh)
        offset, width = window.instances.offset[owners], window.instances.width[owners]
        rows: list[Array] = []
        sources: list[Array] = []
        for node in nodes:
            there = width > node.place
            found = window.places[offset[there] + node.place]
            rows.append(found[found >= 0])
            sources.append(owners[there][found >= 0])
        if not rows:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        return pairs(window, np.concatenate(sources), np.concatenate(rows).astype(np.int64))

    def _add(self, version: int, owners: Array, reached: int, level: int, touched: list[Array]) -> None:
        new = owners[self.changed[owners] == 0]
        extra = self._extra(new) if self._extra is not None and len(new) else {}
        fields, masks = self.maps[version], self.masks
        before = self.changed[owners]
        for number in np.unique(before).tolist():
            same = owners[before == number]
            after = masks.number(fields.spread(masks.values[number] | reached))
            if after != number:
                self.changed[same] = after
                touched.append(same)
        for owner, mask in extra.items():
            self.changed[owner] = masks.number(fields.spread(masks.values[int(self.changed[owner])] | mask))
        self.level[new] = level


def pairs(window: Window, sources: Array, rows: Array) -> tuple[Array, Array]:
    """Downstream edges of the rows, each with the source given for its row."""
    down = window.downstream
    starts = down.starts[rows].astype(np.int64)
    counts = down.starts[rows + 1].astype(np.int64) - starts
    ends = [down.ends[ranges(starts, counts)]]
    origins = [np.repeat(sources, counts)]
    for part_sources, part_ends in down.parts:
        low = np.searchsorted(part_sources, rows, side="left")
        counts = np.searchsorted(part_sources, rows, side="right") - low
        ends.append(part_ends[ranges(low, counts)])
        origins.append(np.repeat(sources, counts))
    return np.concatenate(origins), np.concatenate(ends).astype(np.int64)


def _groups(items: Array, first: Array, second: Array, third: Array) -> list[tuple[int, int, int, Array]]:
    """Items grouped by three columns of numbers."""
    if not len(items):
        return []
    order = np.lexsort((third, second, first))
    a, b, c = first[order], second[order], third[order]
    cuts = np.flatnonzero((np.diff(a) != 0) | (np.diff(b) != 0) | (np.diff(c) != 0)) + 1
    heads = np.concatenate([[0], cuts])
    parts = np.split(items[order], cuts)
    return [
        (int(a[at]), int(b[at]), int(c[at]), part) for at, part in zip(heads.tolist(), parts, strict=True)
    ]
