"""Decides which part of a confirmed operation is applied next: chunk by chunk, running rows when they have stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from fieldwise.fleet.catalog import Array
from fieldwise.fleet.values import Order
from fieldwise.fleet.window import OPERATED, Window
from fieldwise.model.status import Status

# Kinds of phases that wait until a running row has stopped; the others apply to running rows as they are.
RECOMPUTES = frozenset({"rerun", "force", "dry_run", "pass_through", "undo"})


class Part(NamedTuple):
    """Rows to which a phase is applied now."""

    kind: str
    rows: Array
    value: Any
    operation: int


@dataclass
class Applying:
    """An order and how far it has come. `rows`: of all phases, one after the other."""

    order: Order
    rows: Array
    ends: list[int]
    cursor: int
    refused: list[int] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return self.cursor >= len(self.rows)

    def phase(self) -> int:
        return next(i for i, end in enumerate(self.ends) if self.cursor < end)


class Orders:
    """Operations being applied, oldest first. Their rows are held until the last of them is done (spec 4, "Apply")."""

    def __init__(self, window: Window, chunk: int) -> None:
        self._window = window
        self._chunk = chunk
        self._orders: list[Applying] = []
        self._holder: dict[int, int] = {}

    def operated(self, row: int) -> int:
        """The operation that holds a row, 0 for none."""
        return self._holder.get(row, 0)

    def take(self, order: Order) -> Array:
        """Begin to apply an order; returns the rows it holds from now on."""
        rows: list[int] = []
        ends: list[int] = []
        cursor = 0
        counted = 0
        for _, numbers, _ in order.phases:
            for number in numbers:
                row = self._window.row(number)
                counted += 1
                if row is not None:
                    rows.append(row)
                if counted == order.applied:
                    cursor = len(rows)
            ends.append(len(rows))
        applying = Applying(order, np.array(rows, dtype=np.int64), ends, cursor, list(order.refused))
        self._orders.append(applying)
        if any(kind in RECOMPUTES for kind, _, _ in order.phases):
            for row in rows:
                self._holder[row] = order.operation
            self._window.flags[applying.rows] |= OPERATED
            return applying.rows
        return applying.rows[:0]

    def to_stop(self) -> Iterator[tuple[int, Array]]:
        """(operation, rows that run and must stop before it can be applied to them)."""
        for applying in self._orders:
            found = [
                self._segment(applying, i)
                for i, (kind, _, _) in enumerate(applying.order.phases)
                if kind in RECOMPUTES
            ]
            rows = np.concatenate(found) if found else applying.rows[:0]
            running = rows[self._window.status[rows] == Status.RUNNING]
            if len(running):
                yield applying.order.operation, running

    def _segment(self, applying: Applying, phase: int) -> Array:
        start = applying.ends[phase - 1] if phase else 0
        return applying.rows[max(start, applying.cursor) : applying.ends[phase]]

    def next(self) -> Iterator[Part]:
        """Parts to apply now, together at most a chunk; the caller applies each before it asks for the next."""
        budget = self._chunk
        for applying in self._orders:
            while budget > 0 and not applying.done:
                phase = applying.phase()
                kind, _, value = applying.order.phases[phase]
                rows = self._segment(applying, phase)[:budget]
                if kind in RECOMPUTES:
                    running = np.flatnonzero(self._window.status[rows] == Status.RUNNING)
                    rows = rows[: int(running[0])] if len(running) else rows
                if not len(rows):
                    break
                yield Part(kind, rows, value, applying.order.operation)
                applying.cursor += len(rows)
                budget -= len(rows)

    def finished(self) -> list[tuple[Applying, Array]]:
        """Orders that are done, removed, with the rows they let go."""
        done = [one for one in self._orders if one.done]
        self._orders = [one for one in self._orders if not one.done]
        return [(applying, self._let_go(applying)) for applying in done]

    def cancel(self, operation: int) -> tuple[Applying, Array] | None:
        """Take an order out; returns it with the rows it lets go, None if it is not being applied."""
        for applying in self._orders:
            if applying.order.operation == operation:
                self._orders.remove(applying)
                return applying, self._let_go(applying)
        return None

    def _let_go(self, applying: Applying) -> Array:
        every = dict.fromkeys(applying.rows.tolist())  # a row may be in several phases
        free = [row for row in every if self._holder.get(row) == applying.order.operation]
        for row in free:
            del self._holder[row]
        rows = np.array(free, dtype=np.int64)
        self._window.flags[rows] &= ~np.uint8(OPERATED)
        return rows

    def open(self) -> list[Applying]:
        return self._orders

    @property
    def ready(self) -> bool:
        """Whether another chunk could be applied at once."""
        for applying in self._orders:
            phase = applying.phase()
            rows = self._segment(applying, phase)
            if applying.order.phases[phase][0] not in RECOMPUTES:
                return True
            if self._window.status[rows[0]] != Status.RUNNING:
                return True
        return False
