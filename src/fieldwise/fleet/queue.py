"""Decides in which order node instances that are due get the slots of their resource groups."""

from __future__ import annotations

import heapq
from collections import deque
from itertools import repeat

import numpy as np

from fieldwise.fleet.catalog import Array
from fieldwise.fleet.values import MINUTE
from fieldwise.fleet.window import ALONE, NONE, Window
from fieldwise.model.status import InstanceType, Priority

AGEING = 30 * MINUTE
MAIN = -1
_FEW = 8
_CHUNK = 1024


def aged(priority: Array, waited: Array) -> Array:
    """Effective priority plus one level per 30 minutes of waiting, up to High (spec 3, "Priority")."""
    steps = np.maximum(waited, 0) // AGEING
    level: Array = np.maximum(priority, np.minimum(priority + steps, Priority.HIGH)).astype(np.int8)
    return level


# Dispatch order, smaller first: negative level, late (backfills follow recurring instances of equal level),
# scheduled time, id; then the row and the number of its run, 0 for none.
Entry = tuple[int, int, int, int, int, int]


class _Run:
    """Entries already in dispatch order, made a few at a time."""

    __slots__ = ("at", "columns", "entries", "number")

    def __init__(self, columns: tuple[Array, ...], number: int) -> None:
        self.columns, self.number, self.at = columns, number, 0
        self.entries: list[Entry] = []

    def next(self) -> Entry | None:
        """The next entry, taken out."""
        if not self.entries:
            part = [column[self.at : self.at + _CHUNK].tolist() for column in self.columns]
            self.at += len(part[0])
            self.entries = list(zip(*part, repeat(self.number)))
            self.entries.reverse()
        return self.entries.pop() if self.entries else None


class Line:
    """A priority queue that takes thousands at once: a heap of single entries and of the heads of sorted
    runs."""

    __slots__ = ("heap", "next_run", "runs")

    def __init__(self) -> None:
        self.heap: list[Entry] = []
        self.runs: dict[int, _Run] = {}
        self.next_run = 1

    def push(self, entry: Entry) -> None:
        heapq.heappush(self.heap, entry)

    def push_run(self, columns: tuple[Array, ...]) -> None:
        """Columns of the entries, already in order."""
        run = self.runs[self.next_run] = _Run(columns, self.next_run)
        self.next_run += 1
        self._refill(run)

    def _refill(self, run: _Run) -> None:
        entry = run.next()
        if entry is None:
            del self.runs[run.number]
        else:
            heapq.heappush(self.heap, entry)

    def drop_head(self) -> None:
        number = heapq.heappop(self.heap)[5]
        if number:
            self._refill(self.runs[number])


class Queue:
    """Rows that are due, by resource group; a row that a full rule holds waits in that rule's own line.

    A group looks at the best of its own line and of the lines of rules that have room, so a full rule never
    holds up
    rows it does not match, and a full group never holds up another group.
    """

    def __init__(self, window: Window) -> None:
        self.window = window
        self.used: list[int] = []
        self.rule_running: list[int] = []
        self.lines: dict[tuple[int, int], Line] = {}
        self.held_by: dict[int, int] = {}
        self.ageing: deque[tuple[int, int, Array]] = deque()
        self.dirty: set[int] = set()
        self.moved: list[int] = []  # rows that a rule caught or let go
        self.queued = 0
        self._rules: dict[tuple[int, int], tuple[int, ...]] = {}
        self.refresh()

    def refresh(self) -> None:
        """After a publication: more groups or rules, other limits."""
        catalog = self.window.catalog
        self.used += [0] * (len(catalog.group_slots) - len(self.used))
        self.rule_running += [0] * (len(catalog.rule_limits) - len(self.rule_running))
        self._rules.clear()
        self.dirty.update(range(len(self.used)))

    def rules(self, row: int) -> tuple[int, ...]:
        """Numbers of the throttling rules that match the row."""
        window = self.window
        if not window.catalog.rule_limits:
            return ()
        kind = int(window.instances.type[window.instance[row]])
        key = (int(window.node[row]), kind)
        if key not in self._rules:
            self._rules[key] = window.catalog.rules_of(key[0], InstanceType(kind).word)
        return self._rules[key]

    def enter(self, rows: Array, now: int) -> None:
        window = self.window
        window.queued_at[rows] = now
        window.level[rows] = window.priority[rows]
        self.queued += len(rows)
        self._push(rows)
        self._age_later(rows, now, now)

    def leave(self, rows: Array) -> None:
        """Rows no longer wait for a slot; what the lines still hold of them is dropped when it comes up."""
        queued = rows[self.window.queued_at[rows] != NONE]
        self.window.queued_at[queued] = NONE
        self.queued -= len(queued)
        if self.held_by:
            for row in queued.tolist():
                self.held_by.pop(row, None)
        if len(queued):
            self.dirty.update(self.window.group[queued].tolist())

    def resort(self, rows: Array, now: int) -> None:
        """The rows' priority changed: their place in line changes at once."""
        window = self.window
        rows = rows[window.queued_at[rows] != NONE]
        if len(rows):
            window.level[rows] = aged(window.priority[rows], now - window.queued_at[rows])
            self._push(rows)
            self._age_later(rows, int(window.queued_at[rows].min()), now)

    def age(self, now: int) -> None:
        """Raise what has waited long enough."""
        window = self.window
        while self.ageing and self.ageing[0][0] <= now:
            _, since, rows = self.ageing.popleft()
            rows = rows[window.queued_at[rows] == since]
            before = window.level[rows]
            window.level[rows] = aged(window.priority[rows], now - window.queued_at[rows])
            self._push(rows[window.level[rows] != before])
            self._age_later(rows, since, now)

    def _age_later(self, rows: Array, since: int, now: int) -> None:
        rows = rows[self.window.level[rows] < Priority.HIGH]
        if len(rows):
            due = since + ((now - since) // AGEING + 1) * AGEING
            self.ageing.append((due, since, rows))

    def _push(self, rows: Array) -> None:
        window = self.window
        groups = window.group[rows]
        owner = window.instance[rows]
        late = window.instances.type[owner] == InstanceType.BACKFILL
        keys = (
            -window.level[rows].astype(np.int64),
            late,
            window.instances.scheduled_at[owner],
            window.id[rows],
        )
        if len(rows) <= _FEW:
            few = zip(*(c.tolist() for c in keys), rows.tolist(), groups.tolist(), strict=True)
            for level, behind, scheduled, number, row, group in few:
                rule = self.held_by.get(row, MAIN)
                self._line(group, rule).push((level, int(behind), scheduled, number, row, 0))
                self.dirty.add(group)
            return
        lines = np.full(len(rows), MAIN)
        if self.held_by:
            lines = np.array([self.held_by.get(row, MAIN) for row in rows.tolist()])
        order = np.lexsort((keys[3], keys[2], keys[1], keys[0], lines, groups))
        groups, lines = groups[order], lines[order]
        cuts = np.flatnonzero((np.diff(groups) != 0) | (np.diff(lines) != 0)) + 1
        for part in np.split(order, cuts):
            group = int(window.group[rows[part[0]]])
            rule = self.held_by.get(int(rows[part[0]]), MAIN)
            columns = (keys[0][part], late[part].astype(np.int64), keys[2][part], keys[3][part], rows[part])
            self._line(group, rule).push_run(columns)
            self.dirty.add(group)

    def _line(self, group: int, rule: int) -> Line:
        line = self.lines.get((group, rule))
        if line is None:
            line = self.lines[group, rule] = Line()
        return line

    def main_line(self, group: int) -> Line:
        """The line of the rows that no rule holds."""
        return self._line(group, MAIN)

    def head(self, group: int, rule: int) -> Entry | None:
        """The best row that still waits in this line."""
        line = self.lines.get((group, rule))
        if line is None:
            return None
        queued_at, level = self.window.queued_at, self.window.level
        heap, held_by = line.heap, self.held_by
        while heap:
            entry = heap[0]
            row = entry[4]
            if queued_at[row] != NONE and level[row] == -entry[0] and held_by.get(row, MAIN) == rule:
                return entry
            line.drop_head()
        return None

    def free(self, group: int) -> int:
        return self.window.catalog.group_slots[group] - self.used[group]

    def full_rule(self, row: int, more: int = 1) -> int | None:
        """The first matching rule without room for `more` rows."""
        if not self.rule_running:
            return None
        for rule in self.rules(row):
            if self.rule_running[rule] + more > self.window.catalog.rule_limits[rule]:
                return rule
        return None

    def take(self, group: int) -> int | None:
        """The row to start next in a group, None when nothing can start; the caller starts it or takes it
        out."""
        if self.free(group) <= 0 and not self.window.catalog.rule_limits:
            return None
        while True:
            entry, rule = self._best(group)
            if entry is None:
                return None
            row = entry[4]
            full = self.full_rule(row)
            if full is not None:
                self._hold(entry, group, rule, full)
                continue
            if rule != MAIN:
                self._let_go(entry, group, rule)
            return row if self.cost(row) <= self.free(group) else None

    def _best(self, group: int) -> tuple[Entry | None, int]:
        best, found = self.head(group, MAIN), MAIN
        if not self.held_by:
            return best, found
        for rule, running in enumerate(self.rule_running):
            if running < self.window.catalog.rule_limits[rule]:
                entry = self.head(group, rule)
                if entry is not None and (best is None or entry < best):
                    best, found = entry, rule
        return best, found

    def _hold(self, entry: Entry, group: int, rule: int, full: int) -> None:
        self.lines[group, rule].drop_head()
        self.held_by[entry[4]] = full
        self._line(group, full).push((*entry[:5], 0))
        self.moved.append(entry[4])

    def _let_go(self, entry: Entry, group: int, rule: int) -> None:
        self.lines[group, rule].drop_head()
        del self.held_by[entry[4]]
        self._line(group, MAIN).push((*entry[:5], 0))
        self.moved.append(entry[4])

    def cost(self, row: int) -> int:
        """Slots of a row, never more than its group has: else it would wait for ever."""
        cost: int = self.window.catalog.costs[self.window.node[row]]
        if cost == 1:
            return 1
        catalog = self.window.catalog
        slots: int = catalog.group_slots[int(self.window.group[row])]
        return max(1, min(cost, slots))

    def riders(self, row: int, group: int) -> list[int]:
        """Other nodes of the same table instance that wait in the same group and can join the statement."""
        window, catalog = self.window, self.window.catalog
        if not catalog.fusable[window.node[row]] or window.flags[row] & ALONE:
            return []
        owner = window.instance[row]
        offset = int(window.instances.offset[owner])
        peers = window.places[offset : offset + int(window.instances.width[owner])]
        peers = peers[(peers >= 0) & (peers != row)]
        free = (window.queued_at[peers] != NONE) & ((window.flags[peers] & ALONE) == 0)
        same = window.group[peers] == group
        found: list[int] = peers[free & same].tolist()
        return found

    def fits(self, rows: list[int], other: int, group: int) -> bool:
        """Whether a rider can join without breaking a rule's limit or the group's slots."""
        if max(self.cost(row) for row in (*rows, other)) > self.free(group):
            return False
        rules = self.rules(other)
        for rule in rules:
            members = sum(rule in self.rules(row) for row in rows)
            if self.rule_running[rule] + members + 1 > self.window.catalog.rule_limits[rule]:
                return False
        return True

    def start(self, rows: list[int], group: int) -> int:
        """Give the slots of the dearest row to a set; returns them."""
        cost = self.cost(rows[0]) if len(rows) == 1 else max(self.cost(row) for row in rows)
        self.used[group] += cost
        self.queued -= len(rows)
        for row in rows:
            self.window.queued_at[row] = NONE
            if self.rule_running:
                for rule in self.rules(row):
                    self.rule_running[rule] += 1
            if self.held_by:
                self.held_by.pop(row, None)
        return cost

    def end(self, row: int) -> None:
        """A row stopped running: its rules have room again."""
        for rule in self.rules(row):
            self.rule_running[rule] -= 1
            self.dirty.update(group for group, held in self.lines if held == rule)

    def release(self, group: int, cost: int) -> None:
        self.used[group] -= cost
        self.dirty.add(group)
