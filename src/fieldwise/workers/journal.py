"""A run's log: lines with times, flushed while running; trouble with the log never touches the run (reliability F26, F51)."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import IO


class Journal:
    """Appends to one file per run; a fused run writes the same text for each member."""

    def __init__(self, paths: list[Path]) -> None:
        self._files: list[IO[str]] = []
        for path in paths:
            with contextlib.suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._files.append(path.open("a", encoding="utf-8", errors="replace"))

    def say(self, text: str) -> None:
        self.raw(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3] + f"Z  {text}\n")

    def raw(self, text: str) -> None:
        for file in self._files:
            with contextlib.suppress(OSError, ValueError):
                file.write(text)
                file.flush()

    def close(self) -> None:
        for file in self._files:
            with contextlib.suppress(OSError):
                file.close()
        self._files.clear()
