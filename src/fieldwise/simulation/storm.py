"""One seed: days of storm with faults and an operator, then calm in which everything must come to a good end."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, cast

from fieldwise.fleet.values import Force, Input, Options, Pause, Rerun, Resume, SetSuccess, Stop
from fieldwise.leader.generation import GenerationTimer
from fieldwise.leader.machine import Leader, NotLeading, Settings
from fieldwise.model.attempt import AttemptRequest, Target
from fieldwise.model.errors import Deposed
from fieldwise.model.event import from_micros
from fieldwise.model.status import Mark, Status
from fieldwise.ports.store import Store
from fieldwise.simulation import invariants
from fieldwise.simulation.clock import DAY, HOUR, MINUTE, SECOND, VirtualClock
from fieldwise.simulation.engine import SimulatedEngine, Warehouse
from fieldwise.simulation.faults import PAUSED_IN_WRITE, Crash, Faults, StoreFault
from fieldwise.simulation.oracle import missing_upstream, slots_due
from fieldwise.simulation.worker import SimulatedWorker
from fieldwise.simulation.world import random_publication
from fieldwise.store.sqlite import SqliteStore

START = 1_795_000_000 * SECOND  # an afternoon in November 2026
LEASE = 3600.0
WRITES = frozenset(
    ("begin_publication", "activate_publication", "generate", "raise_attempt", "commit", "record_gap")
)


class FaultyStore:
    """The real store, with writes that fail before or after they happened."""

    def __init__(self, store: Store, faults: Faults, usurp: Callable[[], None]) -> None:
        self._store = store
        self._faults = faults
        self._usurp = usurp
        self.deposed_writes = 0
        self.began: datetime | None = (
            None  # when a server first found the project: from then on slots are owed
        )

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name == "lead":
            return self._leading(method)
        return self._wrapped(name, method) if name in WRITES else method

    def _leading(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Only taking the lease is a write worth failing; a standby asks too often."""

        def lead(*arguments: Any) -> Any:
            epoch = method(*arguments)
            return self._wrapped("lead", lambda: epoch)() if epoch is not None else None

        return lead

    def _wrapped(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def write(*arguments: Any, **named: Any) -> Any:
            if self._faults.strikes("crash_before_write"):
                raise Crash("before a write")
            if self._faults.strikes("store_busy"):
                raise StoreFault("the store is busy")
            usurped = name == "commit" and self._faults.strikes(PAUSED_IN_WRITE)
            if usurped:
                self._usurp()
            answer = method(*arguments, **named)
            self.deposed_writes += usurped
            if name == "generate" and self.began is None:
                self.began = arguments[6]
            if self._faults.strikes("crash_after_write"):
                raise Crash("after a write")
            if self._faults.strikes("lost_commit_answer"):
                raise StoreFault("the answer of the write was lost")
            return answer

        return write


@dataclass(slots=True)
class Process:
    """A leader with its own workers. `asleep_until`: a paused process (a long stop of the whole machine)."""

    leader: Leader
    worker: SimulatedWorker
    next_time: int
    asleep: bool = False


@dataclass(slots=True)
class Outcome:
    seed: int
    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    trace: str = ""


class Storm:
    """The world of one seed. Everything random comes from the seed, so a seed always does the same."""

    def __init__(self, seed: int, days: int = 2, tables: int = 4) -> None:
        self.random = Random(seed)
        self.one_machine = self.random.random() < 0.5
        self.clock = VirtualClock(START + self.random.randrange(0, DAY))
        self.faults = Faults(self.random)
        if self.one_machine:
            self.faults.never(PAUSED_IN_WRITE)
        self.real = SqliteStore(":memory:")
        self.real.migrate()
        self.faulty = FaultyStore(self.real, self.faults, self._usurp)
        self.store = cast(Store, self.faulty)
        self.warehouse = Warehouse(on_publish=self._published)
        self.engine = SimulatedEngine(self.warehouse, self.faults)
        self.publication = random_publication(self.random, self.random.randint(2, tables))
        self.storm_ends = self.clock.micros + days * DAY
        self.outcome = Outcome(seed)
        self._processes: list[Process] = []
        self._boots = 0
        self._recovering = False

    def run(self) -> Outcome:
        self._publish()
        self._boot()
        self._turn_until(self.storm_ends, self._disturb)
        self.faults.calm()
        self.outcome.counts["storm_over"] += 1
        self._turn_until(self._calm_end(), self._repair)
        self._check_state()
        self._check_end()
        self.outcome.counts.update(self.faults.counts)
        self.outcome.trace = self._trace()
        self.real.close()
        return self.outcome

    # -- the world

    def _publish(self) -> None:
        now = self.clock.now()
        epoch = self.real.lead("publisher", now, 1.0)
        assert epoch is not None
        pending = self.real.begin_publication(epoch, self.publication, now)
        self.real.activate_publication(epoch, pending.environment, pending.project.name, pending.version, now)
        self.publication = pending
        self.clock.move_to(self.clock.micros + 2 * SECOND)

    def _boot(self) -> None:
        self._boots += 1
        worker = SimulatedWorker(self.clock, self.warehouse, self.faults, self.random, self._started)
        # One machine: the home lock says who leads. Several: the lease does, and the heir waits for its end.
        holder = "home" if self.one_machine else f"process {self._boots}"
        settings = Settings(holder, options=Options(shown_after=0), lease=LEASE, tolerate=100)
        leader = Leader(self.store, self.engine, worker, settings, [GenerationTimer(self.store)])
        self._processes.append(Process(leader, worker, self.clock.micros))
        self._recovering = True

    def _turn_until(self, end: int, between: Callable[[], None]) -> None:
        steps = 0
        next_between = self.clock.micros
        while self.clock.micros < end:
            times = [p.next_time for p in self._processes if not p.asleep]
            times += [p.worker.next_time or end for p in self._processes]
            self.clock.move_to(min([*times, next_between, end]))
            for process in list(self._processes):
                process.worker.pass_time()
            for process in [p for p in self._processes if not p.asleep]:
                self._turn(process)
            if self.clock.micros >= next_between:
                between()
                next_between = self.clock.micros + self.random.randrange(5 * MINUTE, 2 * HOUR)
            steps += 1
            if steps % 25 == 0:
                self._check_state()
            if steps > 200_000:
                self.outcome.violations.append("L4: the machine never comes to rest")
                return

    def _turn(self, process: Process) -> None:
        due = process.next_time <= self.clock.micros
        mail = process.worker.has_mail()
        if not (due or mail):
            return
        try:
            again = process.leader.turn(self.clock.micros)
            self._recovering = False
            process.next_time = (
                self.clock.micros + HOUR if again is None else max(again, self.clock.micros + 1)
            )
        except Crash:
            self._crashed(process)
        except (Deposed, NotLeading):
            self._lost_leadership(process)
        except Exception as error:
            self._violated(f"L6: the leader cannot go on: {error!r}")
            process.asleep = True

    def _crashed(self, process: Process) -> None:
        self.outcome.counts["crash_in_recovery" if self._recovering else "crash"] += 1
        self._processes.remove(process)
        process.worker.leader_died()
        if process.worker.next_time is not None:
            process.asleep = True  # its zombies go on
            self._processes.append(process)
        self.clock.move_to(self.clock.micros + self.random.randrange(0, 30 * SECOND))
        self._boot()

    def _lost_leadership(self, process: Process) -> None:
        if process.leader.epoch:
            self.outcome.counts["deposed"] += 1
            process.asleep = True
            process.worker.leader_died()
        process.next_time = self.clock.micros + 5 * MINUTE

    def _started(self, request: AttemptRequest) -> None:
        """S2, S3, S7, S18 at the moment of every start."""
        firings = {f.state.id: f for f in self.real.window(self.publication.environment)}
        tasks = {task.name: task for task in self.publication.tasks}
        for member in request.members:
            firing = firings[member.node_instance]
            if firing.state.status != Status.RUNNING or firing.state.attempt != member.attempt:
                self._violated(f"S3: attempt {member.attempt} starts, the store has {firing.state}")
            if Mark(firing.state.marks) & Mark.FORCED:
                continue
            if firing.scheduled_at > self.clock.micros:
                self._violated(f"S18: {firing.node} starts before its scheduled time")
            late = missing_upstream(firing, tasks[firing.task], list(firings.values()))
            if late:
                self._violated(f"S7: {firing.node} at {firing.data_day} starts before {late[0]}")

    def _published(self, targets: Mapping[Target, int]) -> None:
        """S2: only the attempt that the store calls running may change the warehouse."""
        running = {
            f.state.attempt
            for f in self.real.window(self.publication.environment)
            if f.state.status == Status.RUNNING
        }
        for target, attempt in targets.items():
            if attempt not in running:
                self._violated(f"S2: attempt {attempt} published {target} without being authorised")

    def _usurp(self) -> None:
        """The leader stops for longer than its lease in the middle of a write; another one takes over."""
        self.clock.move_to(self.clock.micros + int(1.5 * LEASE * SECOND))
        self._boot()
        self._turn(self._processes[-1])

    # -- the operator

    def _disturb(self) -> None:
        """Something an operator does, or the process stops for a while and another one takes over."""
        if not self.one_machine and self.faults.strikes("paused_leader"):
            process = self.random.choice(self._processes)
            if not process.asleep:
                process.next_time = self.clock.micros + self.random.randrange(2, 4) * int(LEASE * SECOND)
                self._boot()
                return
        leading = [p for p in self._processes if p.leader.epoch and not p.asleep]
        if not leading or self.random.random() < 0.5:
            return
        firings = list(self.real.window(self.publication.environment))
        if not firings:
            return
        chosen = tuple(
            sorted({self.random.choice(firings).state.id for _ in range(self.random.randint(1, 3))})
        )
        verb = self.random.choice((Stop, Pause, Resume, Rerun, Force, SetSuccess))
        self.outcome.counts[f"operator_{verb.__name__}"] += 1
        self._send(leading[-1], verb(chosen))

    def _send(self, process: Process, command: Input) -> None:
        process.leader.inbox.send(command)
        process.next_time = self.clock.micros

    def _repair(self) -> None:
        """In the calm an operator resumes what is paused and reruns what failed, until nothing is left."""
        firings = list(self.real.window(self.publication.environment))
        leading = [p for p in self._processes if p.leader.epoch and not p.asleep]
        if not leading:
            return
        paused = tuple(f.state.id for f in firings if f.state.marks & Mark.PAUSED)
        failed = tuple(f.state.id for f in firings if f.state.status == Status.FAILED)
        if paused:
            self._send(leading[-1], Resume(paused))
        if failed:
            self._send(leading[-1], Rerun(failed))

    # -- judgement

    def _violated(self, sentence: str) -> None:
        self.outcome.violations.append(f"{sentence} (at {self.clock.now().isoformat()})")

    def _check_state(self) -> None:
        if self.faulty.deposed_writes:
            self._violated("S3: a deposed leader's write was taken")
        for sentence in invariants.check(self.real, self.warehouse, self.publication):
            self._violated(sentence)

    def _calm_end(self) -> int:
        return self.storm_ends + 2 * DAY

    def _check_end(self) -> None:
        """L2, L4: everything due when the storm ended has succeeded. S17: exactly the calendar's slots exist."""
        firings = list(self.real.window(self.publication.environment))
        for firing in firings:
            if firing.scheduled_at <= self.storm_ends and firing.state.status != Status.SUCCEEDED:
                self._violated(
                    f"L4: {firing.node} of day {firing.data_day} is {Status(firing.state.status).word}"
                )
        began = self.faulty.began or self.clock.now()
        made = {(f.task, f.scheduled_at) for f in firings}
        for due in slots_due(self.publication, began, from_micros(self.storm_ends)):
            if due not in made:
                self._violated(f"S17: {due} was never generated")

    def _trace(self) -> str:
        digest = hashlib.sha256()
        instances = sorted({f.instance for f in self.real.window(self.publication.environment)})
        for instance in instances:
            for event in self.real.events(instance):
                digest.update(repr(tuple(event)).encode())
        return digest.hexdigest()


def storm(seed: int) -> Outcome:
    """Run one seed; `outcome.violations` is empty if every invariant held."""
    return Storm(seed).run()
