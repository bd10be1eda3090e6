"""Decides what one group commit writes: collects the moves of a decision and turns them into facts."""

from __future__ import annotations

from itertools import repeat

import numpy as np

from fieldwise.fleet.catalog import Array
from fieldwise.fleet.fold import instance_states
from fieldwise.fleet.transitions import next_status
from fieldwise.fleet.window import Window
from fieldwise.model.event import CommitBatch, Event, Transition
from fieldwise.model.status import Status

# THE TABLE as an array: status after an event, -1 where the event cannot happen.
_AFTER: Array = np.array(
    [
        [-1 if (after := next_status(event, status)) is None else after for status in Status]
        for event in Event
    ],
    dtype=np.int8,
)


class Changes:
    """Moves since the decision began. Every status change goes through `move`."""

    def __init__(self, window: Window, now: int) -> None:
        self.window = window
        self.now = now
        self.batch = CommitBatch(at=now)
        self._touched: list[Array] = []

    def move(self, event: Event, rows: Array, operation: int = 0, detail: str = "") -> None:
        """Apply an event to rows it can happen to; marks and runs are already as they shall be."""
        window = self.window
        before = window.status[rows]
        after = _AFTER[event][before]
        if len(rows) and int(after.min()) < 0:
            bad = int(rows[int(np.argmin(after))])
            raise AssertionError(f"{event.name} cannot happen in {Status(int(window.status[bad])).word}")
        window.status[rows] = after
        self._touched.append(rows)
        columns = zip(
            window.id[rows].tolist(),
            repeat(int(event)),
            before.tolist(),
            after.tolist(),
            window.marks[rows].tolist(),
            repeat(self.now),
            window.run[rows].tolist(),
            window.attempt[rows].tolist(),
            repeat(operation),
            repeat(detail),
            strict=False,
        )
        self.batch.transitions.extend(map(tuple.__new__, repeat(Transition), columns))

    def finish(self) -> CommitBatch:
        """The batch with the state of everything that changed."""
        if self._touched:
            rows = np.unique(np.concatenate(self._touched))
            self.batch.nodes = self.window.states(rows)
            self.batch.instances = instance_states(self.window, np.unique(self.window.instance[rows]))
        return self.batch
