"""A clock that stands still until it is moved."""

from __future__ import annotations

from datetime import datetime

from fieldwise.model.event import from_micros

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class VirtualClock:
    def __init__(self, micros: int) -> None:
        self.micros = micros

    def now(self) -> datetime:
        return from_micros(self.micros)

    def monotonic(self) -> float:
        return self.micros / SECOND

    def move_to(self, micros: int) -> None:
        self.micros = max(self.micros, micros)
