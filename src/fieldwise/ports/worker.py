"""Who executes attempts. A worker is a pool in processes of its own; it holds no truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from fieldwise.model.attempt import AttemptRequest, Report


class Worker(Protocol):
    def start(self, requests: Sequence[AttemptRequest]) -> None:
        """Begin the attempts; returns at once. Each ends in exactly one Report, also if the process dies."""
        ...

    def interrupt(self, attempt: int, code: str) -> None:
        """Interrupt the attempt set holding this attempt; its report comes as usual. Unknown attempts are ignored."""
        ...

    def reports(self) -> list[Report]:
        """All reports that arrived since the last call; never blocks."""
        ...

    def on_report(self, wake: Callable[[], None]) -> None:
        """Call `wake` (from any thread) whenever a report arrives."""
        ...

    def close(self, grace: float = 0.0) -> None:
        """Stop the processes; running attempts are cut off after `grace` seconds and found again by recovery."""
        ...
