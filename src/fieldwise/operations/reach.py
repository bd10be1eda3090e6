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
        self._unions: dict[tuple[int, int, int], int] = {}

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
        """Follow what is fresh in the frontier by one edge; returns the instances in which more fields change now."""
        source, rows, fresh = self._rows(frontier)
        at, reader = pairs(self.window, np.arange(len(rows), dtype=np.int64), rows)
        window, day = self.window, self.window.instances.day
        own = window.instance[reader].astype(np.int64)
        days = (day[own] - day[frontier[source[at]]]).astype(np.int64)
        keep = np.ones(len(own), dtype=bool) if self._cross_day else days == 0
        if self._closed is not None:
            keep &= ~self._closed[reader]
        own, days, at, reader = own[keep], days[keep], at[keep], reader[keep]
        version = window.instances.version[frontier[source[at]]].astype(np.int64)
        reached = self._affected(window.node[reader].astype(np.int64), version, days, fresh[at])
        some = reached > 0
        return self._add(own[some], reached[some], level)

    def _rows(self, frontier: Array) -> tuple[Array, Array, Array]:
        """(place in the frontier, row, number of its fresh fields) of every node that computes a fresh field."""
        window, values = self.window, self.masks.values
        now, before = self.changed[frontier], self._expanded[frontier]
        changes, which = np.unique(now.astype(np.int64) << 32 | before, return_inverse=True)
        numbers = [
            self.masks.number(values[change >> 32] & ~values[change & 0xFFFFFFFF])
            for change in changes.tolist()
        ]
        fresh_of = np.array(numbers, dtype=np.int64)[which.ravel()]
        self._expanded[frontier] = now
        rows, counts = window.rows_of(frontier)
        source = np.repeat(np.arange(len(frontier), dtype=np.int64), counts)
        fresh = fresh_of[source]
        kinds, which = np.unique(window.node[rows].astype(np.int64) << 32 | fresh, return_inverse=True)
        computes = np.array(
            [self._computes(kind >> 32, kind & 0xFFFFFFFF) for kind in kinds.tolist()], dtype=bool
        )
        keep = computes[which.ravel()] if len(kinds) else np.zeros(0, dtype=bool)
        return source[keep], rows[keep].astype(np.int64), fresh[keep]

    def _computes(self, node: int, fresh: int) -> bool:
        fields = self.maps[int(self.window.catalog.node_version[node])]
        mask = self.masks.values[fresh]
        own = next(one.fields for one in fields.nodes if one.number == node)
        return bool(mask & (own | fields.keys))

    def _affected(self, node: Array, version: Array, days: Array, fresh: Array) -> Array:
        """Number of the set of fields that each edge reaches; the same edges of other days are asked for once."""
        if not len(node):
            return node
        first, one = np.unique(node << 32 | version, return_inverse=True)
        second, two = np.unique((days + (1 << 30)) << 32 | fresh, return_inverse=True)
        keys, which = np.unique(one.ravel() * len(second) + two.ravel(), return_inverse=True)
        found = []
        for key in keys.tolist():
            edge, change = int(first[key // len(second)]), int(second[key % len(second)])
            changed = self.masks.values[change & 0xFFFFFFFF]
            reached = self._flow.affected(edge >> 32, edge & 0xFFFFFFFF, (change >> 32) - (1 << 30), changed)
            found.append(self.masks.number(reached))
        answer: Array = np.array(found, dtype=np.int64)[which.ravel()]
        return answer

    def _add(self, owners: Array, reached: Array, level: int) -> Array:
        """Take in what reached the owners; returns those that changed."""
        masks, versions = self.masks, self.window.instances.version
        additions = np.unique(owners << 32 | reached)
        who = additions >> 32
        touched: dict[int, None] = {}
        new = np.unique(who[self.changed[who] == 0])
        extra = self._extra(new) if self._extra is not None and len(new) else {}
        columns = (who.tolist(), (additions & 0xFFFFFFFF).tolist(), versions[who].tolist())
        for owner, mask, version in zip(*columns, strict=True):
            before = int(self.changed[owner])
            after = self._joined(version, before, mask)
            if after != before:
                self.changed[owner] = after
                touched[owner] = None
        for owner, mask in extra.items():
            joined = masks.values[int(self.changed[owner])] | mask
            self.changed[owner] = masks.number(self._map(owner).spread(joined))
        self.level[new] = level
        return np.array(sorted(touched), dtype=np.int64)

    def _joined(self, version: int, before: int, more: int) -> int:
        key = (version, before, more)
        found = self._unions.get(key)
        if found is None:
            values = self.masks.values
            found = self.masks.number(self.maps[version].spread(values[before] | values[more]))
            self._unions[key] = found
        return found


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
