"""Simulated workers: attempts take virtual time, publish under the fence, and report late, twice or never."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from fieldwise.model.attempt import AttemptRequest, MemberResult, Report
from fieldwise.model.event import from_micros
from fieldwise.model.status import RunOutcome
from fieldwise.simulation.clock import HOUR, MINUTE, SECOND, VirtualClock
from fieldwise.simulation.engine import Warehouse
from fieldwise.simulation.faults import Crash, Faults


@dataclass(slots=True)
class Going:
    """One attempt set under way. `ending`: what its end will be."""

    request: AttemptRequest
    ends_at: int
    ending: str
    stopped: str = ""
    orphan: bool = False

    @property
    def attempts(self) -> tuple[int, ...]:
        return tuple(member.attempt for member in self.request.members)


@dataclass(slots=True)
class SimulatedWorker:
    """The Worker port. Attempts that outlive their leader (zombies) go on against the warehouse without a listener."""

    clock: VirtualClock
    warehouse: Warehouse
    faults: Faults
    random: Random
    on_start: Callable[[AttemptRequest], None] = lambda request: None
    _going: list[Going] = field(default_factory=list)
    _mail: list[tuple[int, int, Report]] = field(default_factory=list)
    _number: int = 0

    # -- the port

    def start(self, requests: Sequence[AttemptRequest]) -> None:
        for request in requests:
            if self.faults.strikes("crash_outside"):
                raise Crash("while attempts were handed out")
            self.on_start(request)
            self._going.append(Going(request, self.clock.micros + self._duration(), self._ending()))

    def interrupt(self, attempt: int, code: str) -> None:
        if self.faults.strikes("silent_worker"):
            return
        for going in self._going:
            if attempt in going.attempts and not going.orphan:
                going.stopped = code
                going.ends_at = self.clock.micros

    def reports(self) -> list[Report]:
        arrived = []
        while self._mail and self._mail[0][0] <= self.clock.micros:
            arrived.append(heapq.heappop(self._mail)[2])
        self.random.shuffle(arrived)
        return arrived

    def on_report(self, wake: Callable[[], None]) -> None:
        pass

    def close(self, grace: float = 0.0) -> None:
        pass

    # -- the world around it

    @property
    def next_time(self) -> int | None:
        times = [going.ends_at for going in self._going] + [at for at, _, _ in self._mail[:1]]
        return min(times, default=None)

    def has_mail(self) -> bool:
        return bool(self._mail) and self._mail[0][0] <= self.clock.micros

    def leader_died(self) -> None:
        """Mail is lost with the process. Its attempts die too, or go on as zombies that nobody listens to."""
        self._mail.clear()
        kept = []
        for going in self._going:
            if self.faults.strikes("zombie"):
                going.orphan = True
                going.ends_at += self.random.randrange(0, 2 * HOUR)
                kept.append(going)
            elif self.random.random() < 0.3 and going.ending == "success":
                self._publish(going)  # it ended in the moment of the crash
        self._going = kept

    def pass_time(self) -> None:
        """End what is due."""
        due = sorted((g for g in self._going if g.ends_at <= self.clock.micros), key=lambda g: g.ends_at)
        for going in due:
            self._going.remove(going)
            self._end(going)

    def _duration(self) -> int:
        if self.faults.strikes("slow_attempt"):
            return self.random.randrange(2 * HOUR, 8 * HOUR)
        return self.random.randrange(1 * SECOND, 10 * MINUTE)

    def _ending(self) -> str:
        for ending in ("worker_died", "died_after_publish", "user_error"):
            if self.faults.strikes(ending):
                return ending
        return "success"

    def _publish(self, going: Going) -> bool:
        return self.warehouse.publish({member.target: member.attempt for member in going.request.members})

    def _end(self, going: Going) -> None:
        outcome, code = self._outcome(going)
        if going.orphan:
            self.faults.counts["zombie_refused" if code == "fenced" else "zombie_ended"] += 1
            return
        members = tuple(MemberResult(m.node_instance, m.attempt, m.fields) for m in going.request.members)
        report = Report(
            going.attempts, outcome, from_micros(going.ends_at), code=code, members=members, rows=1
        )
        self._post(report)
        if self.faults.strikes("duplicate_report"):
            self._post(report)

    def _outcome(self, going: Going) -> tuple[RunOutcome, str]:
        if going.stopped:
            timeout = going.stopped == "timeout"
            return (RunOutcome.TIMED_OUT if timeout else RunOutcome.STOPPED), going.stopped
        match going.ending:
            case "user_error":
                return RunOutcome.FAILED, "sql_error"
            case "worker_died":
                return RunOutcome.LOST, "worker_lost"
            case "died_after_publish":
                self._publish(going)
                return RunOutcome.LOST, "worker_lost"
            case _:
                return (RunOutcome.SUCCEEDED, "") if self._publish(going) else (RunOutcome.LOST, "fenced")

    def _post(self, report: Report) -> None:
        delay = self.random.randrange(0, 2 * SECOND)
        if self.faults.strikes("late_report"):
            delay += self.random.randrange(MINUTE, 3 * HOUR)
        self._number += 1
        heapq.heappush(self._mail, (self.clock.micros + delay, self._number, report))
