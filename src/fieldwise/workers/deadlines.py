"""Interrupts attempts that reach their time limit, and again until they end: one interrupt can fall between statements."""

from __future__ import annotations

import heapq
import threading
import time
from itertools import count

from fieldwise.workers.attempt import Attempt

AGAIN_SECONDS = 0.05


class Deadlines:
    """One thread for all attempts; it sleeps until the next deadline."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._heap: list[tuple[float, int, Attempt, str]] = []
        self._numbers = count()
        threading.Thread(target=self._watch, name="deadlines", daemon=True).start()

    def after(self, seconds: float, attempt: Attempt, code: str) -> None:
        """Interrupt the attempt then, if it has not ended."""
        entry = (time.monotonic() + seconds, next(self._numbers), attempt, code)
        with self._condition:
            heapq.heappush(self._heap, entry)
            if self._heap[0] is entry:
                self._condition.notify()

    def _watch(self) -> None:
        while True:
            with self._condition:
                while self._heap and self._heap[0][2].ended:
                    heapq.heappop(self._heap)
                wait = self._heap[0][0] - time.monotonic() if self._heap else None
                if wait is None or wait > 0:
                    self._condition.wait(wait)
                    continue
                _, _, attempt, code = heapq.heappop(self._heap)
            attempt.interrupt(code)
            self.after(AGAIN_SECONDS, attempt, code)
