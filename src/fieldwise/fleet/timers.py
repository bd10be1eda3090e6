"""Decides which rows and attempts are due at an instant: everything that waits for time, soonest first."""

from __future__ import annotations

import heapq
from collections.abc import Callable

import numpy as np

from fieldwise.fleet.catalog import Array


class Timers:
    """Rows with the instant they are due; takes and gives many at once."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []
        self._runs: dict[int, tuple[Array, Array]] = {}
        self._next = 0

    def add(self, due: Array, rows: Array) -> None:
        order = np.argsort(due, kind="stable")
        self._push(due[order], rows[order])

    def _push(self, due: Array, rows: Array) -> None:
        if len(rows):
            self._runs[self._next] = (due, rows)
            heapq.heappush(self._heap, (int(due[0]), self._next))
            self._next += 1

    def due(self, now: int) -> Array:
        """Rows due at `now`, removed."""
        found: list[Array] = []
        while self._heap and self._heap[0][0] <= now:
            _, number = heapq.heappop(self._heap)
            due, rows = self._runs.pop(number)
            count = int(np.searchsorted(due, now, side="right"))
            found.append(rows[:count])
            self._push(due[count:], rows[count:])
        return np.concatenate(found) if found else np.empty(0, dtype=np.int64)

    @property
    def next(self) -> int | None:
        return self._heap[0][0] if self._heap else None


class Deadlines:
    """Attempts with the instant at which they have run too long; ended ones are forgotten now and then."""

    def __init__(self, running: Callable[[int], bool]) -> None:
        self._heap: list[tuple[int, int, list[tuple[int, int]]]] = []
        self._running = running
        self._next = 0

    def add(self, at: Array, attempts: Array) -> None:
        if len(at):
            self._push(sorted(zip(at.tolist(), attempts.tolist(), strict=True)))

    def _push(self, entries: list[tuple[int, int]]) -> None:
        heapq.heappush(self._heap, (entries[0][0], self._next, entries))
        self._next += 1

    def tidy(self, running: int) -> None:
        """Forget ended attempts when they are many."""
        if len(self._heap) > 2 * running + 256:
            batches = [[entry for entry in batch if self._running(entry[1])] for _, _, batch in self._heap]
            self._heap = [(batch[0][0], number, batch) for number, batch in enumerate(batches) if batch]
            self._next = len(batches)
            heapq.heapify(self._heap)

    def due(self, now: int) -> list[int]:
        """Attempts that still run and should not, removed."""
        found: list[int] = []
        while self._heap and self._heap[0][0] <= now:
            _, _, batch = heapq.heappop(self._heap)
            running = [entry for entry in batch if self._running(entry[1])]
            found += [attempt for at, attempt in running if at <= now]
            later = [entry for entry in running if entry[0] > now]
            if later:
                self._push(later)
        return found

    @property
    def next(self) -> int | None:
        return self._heap[0][0] if self._heap else None
