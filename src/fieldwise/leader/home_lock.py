"""One process per home: `HOME/lock` holds the pid and an operating-system lock that dies with the process."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from fieldwise.model.errors import HomeInUse

PAUSE = 0.05


class HomeLock:
    """Holds the home from construction until `release`. Raises HomeInUse after `wait` seconds."""

    def __init__(self, home: Path, wait: float = 10.0) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._path = home / "lock"
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + wait
        while not self._try():
            if time.monotonic() >= deadline:
                os.close(self._file)
                raise HomeInUse(self._pid())
            time.sleep(PAUSE)
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _pid(self) -> int:
        try:
            return int(self._path.read_text() or 0)
        except (OSError, ValueError):
            return 0

    def release(self) -> None:
        """Harmless when repeated."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
