"""Once a day drops what is older than the retention."""

from __future__ import annotations

from fieldwise import telemetry
from fieldwise.fleet.values import Input
from fieldwise.model.event import from_micros
from fieldwise.ports.store import Store
from fieldwise.usecases.versions import Versions

EVERY = 24 * 3600 * 1_000_000
FIRST = 600 * 1_000_000  # microseconds after a start: first what is urgent


class TidyTimer:
    """The window keeps what the store dropped until the next start: it is final, and what waits for it is content."""

    def __init__(self, store: Store, keep_days: int) -> None:
        self._store = store
        self._keep_days = keep_days
        self._at: int | None = None

    def due(self, versions: Versions, epoch: int, now: int) -> tuple[list[Input], int | None]:
        if self._at is None:
            self._at = now + FIRST
        elif now >= self._at:
            dropped = self._store.tidy(epoch, from_micros(now), self._keep_days)
            telemetry.info("tidied", days=dropped)
            self._at = now + EVERY
        return [], self._at
