"""The workers of one machine: one engine process, its attempts, and the engine's answers (ports Worker and Engine)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fieldwise.engines.sources import folders_of
from fieldwise.model.attempt import AttemptKind, AttemptRequest, InputRead, Report, Target
from fieldwise.model.definition import SourceTable
from fieldwise.model.errors import EngineRefused, EngineUnavailable
from fieldwise.model.status import RunOutcome
from fieldwise.ports.engine import Rows, ShapeChange
from fieldwise.workers.link import Link, Message

CALL_SECONDS = 3600.0
QUIET_SECONDS = 60.0
ANSWER_ERRORS = {"EngineRefused": EngineRefused, "EngineUnavailable": EngineUnavailable}


class LocalWorkers:
    """Starts the engine process when it is first needed, and again when it died; what ran in it is then lost.

    `threads`: of the engine; `memory_limit`: in its words ("4GB"), '' = its default; `attempts_at_once`: how many
    statements and scripts may run beside each other.
    """

    def __init__(
        self, home: Path, threads: int | None = None, memory_limit: str = "", attempts_at_once: int = 16
    ) -> None:
        self._home = Path(home)
        cores = threads or os.cpu_count() or 2
        self._arguments = [str(self._home.absolute()), str(cores), memory_limit, str(attempts_at_once)]
        self._changed = threading.Condition(threading.RLock())
        self._link: Link | None = None
        self._in_flight: dict[int, tuple[int, ...]] = {}  # attempt -> all attempts of its set
        self._held: list[Message] | None = None  # starts that wait for a restart to be over
        self._reports: list[Report] = []
        self._calls: dict[int, Future[Any]] = {}
        self._next_call = 0
        self._wake: Callable[[], None] = lambda: None
        self._closed = False

    @property
    def engine_pid(self) -> int:
        """0 while there is no engine process."""
        link = self._link
        return link.pid if link is not None else 0

    # -- the process
    def _send(self, message: Message) -> None:
        with self._changed:
            if self._closed:
                raise EngineUnavailable("the workers are closed")
            if self._link is None:
                self._link = Link(self._home, self._arguments, self._hear, self._ended).open()
            link = self._link
        link.send(message)

    def _hear(self, messages: list[Message]) -> None:
        arrived: list[Report] = []
        with self._changed:
            for kind, *rest in messages:
                match kind:
                    case "report":
                        arrived.append(rest[0])
                    case "done":
                        now = datetime.now(UTC)
                        arrived += [Report(attempts, RunOutcome.SUCCEEDED, now) for attempts in rest[0]]
                    case "answer":
                        self._settle(*rest)
            for report in arrived:
                for attempt in report.attempts:
                    self._in_flight.pop(attempt, None)
            self._reports += arrived
            self._changed.notify_all()
        if arrived:
            self._wake()

    def _settle(self, number: int, good: bool, value: Any) -> None:
        call = self._calls.pop(number, None)
        if call is None:
            return
        if good:
            call.set_result(value)
        else:
            name, message, hint = value
            call.set_exception(ANSWER_ERRORS.get(name, EngineUnavailable)(message, hint))

    def _ended(self, link: Link) -> None:
        """Whatever ran in it is lost, whoever waits for it hears so, and another one is started."""
        with self._changed:
            lost = set(self._in_flight.values())
            self._in_flight.clear()
            calls, self._calls = list(self._calls.values()), {}
            if self._link is link:
                self._link = None
                if link.was_ready and not link.closing and not self._closed:
                    self._link = Link(self._home, self._arguments, self._hear, self._ended).open()
            why = link.failure or f"the engine process ended (exit code {link.exit_code})"
            if not self._closed:
                self._lose(lost, f"{why}; the run is repeated", "worker_lost")
            self._changed.notify_all()
        for call in calls:
            call.set_exception(EngineUnavailable(why))
        if lost:
            self._wake()

    def _lose(self, sets: set[tuple[int, ...]], message: str, code: str) -> None:
        now = datetime.now(UTC)
        self._reports += [Report(attempts, RunOutcome.LOST, now, message, code) for attempts in sorted(sets)]

    # -- port Worker
    def start(self, requests: Sequence[AttemptRequest]) -> None:
        nothing: list[tuple[int, ...]] = []
        real: list[AttemptRequest] = []
        with self._changed:
            for request in requests:
                attempts = tuple(member.attempt for member in request.members)
                self._in_flight.update(dict.fromkeys(attempts, attempts))
                if request.kind is AttemptKind.NOTHING:
                    nothing.append(attempts)
                else:
                    real.append(request)
        messages: list[Message] = [("nothing", nothing)] if nothing else []
        messages += [("start", real)] if real else []
        for message in messages:
            self._hand_out(message)

    def _hand_out(self, message: Message) -> None:
        with self._changed:
            if self._held is not None:
                self._held.append(message)
                return
        try:
            self._send(message)
        except EngineUnavailable as error:
            self._refuse(message, error)

    def _refuse(self, message: Message, error: EngineUnavailable) -> None:
        kind, items = message
        sets = (
            items if kind == "nothing" else [tuple(member.attempt for member in one.members) for one in items]
        )
        with self._changed:
            still = {attempts for attempts in sets if self._in_flight.get(attempts[0]) == attempts}
            for attempts in still:
                for attempt in attempts:
                    self._in_flight.pop(attempt, None)
            self._lose(still, error.message, "engine_unavailable")
        self._wake()

    def interrupt(self, attempt: int, code: str) -> None:
        with self._changed:
            known = attempt in self._in_flight
        if known:
            try:
                self._send(("interrupt", attempt, code))
            except EngineUnavailable:
                pass  # its report comes as lost

    def reports(self) -> list[Report]:
        with self._changed:
            arrived, self._reports = self._reports, []
        return arrived

    def on_report(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def close(self, grace: float = 0.0) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._in_flight, grace)
            self._closed = True
            link = self._link
        if link is not None:
            link.close()

    def restart(self, patience: float = QUIET_SECONDS) -> None:
        """A new engine process, which may read newly registered folders. New starts wait; what still runs after
        `patience` seconds is lost and repeated."""
        with self._changed:
            self._held = [] if self._held is None else self._held
            sent = dict(self._in_flight)
            self._changed.wait_for(
                lambda: not sent.keys() & self._in_flight.keys() and not self._calls, patience
            )
            waiting = {a for kind, items in self._held for a in _attempts(kind, items)}
            kept = {a: s for a, s in self._in_flight.items() if a in waiting}
            self._in_flight = {a: s for a, s in self._in_flight.items() if a not in waiting}
            link = self._link
        if link is not None:
            link.close()
        with self._changed:
            held, self._held = self._held or [], None
            self._in_flight.update(kept)
        for message in held:
            self._hand_out(message)

    # -- port Engine
    def _call(self, method: str, *arguments: Any) -> Any:
        answer: Future[Any] = Future()
        with self._changed:
            self._next_call += 1
            number = self._next_call
            self._calls[number] = answer
        try:
            self._send(("call", number, method, arguments))
        except EngineUnavailable:
            with self._changed:
                self._calls.pop(number, None)
            raise
        try:
            return answer.result(CALL_SECONDS)
        except FutureTimeout:
            raise EngineUnavailable("the engine did not answer in time") from None

    def source_columns(self, folder: str, source: SourceTable) -> tuple[tuple[str, str], ...]:
        self._allow(folder, [source])
        return self._call("source_columns", folder, source)  # type: ignore[no-any-return]

    def register_sources(self, folder: str, sources: Sequence[SourceTable]) -> None:
        self._allow(folder, sources)
        self._call("register_sources", folder, list(sources))

    def _allow(self, folder: str, sources: Sequence[SourceTable]) -> None:
        """The engine may read only folders that it knew when it opened."""
        if self._call("remember_folders", folders_of(folder, sources)):
            self.restart()

    def change_shapes(self, changes: Sequence[ShapeChange], version: str) -> None:
        self._call("change_shapes", list(changes), version)

    def describe(
        self, sql: str, parameters: Mapping[str, object] | None = None
    ) -> tuple[tuple[str, str], ...]:
        return self._call("describe", sql, _plain(parameters))  # type: ignore[no-any-return]

    def query(
        self,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> Rows:
        return self._call("query", sql, _plain(parameters), limit, timeout)  # type: ignore[no-any-return]

    def input_versions(self, reads: Sequence[InputRead]) -> tuple[tuple[str, str], ...]:
        return self._call("input_versions", list(reads))  # type: ignore[no-any-return]

    def published(self, targets: Sequence[Target]) -> dict[Target, int]:
        return self._call("published", list(targets))  # type: ignore[no-any-return]

    def raise_fence(self, targets: Sequence[tuple[Target, int]]) -> dict[Target, int]:
        return self._call("raise_fence", list(targets))  # type: ignore[no-any-return]

    def greatest_attempt(self) -> int:
        return self._call("greatest_attempt")  # type: ignore[no-any-return]

    def show_partition(self, relation: str, partition: str, partition_type: str) -> None:
        self._call("show_partition", relation, partition, partition_type)

    def forget_replaced(self, below: int) -> None:
        self._call("forget_replaced", below)


def _attempts(kind: str, items: Sequence[Any]) -> list[int]:
    if kind == "nothing":
        return [attempt for attempts in items for attempt in attempts]
    return [member.attempt for request in items for member in request.members]


def _plain(parameters: Mapping[str, object] | None) -> dict[str, object] | None:
    return dict(parameters) if parameters else None
