"""A run's log: lines with times, flushed while running; trouble with the log never touches the run (reliability F26, F51)."""

from __future__ import annotations

import contextlib
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

LARGEST = 64 * 1024 * 1024  # characters; what a script says beyond is cut, its last lines are kept
LAST_LINES = 200


class Journal:
    """Appends to one file per run; without a path nothing is written."""

    def __init__(self, path: Path | None) -> None:
        self._file: IO[str] | None = None
        self._left = LARGEST
        self._tail: deque[str] = deque(maxlen=LAST_LINES)
        if path is not None:
            with contextlib.suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = path.open("a", encoding="utf-8", errors="replace")

    def say(self, *texts: str) -> None:
        now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3]
        self._write("".join(f"{now}Z  {text}\n" for text in texts))

    def output(self, text: str) -> None:
        """What a script said; bounded."""
        if self._left > 0:
            self._write(text)
            self._left -= len(text)
            if self._left <= 0:
                self.say(f"... the log is cut here; its last {LAST_LINES} lines follow at the end")
        else:
            self._tail.append(text)

    def _write(self, text: str) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError, ValueError):
                self._file.write(text)
                self._file.flush()

    def close(self) -> None:
        if self._tail:
            self._write("...\n" + "".join(self._tail))
        if self._file is not None:
            with contextlib.suppress(OSError, ValueError):
                self._file.close()
