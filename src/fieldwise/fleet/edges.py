"""Decides on which upstream node instances a node instance waits: windows and policies resolved to edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fieldwise.fleet.catalog import (
    DAYS,
    IN_INTERVAL,
    LAST_24_HOURS,
    OF_DAY,
    POLICIES,
    PREVIOUS_SLOT,
    SAME_SLOT,
    Array,
    Catalog,
    Ints,
)
from fieldwise.fleet.values import DAY, Facts
from fieldwise.model.event import to_day
from fieldwise.model.schedule import Policy

ALL, FIRST, LAST = POLICIES[Policy.ALL], POLICIES[Policy.FIRST], POLICIES[Policy.LAST]
AFTER, BEFORE = POLICIES[Policy.NEAREST_AFTER], POLICIES[Policy.NEAREST_BEFORE]
PURGED, NOT_GENERATED = -1, -2


def ranges(starts: Array, counts: Array) -> Ints:
    """The integers start .. start + count - 1 of every pair, one after the other."""
    total = int(counts.sum())
    if total == len(counts) and total and int(counts.max()) == 1:
        return starts.astype(np.int64, copy=False)
    shifts = np.repeat(starts - (np.cumsum(counts) - counts), counts)
    return shifts + np.arange(total, dtype=np.int64)


class Instances(NamedTuple):
    """Columns of the instances in the window, one element each. `offset`, `width`: its row of node places."""

    task: Array
    version: Array
    flow: Array
    type: Array
    scheduled_at: Array
    slot_start: Array
    day: Array
    ordinal: Array
    offset: Array
    width: Array


class Resolved(NamedTuple):
    """Edges row -> upstream row, the dependency of each, and the slots that are due but not generated."""

    row: Array
    upstream: Array
    missing_row: Array
    missing_depend: Array
    missing_task: Array
    missing_day: Array


class Slots:
    """All slots to choose from, sorted by (flow, task, day, instant): those of instances in the window
    and, with instance < 0, those only the calendar knows: PURGED (satisfied) or NOT_GENERATED (blocked)."""

    def __init__(self, catalog: Catalog, instances: Instances, chosen: Array, virtual: Array) -> None:
        self.tasks = len(catalog.task_names)
        flows = instances.flow[chosen]
        self.flows = np.unique(np.append(flows, 0)) if flows.any() else np.zeros(1, dtype=np.int64)
        chart = self.chart(instances.flow[chosen], instances.task[chosen])
        columns = [
            np.concatenate([chart, virtual[:, 0]]),
            np.concatenate([instances.day[chosen].astype(np.int64), virtual[:, 1]]),
            np.concatenate([instances.scheduled_at[chosen], virtual[:, 2]]),
            np.concatenate([instances.slot_start[chosen], virtual[:, 3]]),
            np.concatenate([chosen.astype(np.int64), virtual[:, 4]]),
        ]
        self.day0 = int(columns[1].min()) - 1 if len(columns[1]) else 0
        self.days = (int(columns[1].max()) - self.day0 + 2) if len(columns[1]) else 2
        key = columns[0] * self.days + (columns[1] - self.day0)
        # Generated day by day, the key is what sorts; instants decide only inside a day.
        order = np.lexsort((columns[2], key))
        self.key = key[order]
        self.line, self.day, self.scheduled, self.slot_start, self.instance = (c[order] for c in columns)
        size = len(self.flows) * self.tasks * self.days
        self.dense: Array | None = None
        if size <= 4 * len(key) + 1_000_000:
            counts = np.bincount(self.key, minlength=size)
            self.dense = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        self._instants: dict[str, tuple[Array, Array]] = {}

    def chart(self, flow: Array, task: Array) -> Ints:
        """The line of a (flow, task): slots of different flows never meet."""
        line: Ints = np.searchsorted(self.flows, flow) * self.tasks + task
        return line

    def position(self, line: Array, day: Array, after: int) -> Ints:
        """Position of the first slot of a line on or after a day (`after` = 1: after it)."""
        key = line * self.days + np.clip(day - self.day0, 0, self.days - 1) + after
        dense = self.dense
        found: Ints = dense[key].astype(np.int64) if dense is not None else np.searchsorted(self.key, key)
        return found

    def instant(self, column: str, line: Array, instant: Array, after: bool) -> Ints:
        """Position of the first slot of a line at or after an instant (`after`: strictly after)."""
        if column not in self._instants:
            values = getattr(self, column)
            times = np.unique(values)
            self._instants[column] = times, self.line * (len(times) + 1) + np.searchsorted(times, values)
        times, keys = self._instants[column]
        wanted = line * (len(times) + 1) + np.searchsorted(times, instant, side="right" if after else "left")
        found: Ints = np.searchsorted(keys, wanted)
        return found


class Resolver:
    """Resolves (row, dependency) pairs of instances; pairs and answers are arrays of equal length."""

    def __init__(self, catalog: Catalog, facts: Facts, births: dict[int, tuple[int, int]]) -> None:
        self.catalog = catalog
        self.facts = facts
        self.births = births
        self.gaps: dict[str, list[tuple[int, int]]] = {}
        for gap in facts.gaps:
            self.gaps.setdefault(gap.project, []).append((to_day(gap.first), to_day(gap.last)))

    def resolve(
        self, instances: Instances, places: Array, rows: Array, owners: Array, nodes: Array
    ) -> Resolved:
        """Edges of `rows`, whose instances are `owners` and whose node numbers are `nodes`."""
        starts = self.catalog.depend_starts[nodes]
        counts = self.catalog.depend_starts[nodes + 1] - starts
        row, owner, node = (np.repeat(column, counts) for column in (rows, owners, nodes))
        return self.resolve_pairs(instances, places, row, owner, node, ranges(starts, counts))

    def pairs(self, rows: Array, nodes: Array) -> tuple[Array, Array]:
        """Every (row, dependency) of the rows."""
        starts = self.catalog.depend_starts[nodes]
        counts = self.catalog.depend_starts[nodes + 1] - starts
        return np.repeat(rows, counts), ranges(starts, counts)

    def resolve_pairs(
        self, instances: Instances, places: Array, row: Array, owner: Array, node: Array, depend: Array
    ) -> Resolved:
        slots = self.slots(instances, owner, depend)
        size = 1 << 16
        parts = [
            self._part(
                slots,
                instances,
                places,
                row[i : i + size],
                owner[i : i + size],
                node[i : i + size],
                depend[i : i + size],
            )
            for i in range(0, max(len(row), 1), size)
        ]
        return Resolved(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def slots(self, instances: Instances, owner: Array, depend: Array) -> Slots:
        """Every slot these pairs can see, with those of days that the window does not hold."""
        catalog = self.catalog
        tasks = np.zeros(len(catalog.task_names), dtype=bool)
        tasks[catalog.depend_task[depend]] = True
        tasks[instances.task[owner]] = True
        chosen = np.flatnonzero(tasks[instances.task]) if not tasks.all() else np.arange(len(instances.task))
        none = np.empty((0, 5), dtype=np.int64)
        real = Slots(catalog, instances, chosen, none)
        virtual = self._virtual(real, instances, owner, depend)
        return Slots(catalog, instances, chosen, virtual) if len(virtual) else real

    def _virtual(self, real: Slots, instances: Instances, owner: Array, depend: Array) -> Array:
        """Slots that the calendar has on days that the recurring flow of an upstream does not hold."""
        found: set[tuple[int, int]] = set()
        size = 1 << 16
        for i in range(0, len(owner), size):
            who, what = owner[i : i + size], depend[i : i + size]
            recurring = instances.flow[who] == 0
            found |= self._absent_days(real, instances, who[recurring], what[recurring])
        rows = [row for task, day in sorted(found) for row in self._calendar_slots(real, task, day)]
        return np.array(rows, dtype=np.int64).reshape(len(rows), 5)

    def _absent_days(
        self, real: Slots, instances: Instances, owner: Array, depend: Array
    ) -> set[tuple[int, int]]:
        if not len(owner):
            return set()
        first, last = self.days(instances, owner, depend)
        counts = last - first + 1
        line = np.repeat(real.chart(np.zeros(1, dtype=np.int64), self.catalog.depend_task[depend]), counts)
        days = ranges(first, counts)
        absent = real.position(line, days, 0) == real.position(line, days, 1)
        if not absent.any():
            return set()
        base = int(days.min())
        span = int(days.max()) - base + 1
        keys = np.unique(
            np.repeat(self.catalog.depend_task[depend], counts)[absent] * span + days[absent] - base
        )
        return {(int(key) // span, int(key) % span + base) for key in keys}

    def days(self, instances: Instances, owner: Array, depend: Array) -> tuple[Ints, Ints]:
        """Data days of the upstream that a pair's window can touch, a day more where zones may differ."""
        catalog = self.catalog
        day = instances.day[owner].astype(np.int64)
        first = day - catalog.depend_first[depend]
        last = day - catalog.depend_last[depend]
        kind = catalog.depend_kind[depend]
        looks = (kind != DAYS) & (kind != PREVIOUS_SLOT)
        if looks.any():
            begin, end = self.instants(instances, owner[looks], depend[looks])
            first[looks] = begin // DAY - 2
            last[looks] = end // DAY + 1
        return first, last

    def instants(self, instances: Instances, owner: Array, depend: Array) -> tuple[Ints, Ints]:
        """First and last instant that an instant window looks at."""
        kind = self.catalog.depend_kind[depend]
        begin = instances.slot_start[owner].astype(np.int64)
        end = instances.scheduled_at[owner].astype(np.int64)
        begin = np.where(kind == LAST_24_HOURS, end - DAY, begin)
        end = np.where(kind == SAME_SLOT, begin, end)
        of_day = kind == OF_DAY
        if of_day.any():
            bounds = self._bounds(instances, owner[of_day])
            begin[of_day], end[of_day] = bounds[:, 0], bounds[:, 1]
        return begin, end

    def _bounds(self, instances: Instances, owner: Array) -> Array:
        """Local midnights around the data timestamp of each owner."""
        known: dict[tuple[str, int], tuple[int, int]] = {}
        rows = []
        for task, day in zip(instances.task[owner].tolist(), instances.day[owner].tolist(), strict=True):
            key = (self.catalog.task_projects[task], day)
            if key not in known:
                known[key] = self.facts.day_bounds(*key)
            rows.append(known[key])
        return np.array(rows, dtype=np.int64)

    def _calendar_slots(self, real: Slots, task: int, day: int) -> list[tuple[int, int, int, int, int]]:
        name, project = self.catalog.task_names[task], self.catalog.task_projects[task]
        birth = self.births.get(task)
        if birth is not None and day < birth[1]:
            return []
        if any(first <= day <= last for first, last in self.gaps.get(project, ())):
            return []
        rows = []
        line = int(real.chart(np.zeros(1, dtype=np.int64), np.array([task]))[0])
        for scheduled_at, slot_start in self.facts.slots(name, day):
            if birth is None or scheduled_at >= birth[0]:
                gone = birth is not None and self.facts.purged(name, scheduled_at)
                rows.append((line, day, scheduled_at, slot_start, PURGED if gone else NOT_GENERATED))
        return rows

    def _part(
        self,
        slots: Slots,
        instances: Instances,
        places: Array,
        row: Array,
        owner: Array,
        node: Array,
        depend: Array,
    ) -> Resolved:
        low, high = self._window(slots, instances, owner, depend)
        low, high = self._pick(slots, instances, owner, node, depend, low, high)
        counts = np.maximum(high - low, 0)
        at = ranges(low, counts)
        row, depend = np.repeat(row, counts), np.repeat(depend, counts)
        found = slots.instance[at]
        lost = found == NOT_GENERATED
        if lost.any() and self.catalog.depend_history.any():
            # Of the days before its window only what was generated counts.
            first, _ = self.days(instances, np.repeat(owner, counts), depend)
            lost &= ~self.catalog.depend_history[depend] | (slots.day[at] >= first)
        real = found >= 0
        edge_row, edge_up = self._expand(instances, places, row[real], depend[real], found[real])
        return Resolved(
            edge_row.astype(np.int32),
            edge_up.astype(np.int32),
            row[lost].astype(np.int32),
            depend[lost].astype(np.int32),
            (slots.line[at[lost]] % slots.tasks).astype(np.int32),
            slots.day[at[lost]].astype(np.int32),
        )

    def _window(self, slots: Slots, instances: Instances, owner: Array, depend: Array) -> tuple[Ints, Ints]:
        """Positions [low, high) of the upstream's slots in each pair's window."""
        catalog = self.catalog
        line = slots.chart(instances.flow[owner], catalog.depend_task[depend])
        day = instances.day[owner].astype(np.int64)
        low = slots.position(line, day - catalog.depend_first[depend], 0)
        high = slots.position(line, day - catalog.depend_last[depend], 1)
        kind = catalog.depend_kind[depend]
        history = catalog.depend_history[depend]
        if not kind.any():
            return self._since_ever(slots, line, low, history), high
        mine = instances.scheduled_at[owner]
        self_dependent = kind == PREVIOUS_SLOT
        before = slots.instant("scheduled", line, mine, after=False)
        high = np.where(self_dependent, np.minimum(high, before), high)
        low = np.where(self_dependent, np.maximum(low, high - 1), low)
        begin, end = self.instants(instances, owner, depend)
        for chosen, column, after_begin, after_end in (
            (LAST_24_HOURS, "scheduled", True, True),
            (SAME_SLOT, "slot_start", False, True),
            (IN_INTERVAL, "slot_start", False, False),
            (OF_DAY, "slot_start", False, False),
        ):
            mask = kind == chosen
            if mask.any():
                low[mask] = slots.instant(column, line[mask], begin[mask], after_begin)
                high[mask] = slots.instant(column, line[mask], end[mask], after_end)
        return self._since_ever(slots, line, low, history), high

    @staticmethod
    def _since_ever(slots: Slots, line: Array, low: Ints, history: Array) -> Ints:
        if not history.any():
            return low
        first = slots.position(line, np.full(len(line), slots.day0, dtype=np.int64), 0)
        return np.where(history, first, low)

    def _pick(
        self,
        slots: Slots,
        instances: Instances,
        owner: Array,
        node: Array,
        depend: Array,
        low: Ints,
        high: Ints,
    ) -> tuple[Ints, Ints]:
        """The one slot that a policy other than `all` chooses inside [low, high)."""
        policy = self.catalog.depend_policy[depend]
        if not policy.any():
            return low, high
        line = slots.chart(instances.flow[owner], self.catalog.depend_task[depend])
        mine = instances.scheduled_at[owner]
        after = np.minimum(np.maximum(slots.instant("scheduled", line, mine, after=False), low), high - 1)
        before = np.maximum(np.minimum(slots.instant("scheduled", line, mine, after=True) - 1, high - 1), low)
        picks = np.select(
            [policy == FIRST, policy == LAST, policy == AFTER, policy == BEFORE],
            [low, high - 1, after, before],
            low,
        )
        nearest = (policy == AFTER) | (policy == BEFORE)
        if nearest.any():
            picks = np.where(
                nearest & self._equal_counts(slots, instances, owner, node, depend, low, high),
                low + instances.ordinal[owner],
                picks,
            )
        one = (policy != ALL) & (high > low)
        return np.where(one, picks, low), np.where(one, picks + 1, high)

    def _equal_counts(
        self,
        slots: Slots,
        instances: Instances,
        owner: Array,
        node: Array,
        depend: Array,
        low: Ints,
        high: Ints,
    ) -> Array:
        """Two sub-day tasks with equally many slots that day pair by ordinal (spec 3)."""
        catalog = self.catalog
        line = slots.chart(instances.flow[owner], instances.task[owner])
        day = instances.day[owner].astype(np.int64)
        own = slots.position(line, day, 1) - slots.position(line, day, 0)
        one_day = (catalog.depend_kind[depend] == DAYS) & (
            catalog.depend_first[depend] == catalog.depend_last[depend]
        )
        answer: Array = one_day & catalog.node_sub_day[node] & (own > 1) & (own == high - low)
        return answer & (instances.ordinal[owner] < own)

    def _expand(
        self, instances: Instances, places: Array, row: Array, depend: Array, upstream: Array
    ) -> tuple[Array, Array]:
        """From upstream instances to the rows of the nodes that the dependency names."""
        catalog = self.catalog
        starts = catalog.place_starts[depend]
        counts = catalog.place_starts[depend + 1] - starts
        every = counts == 0  # no node named: all nodes of the upstream
        if every.any():
            counts = np.where(every, instances.width[upstream], counts)
        at = ranges(starts, counts)
        wide_up = np.repeat(upstream, counts)
        if every.any():
            inside = np.repeat(every, counts)
            begins = np.cumsum(counts) - counts
            order = np.arange(len(at), dtype=np.int64) - np.repeat(begins, counts)
            place = np.where(
                inside, order, catalog.place_lists[np.where(inside, 0, at)] if len(catalog.place_lists) else 0
            )
        else:
            place = catalog.place_lists[at]
        fits = place < instances.width[wide_up]
        found = places[instances.offset[wide_up] + np.where(fits, place, 0)]
        found = np.where(fits, found, -1)
        rows = np.repeat(row, counts)
        gone = found < 0
        if gone.any():
            more_row, more_up = self._other_version(
                instances, places, row, depend, upstream, every, counts, gone
            )
            rows, found = np.concatenate([rows, more_row]), np.concatenate([found, more_up])
        keep = (found >= 0) & (found != rows)
        rows, found = rows[keep], found[keep]
        if gone.any():
            order = np.argsort(rows, kind="stable")
            rows, found = rows[order], found[order]
        return rows, found

    def _other_version(
        self,
        instances: Instances,
        places: Array,
        row: Array,
        depend: Array,
        upstream: Array,
        every: Array,
        counts: Array,
        gone: Array,
    ) -> tuple[Array, Array]:
        """Edges to instances of a version that groups its fields into other nodes."""
        which = np.unique(np.repeat(np.arange(len(row)), counts)[gone])
        rows: list[int] = []
        found: list[int] = []
        for i in which[~every[which]].tolist():
            up = int(upstream[i])
            for place in self.catalog.upstream_nodes(int(depend[i]), int(instances.version[up])):
                rows.append(int(row[i]))
                found.append(int(places[instances.offset[up] + place]) if place < instances.width[up] else -1)
        return np.array(rows, dtype=np.int64), np.array(found, dtype=np.int64)


class Reach:
    """What a new generation may change for older instances: new slots, and days no longer before the
    birth of their task."""

    def __init__(
        self,
        instances: Instances,
        owners: Array,
        before: dict[int, tuple[int, int]],
        now: dict[int, tuple[int, int]],
    ) -> None:
        flow, task, day = instances.flow[owners], instances.task[owners], instances.day[owners]
        starts, ends = instances.slot_start[owners], instances.scheduled_at[owners]
        moved = [
            (0, number, birth[1], before[number][1], birth[0] - DAY, before[number][0])
            for number, birth in now.items()
            if number in before and birth[0] < before[number][0]
        ]
        moves = np.array(moved, dtype=np.int64).reshape(len(moved), 6)
        columns = [flow, task, day, day, starts, ends]
        table = [np.concatenate([column.astype(np.int64), moves[:, i]]) for i, column in enumerate(columns)]
        lines, line = np.unique(np.stack(table[:2], axis=1), axis=0, return_inverse=True)
        line = line.ravel()
        self.flow, self.task = lines[:, 0], lines[:, 1]
        self.first_day, self.last_day, self.first, self.last = (
            np.full(len(lines), value) for value in (2**62, -(2**62), 2**62, -(2**62))
        )
        np.minimum.at(self.first_day, line, table[2])
        np.maximum.at(self.last_day, line, table[3])
        np.minimum.at(self.first, line, table[4])
        np.maximum.at(self.last, line, table[5])

    def near(self, instances: Instances, catalog: Catalog, size: int) -> Array:
        """Of the first `size` instances those that are new enough to look at the new slots at all."""
        flows = np.isin(instances.flow[:size], np.unique(self.flow))
        # Days of two zones differ by one at most, and a window of instants may begin in the day before.
        margin = np.where(catalog.version_looks[instances.version[:size]], 2, 0)
        answer: Array = flows & (instances.day[:size] >= int(self.first_day.min()) - margin)
        return answer

    def hits(self, instances: Instances, owner: Array, depend: Array, resolver: Resolver) -> Array:
        """Pairs (owner, dependency) whose window touches the new slots of its upstream."""
        hit = np.zeros(len(owner), dtype=bool)
        if not len(owner):
            return hit
        catalog = resolver.catalog
        base = len(catalog.task_names)
        flows = np.unique(self.flow)
        keys = np.searchsorted(flows, self.flow) * base + self.task
        wanted = np.minimum(np.searchsorted(flows, instances.flow[owner]), len(flows) - 1) * base
        wanted = wanted + catalog.depend_task[depend]
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        there = np.flatnonzero(keys[at] == wanted)
        at, owner, depend = at[there], owner[there], depend[there]
        first, last = resolver.days(instances, owner, depend)
        begin, end = resolver.instants(instances, owner, depend)
        history = catalog.depend_history[depend]
        first, begin = np.where(history, -(2**62), first), np.where(history, -(2**62), begin)
        kind = catalog.depend_kind[depend]
        by_day = (kind == DAYS) | (kind == PREVIOUS_SLOT)
        days = (first <= self.last_day[at]) & (last >= self.first_day[at])
        # Slots of an interval begin before it ends: the slot that begins where mine ends is the next one's.
        open_end = (kind == IN_INTERVAL) | (kind == OF_DAY)
        ends = np.where(open_end, end > self.first[at], end >= self.first[at])
        hit[there] = np.where(by_day, days, ends & (begin <= self.last[at]))
        return hit


class Adjacency:
    """Edges out of each row: a big sorted part and a few small ones that later generations added."""

    def __init__(self) -> None:
        self.starts = np.zeros(1, dtype=np.int32)
        self.ends = np.empty(0, dtype=np.int32)
        self.parts: list[tuple[Array, Array]] = []

    def grow(self, rows: int) -> None:
        missing = rows + 1 - len(self.starts)
        if missing > 0:
            self.starts = np.concatenate([self.starts, np.full(missing, self.starts[-1], dtype=np.int32)])

    def add(self, sources: Array, ends: Array, rows: int) -> None:
        self.grow(rows)
        if not len(sources):
            return
        if 4 * len(sources) > len(self.ends) or len(self.parts) >= 6:
            parts = [(self._sources(), self.ends), *self.parts, (sources, ends)]
            sources = np.concatenate([part[0] for part in parts])
            ends = np.concatenate([part[1] for part in parts])
            self.parts = []
            self.starts, self.ends = _sorted_edges(sources, ends, rows)
        else:
            order = np.argsort(sources, kind="stable")
            self.parts.append((sources[order], ends[order]))

    def drop(self, unwanted: Callable[[Array, Array], Array]) -> None:
        """Remove the edges for which `unwanted(sources, ends)` says so."""
        rows = len(self.starts) - 1
        parts = [(self._sources(), self.ends), *self.parts]
        sources = np.concatenate([part[0] for part in parts])
        ends = np.concatenate([part[1] for part in parts])
        kept = ~unwanted(sources, ends)
        self.parts = []
        self.starts, self.ends = _sorted_edges(sources[kept], ends[kept], rows)

    def _sources(self) -> Array:
        return np.repeat(np.arange(len(self.starts) - 1, dtype=np.int32), np.diff(self.starts))

    def of(self, rows: Array) -> Array:
        """Ends of all edges of the rows, row after row within each part; repeated ends are kept."""
        starts = self.starts[rows]
        found = self.ends[ranges(starts.astype(np.int64), self.starts[rows + 1] - starts)]
        if not self.parts:
            return found
        more = [found]
        for sources, ends in self.parts:
            low = np.searchsorted(sources, rows, side="left")
            more.append(ends[ranges(low, np.searchsorted(sources, rows, side="right") - low)])
        return np.concatenate(more)

    @property
    def nbytes(self) -> int:
        return int(self.starts.nbytes + self.ends.nbytes + sum(a.nbytes + b.nbytes for a, b in self.parts))


def _sorted_edges(sources: Array, ends: Array, rows: int) -> tuple[Array, Array]:
    keys = (sources.astype(np.int64) << 32) | ends
    if len(keys) > 1 and not bool((keys[1:] >= keys[:-1]).all()):
        keys.sort()
    counts = np.bincount(sources, minlength=rows)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return starts, (keys & 0xFFFFFFFF).astype(np.int32)
