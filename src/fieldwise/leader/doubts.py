"""Decides what really became of an attempt that did not report success: the ledger is asked, the fence is raised."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fieldwise.model.attempt import Report, Target
from fieldwise.model.errors import EngineUnavailable
from fieldwise.model.status import RunOutcome
from fieldwise.ports.engine import Engine

RETRY = 5_000_000  # microseconds until an engine that could not be reached is asked again


class Doubts:
    """Attempts handed out and not yet settled, and the reports that wait for an engine's word.

    An attempt that is over without success may still have published: the commit may have gone through while its
    answer was lost. So before its target may run again the fence goes above it, and if the ledger has it by then,
    it succeeded (spec 7, "State protocol").
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._targets: dict[int, Target] = {}
        self._sets: dict[int, tuple[int, ...]] = {}
        self._waiting: list[Report] = []
        self.next_time: int | None = None

    def hand_out(self, attempts: dict[int, Target]) -> None:
        """One statement computes all of them; they end together."""
        members = tuple(attempts)
        self._targets.update(attempts)
        self._sets.update(dict.fromkeys(members, members))

    def set_of(self, attempt: int) -> tuple[int, ...]:
        """The attempts of the same statement that are not settled."""
        return tuple(filter(self.has, self._sets.get(attempt, ())))

    def has(self, attempt: int) -> bool:
        return attempt in self._targets

    @property
    def open(self) -> int:
        return len(self._targets)

    def settle(self, reports: Iterable[Report], now: int) -> list[Report]:
        """The reports the fleet may believe; the others stay until the engine answers."""
        sure: list[Report] = []
        for report in reports:
            if report.outcome is RunOutcome.SUCCEEDED or not any(map(self.has, report.attempts)):
                sure.append(report)
            else:
                self._waiting.append(report)
        if self._waiting:
            sure.extend(self._ask(now))
        for report in sure:
            for attempt in report.attempts:
                self._targets.pop(attempt, None)
                self._sets.pop(attempt, None)
        return sure

    def _ask(self, now: int) -> list[Report]:
        attempts = [a for report in self._waiting for a in report.attempts if a in self._targets]
        pairs = [(self._targets[attempt], attempt) for attempt in attempts]
        try:
            published = self._engine.raise_fence(pairs)
        except EngineUnavailable:
            self.next_time = now + RETRY
            return []
        done = {attempt for target, attempt in pairs if published.get(target) == attempt}
        settled = [part for report in self._waiting for part in split(report, done)]
        self._waiting.clear()
        self.next_time = None
        return settled


def split(report: Report, published: set[int]) -> list[Report]:
    """The report cut in two: attempts found in the ledger succeeded, the others ended as reported."""
    there = tuple(attempt for attempt in report.attempts if attempt in published)
    rest = tuple(attempt for attempt in report.attempts if attempt not in published)
    parts = []
    if there:
        parts.append(
            replace(_only(report, there), outcome=RunOutcome.SUCCEEDED, code="found_in_ledger", message="")
        )
    if rest:
        parts.append(_only(report, rest))
    return parts


def _only(report: Report, attempts: tuple[int, ...]) -> Report:
    members = tuple(member for member in report.members if member.attempt in attempts)
    return replace(report, attempts=attempts, members=members)
