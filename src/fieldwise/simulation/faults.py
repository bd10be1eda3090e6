"""Which faults a seed has, how often each strikes, and a count of those that did."""

from __future__ import annotations

from collections import Counter
from random import Random

KINDS = (
    "crash_before_write",
    "crash_after_write",
    "lost_commit_answer",
    "store_busy",
    "statement_interrupted",
    "crash_outside",
    "engine_unavailable",
    "engine_answer_lost",
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
            for kind in KINDS:
                if random.random() < 0.6:
                    self._chance[kind] = random.choice((0.01, 0.03, 0.08))

    def strikes(self, kind: str) -> bool:
        chance = self._chance.get(kind)
        if chance is None or self._random.random() >= chance:
            return False
        self.counts[kind] += 1
        return True

    def calm(self) -> None:
        self._chance.clear()
