"""Which faults a seed has, how often each strikes, and a count of those that did."""

from __future__ import annotations

from collections import Counter
from random import Random

OF_WRITES = ("crash_before_write", "crash_after_write", "lost_commit_answer", "store_busy")
OF_CALLS = ("crash_outside", "engine_unavailable", "engine_answer_lost")
OF_ATTEMPTS = (
    "duplicate_report",
    "late_report",
    "worker_died",
    "died_after_publish",
    "user_error",
    "silent_worker",
    "slow_attempt",
    "zombie",
    "paused_leader",
)
PAUSED_IN_WRITE = "paused_in_write"
# A day has thousands of writes and dozens of attempts.
CHANCES = {
    **dict.fromkeys(OF_WRITES, (0.003, 0.01, 0.03)),
    **dict.fromkeys(OF_CALLS, (0.01, 0.05, 0.15)),
    PAUSED_IN_WRITE: (0.01, 0.03),
    **dict.fromkeys(OF_ATTEMPTS, (0.05, 0.15, 0.3)),
}


class Crash(BaseException):
    """The process is gone at this point. Not an Exception: nothing on the way may handle it."""


class StoreFault(Exception):
    """The store did not answer as it should: the write may or may not have happened."""


class Faults:
    """Swarm testing: each seed switches on a random subset of faults, each with its own chance."""

    def __init__(self, random: Random, storm: bool = True) -> None:
        self._random = random
        self.counts: Counter[str] = Counter()
        self._chance: dict[str, float] = {}
        if storm:
            for kind, chances in CHANCES.items():
                if random.random() < 0.6:
                    self._chance[kind] = random.choice(chances)

    def strikes(self, kind: str) -> bool:
        chance = self._chance.get(kind)
        if chance is None or self._random.random() >= chance:
            return False
        self.counts[kind] += 1
        return True

    def never(self, kind: str) -> None:
        self._chance.pop(kind, None)

    def calm(self) -> None:
        self._chance.clear()
