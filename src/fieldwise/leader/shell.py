"""The leader's thread: sleeps until a report, a command or a timer, then turns the machine. Nothing polls."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition, Thread

from fieldwise import telemetry
from fieldwise.leader.machine import Leader, NotLeading
from fieldwise.model.errors import Deposed
from fieldwise.model.event import to_micros
from fieldwise.ports.clock import Clock

STANDBY = 2.0  # seconds until a standby asks for the lease again
LONGEST = 3600.0


class Bell:
    """Remembers a ring until somebody waited for it."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._rung = False

    def ring(self) -> None:
        with self._condition:
            self._rung = True
            self._condition.notify_all()

    def wait(self, seconds: float) -> None:
        with self._condition:
            if not self._rung and seconds > 0:
                self._condition.wait(min(seconds, LONGEST))
            self._rung = False


def seconds_until(at: int | None, now: int) -> float:
    return LONGEST if at is None else max(0.0, (at - now) / 1_000_000)


class LeaderThread:
    """Turns a leader until `stop`. A deposed one is thrown away and a new one waits for the lease."""

    def __init__(self, make: Callable[[], Leader], clock: Clock) -> None:
        self._make = make
        self._clock = clock
        self._bell = Bell()
        self._stopping = False
        self.leader = self._connect()
        self._thread = Thread(target=self._loop, name="fieldwise-leader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, wait: float = 5.0) -> None:
        """Admit nothing more; what runs goes on in the workers and is found again by recovery."""
        self._stopping = True
        self._bell.ring()
        if self._thread.is_alive():
            self._thread.join(wait)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _connect(self) -> Leader:
        leader = self._make()
        leader.inbox.on_arrival(self._bell.ring)
        leader.worker.on_report(self._bell.ring)
        return leader

    def _loop(self) -> None:
        while not self._stopping:
            now = to_micros(self._clock.now())
            try:
                wait = seconds_until(self.leader.turn(now), to_micros(self._clock.now()))
            except (Deposed, NotLeading) as lost:
                telemetry.warning("not_leading", reason=lost.message)
                self.leader = self._connect()
                wait = STANDBY
            self._bell.wait(wait)


def turn_until_idle(leader: Leader, clock: Clock, progress: Callable[[int, int], None] | None = None) -> None:
    """Turn the leader in this thread until nothing runs, nothing is due and nobody is left to ask."""
    bell = Bell()
    leader.worker.on_report(bell.ring)
    while True:
        at = leader.turn(to_micros(clock.now()))
        if progress is not None:
            progress(*leader.progress())
        if leader.idle:
            return
        bell.wait(seconds_until(at, to_micros(clock.now())))
