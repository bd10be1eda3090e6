"""Where the present comes from: the only way to ask for the time outside the pure core."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back, for timeouts inside this process."""
        ...
