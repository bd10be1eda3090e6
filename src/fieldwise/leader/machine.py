"""The leader as a deterministic machine: one turn takes what arrived, decides, commits, and only then acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from fieldwise import telemetry
from fieldwise.fleet.catalog import Catalog
from fieldwise.fleet.decide import Fleet
from fieldwise.fleet.values import (
    Answer,
    Decision,
    Exceptions,
    Input,
    Interrupt,
    Options,
    Order,
    Published,
    Question,
    Start,
)
from fieldwise.leader.columns import Scope, chosen, rows_of, running, versions_named
from fieldwise.leader.doubts import Doubts
from fieldwise.leader.inbox import Inbox, Ticket
from fieldwise.leader.requests import Requests
from fieldwise.model.attempt import AttemptRequest, Report, Target
from fieldwise.model.errors import Deposed, EngineRefused, EngineUnavailable, FieldwiseError
from fieldwise.model.event import from_micros
from fieldwise.model.status import Environment, RunOutcome, Status
from fieldwise.ports.engine import Engine
from fieldwise.ports.store import Store, WindowColumns
from fieldwise.ports.worker import Worker
from fieldwise.usecases.facts import Calendar, facts_of, target_of
from fieldwise.usecases.memory import collector_resting
from fieldwise.usecases.publish import settle_publications
from fieldwise.usecases.recover import settle_running
from fieldwise.usecases.versions import Versions

SECOND = 1_000_000


class Timer(Protocol):
    """Something that happens by the clock: generation."""

    def due(self, versions: Versions, epoch: int, now: int) -> tuple[list[Input], int | None]:
        """What the window must learn, and when to ask again."""
        ...


@dataclass(frozen=True, slots=True)
class Settings:
    """`scope`: which node instances this leader may run; None: all. Seconds: lease, pause between `ready` queries.

    `stop_within`: seconds after which an interrupted attempt that stays silent is settled by the fence alone.
    `tolerate`: failed turns in a row before the failure is raised; None: never.
    """

    holder: str
    environment: Environment = Environment.PROD
    options: Options = field(default_factory=Options)
    scope: Scope | None = None
    lease: float = 10.0
    ask_every: float = 60.0
    stop_within: float = 20.0
    tolerate: int | None = None


class NotLeading(FieldwiseError):
    """Another process leads this store."""

    code = "not_leading"


class NotWritten(FieldwiseError):
    """A write failed; what had been decided with it was not applied, or will be found when it is asked for again."""

    code = "not_written"


class Leader:
    """Owns the open window of one environment. Not thread-safe: one thread turns it, others use `inbox`.

    Memory is a cache: after any failure of a write it is thrown away and rebuilt from the store, because the store
    may or may not have taken the write (spec 7, "State protocol").
    """

    fleet: Fleet | None
    versions: Versions
    calendar: Calendar
    requests: Requests

    def __init__(
        self, store: Store, engine: Engine, worker: Worker, settings: Settings, timers: Sequence[Timer] = ()
    ) -> None:
        self.store = store
        self.engine = engine
        self.worker = worker
        self.settings = settings
        self.inbox = Inbox()
        self.epoch = 0
        self.fleet = None
        self._timers = timers
        self._timer_at: int | None = 0
        self._doubts = Doubts(engine)
        self._lease_until = 0
        self._tickets: list[Ticket] = []  # taken and not yet durable
        self._later: list[Ticket] = []  # taken, for the next turn
        self._reports: list[Report] = []
        self._silent: dict[
            int, tuple[int, str]
        ] = {}  # interrupted attempt -> wait for its report until, code
        self._questions: list[Question] = []
        self._asked_at: dict[Question, int] = {}
        self._failures = 0
        self._learned = False
        self.idle = False  # nothing runs, nothing will become due, nobody is left to ask

    def progress(self) -> tuple[int, int]:
        """Node instances in the window that are final, and all."""
        if self.fleet is None:
            return 0, 0
        status = self.fleet.window.status
        return int((status >= Status.SUCCEEDED).sum()), len(status)

    def turn(self, now: int) -> int | None:
        """Do everything that is due at `now`; returns when to turn again at the latest, None: when something arrives.

        Raises NotLeading if another leads, Deposed if another took over: this object is of no use then.
        """
        self._tickets += [*self._later, *self.inbox.take()]
        self._later = []
        self._reports += self.worker.reports()
        try:
            decision = self._decide(now)
        except (Deposed, NotLeading):
            self._give_up()
            raise
        except Exception as error:
            # Whatever it was, the store may or may not have taken the write: rebuild and try again.
            telemetry.failure("turn_failed", reason=str(error))
            self.fleet = None
            self.idle = False
            self._fail_decided()
            self._failures += 1
            if self.settings.tolerate is not None and self._failures > self.settings.tolerate:
                raise
            return now + SECOND
        self._failures = 0
        self._reply(decision)
        self._act(decision, now)
        return self._next_turn(decision, now)

    def _decide(self, now: int) -> Decision:
        self._lead(now)
        if self.fleet is None:
            self._reports += self._rebuild(now)
        assert self.fleet is not None
        inputs = self._called(now)
        inputs += self._timed(now)
        inputs += self._answers(now)
        self._reports = self._doubts.settle([*self._reports, *self._silenced(now)], now)
        inputs += self._reports
        if self._learned:
            # Births, gaps or versions are others now: what waited for slots that did not exist is looked at again.
            self.fleet.reconsider(facts_of(self.store, self.versions, self.calendar))
            self._learned = False
        decision = self.fleet.take(inputs, now)
        if not decision.batch.empty or decision.batch.instances:
            self.store.commit(self.epoch, decision.batch)
        self._reports = []
        return decision

    # -- leadership

    def _lead(self, now: int) -> None:
        if now < self._lease_until - int(self.settings.lease * SECOND * 2 / 3):
            return
        epoch = self.store.lead(self.settings.holder, from_micros(now), self.settings.lease)
        if epoch is None:
            raise (
                Deposed("another leader took over")
                if self.epoch
                else NotLeading("another process leads this store")
            )
        if self.epoch and epoch != self.epoch:
            self.fleet = None  # somebody led in between: what is remembered may be wrong
        self.epoch = epoch
        self._lease_until = now + int(self.settings.lease * SECOND)

    def _give_up(self) -> None:
        self.fleet = None
        for ticket in [*self._tickets, *self._later]:
            ticket.answer.cancel()
        self._tickets, self._later = [], []

    # -- memory from the store

    def _rebuild(self, now: int) -> list[Report]:
        """Rebuild the window; returns reports on attempts that the store calls running and nobody has in hand."""
        settle_publications(self.store, self.engine, self.epoch, from_micros(now))
        with collector_resting():
            columns = self._read()
            fleet = self._fleet(columns)
        unknown = self._unknown(columns)
        reports = settle_running(self.store, self.engine, self.epoch, unknown, from_micros(now))
        self.fleet = fleet
        self._timer_at = 0
        self._questions, self._asked_at = [], {}
        return reports

    def read_window(self) -> Fleet:
        """The open window as the store has it, for reading only; nothing is settled or decided."""
        return self._fleet(self._read())

    def _read(self) -> WindowColumns:
        self.versions = Versions(self.store, self.settings.environment)
        self.calendar = Calendar(self.versions)
        self.requests = Requests(self.versions, self.store, self.calendar)
        return chosen(self.store.window_columns(self.settings.environment), self.settings.scope)

    def _fleet(self, columns: WindowColumns) -> Fleet:
        publications = self.versions.named(versions_named(columns))
        options = self.settings.options
        return Fleet(
            publications,
            rows_of(columns, Catalog(publications, options.default_slots)),
            facts_of(self.store, self.versions, self.calendar),
            next_attempt=self.store.next_attempt(),
            options=options,
            exceptions=self._exceptions(),
        )

    def _exceptions(self) -> Exceptions:
        kept = self.store.exceptions(self.settings.environment)
        orders = [
            Order(one.operation, one.verb, _phases(one.phases), one.applied, one.refused)
            for one in kept.orders
        ]
        return Exceptions(kept.removed, kept.pauses, kept.groups, orders)

    def _unknown(self, columns: WindowColumns) -> dict[int, Target]:
        """Attempts the store calls running that were not handed to the worker of this process."""
        environment = self.settings.environment
        return {
            one.attempt: target_of(environment, self.versions.task(one.task, one.version), one)
            for one in running(columns)
            if not self._doubts.has(one.attempt)
        }

    # -- inputs

    def _called(self, now: int) -> list[Input]:
        """Inputs of other threads, and what their calls did. A call is not made twice when the turn is repeated."""
        inputs: list[Input] = []
        for at, ticket in enumerate(self._tickets):
            if ticket.alone and inputs and ticket.call is not None:
                self._later = self._tickets[at:]
                self._tickets = self._tickets[:at]
                break
            if ticket.item is not None:
                inputs.append(ticket.item)
            elif ticket.call is not None:
                call, ticket.call = ticket.call, None
                try:
                    ticket.value, learned = call(self.epoch, now)
                except Deposed:
                    raise
                except Exception as error:
                    if not isinstance(error, FieldwiseError):
                        telemetry.failure("call_failed", reason=str(error))
                    ticket.error = error
                else:
                    self._learn(learned)
                    inputs += learned
        return inputs

    def _fail_decided(self) -> None:
        """What a call decided is lost with the window: who asked must ask again, and will see what became of it."""
        for ticket in self._tickets:
            if ticket.alone and ticket.call is None and ticket.error is None:
                ticket.error = NotWritten("the store did not take it", "ask again: nothing is done twice")

    def _learn(self, inputs: Sequence[Input]) -> None:
        for item in inputs:
            if isinstance(item, Published):
                self.versions.activate(item.publication)
                self._timer_at = 0
                self._learned = True

    def _timed(self, now: int) -> list[Input]:
        if self._timer_at is None or now < self._timer_at:
            return []
        inputs: list[Input] = []
        times: list[int] = []
        for timer in self._timers:
            learned, again = timer.due(self.versions, self.epoch, now)
            inputs += learned
            times += [again] if again is not None else []
        self._learned = self._learned or bool(inputs)
        self._timer_at = min(times, default=None)
        return inputs

    def _answers(self, now: int) -> list[Answer]:
        """Ask every source that something waits for, each at most once in `ask_every` seconds."""
        answers = []
        for question in self._questions:
            if now >= self._ask_at(question):
                self._asked_at[question] = now
                answers.append(Answer(question, self._ask(question)))
        return answers

    def _ask_at(self, question: Question) -> int:
        asked = self._asked_at.get(question)
        return 0 if asked is None else asked + int(self.settings.ask_every * SECOND)

    def _ask(self, question: Question) -> bool:
        sql, parameters = self.requests.ready_query(question)
        try:
            rows = self.engine.query(sql, parameters, limit=1).rows
        except (EngineRefused, EngineUnavailable) as error:
            telemetry.warning("ready_query_failed", source=question.source, reason=error.message)
            return False
        return bool(rows and rows[0][0])

    def _silenced(self, now: int) -> list[Report]:
        """Reports in the place of workers that were told to interrupt and never answered."""
        overdue = [(attempt, code) for attempt, (until, code) in self._silent.items() if now >= until]
        reports = []
        for attempt, code in overdue:
            del self._silent[attempt]
            attempts = self._doubts.set_of(attempt)
            if attempts:
                outcome = RunOutcome.TIMED_OUT if code == "timeout" else RunOutcome.STOPPED
                reports.append(Report(attempts, outcome, from_micros(now), "the worker did not answer", code))
        return reports

    # -- acting, after the commit

    def _reply(self, decision: Decision) -> None:
        for ticket in self._tickets:
            ticket.reply(decision.refused)
        self._tickets = []

    def _act(self, decision: Decision, now: int) -> None:
        requests: list[AttemptRequest] = []
        for start in decision.starts:
            requests += self._request(start, now)
        for request in requests:
            self._doubts.hand_out({member.attempt: member.target for member in request.members})
        if requests:
            self.worker.start(requests)
        for interrupt in decision.interrupts:
            self._interrupt(interrupt, now)

    def _request(self, start: Start, now: int) -> list[AttemptRequest]:
        """The request of a start; if it cannot be built, the run fails and the others go on."""
        try:
            return [self.requests.of(start)]
        except Exception as error:
            telemetry.failure("request_failed", task=start.task, reason=str(error))
            attempts = tuple(member.attempt for member in start.members)
            message = f"the run could not be prepared: {error}"
            self._reports.append(
                Report(attempts, RunOutcome.FAILED, from_micros(now), message, "not_prepared")
            )
            return []

    def _interrupt(self, interrupt: Interrupt, now: int) -> None:
        until = now + int(self.settings.stop_within * SECOND)
        self._silent.setdefault(interrupt.attempt, (until, interrupt.code))
        self.worker.interrupt(interrupt.attempt, interrupt.code)

    def _nothing_due(self) -> bool:
        assert self.fleet is not None
        # With scheduled times ignored only ends of pauses are left to wait for, and nobody waits for those.
        timed = self.fleet.timers.next is not None and not self.settings.options.ignore_time
        return not (self.fleet.running() or timed or self.fleet.orders.open())

    def _next_turn(self, decision: Decision, now: int) -> int | None:
        if self._reports or self._later:
            self.idle = False
            return now
        unasked = [question for question in decision.questions if question not in self._asked_at]
        self.idle = not (self._doubts.open or unasked) and self._nothing_due()
        times = [self._lease_until - int(self.settings.lease * SECOND * 2 / 3)]
        self._questions = decision.questions
        times += [self._ask_at(question) for question in self._questions]
        times += [until for until, _ in self._silent.values()]
        for at in (decision.next_time, self._timer_at, self._doubts.next_time):
            if at is not None:
                times.append(at)
        return min(times)


def _phases(stored: Sequence[Any]) -> tuple[tuple[str, tuple[int, ...], Any], ...]:
    return tuple(
        (kind, tuple(numbers), tuple(value) if isinstance(value, list) else value)
        for kind, numbers, value in stored
    )
