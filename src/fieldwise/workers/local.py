"""The workers of one machine: one engine process, its attempts, and the engine's answers (ports Worker and Engine)."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from fieldwise.model.attempt import AttemptRequest, Report, Target
from fieldwise.model.definition import SourceTable
from fieldwise.model.errors import EngineRefused, EngineUnavailable
from fieldwise.model.status import RunOutcome
from fieldwise.ports.engine import Rows, ShapeChange

CALL_SECONDS = 3600.0
START_SECONDS = 30.0
QUIET_SECONDS = 30.0


class LocalWorkers:
    """Starts the engine process when it is first needed, and again if it died; what ran in it is then lost."""

    def __init__(
        self, home: Path, threads: int | None = None, memory_limit: str = "", attempts_at_once: int = 16
    ) -> None:
        self._home = Path(home)
        self._threads = threads or os.cpu_count() or 2
        self._memory_limit = memory_limit
        self._attempts_at_once = attempts_at_once
        self._lock = threading.RLock()
        self._sending = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._ready = threading.Event()
        self._failure = ""
        self._in_flight: dict[int, AttemptRequest] = {}
        self._reports: list[Report] = []
        self._calls: dict[int, Future[Any]] = {}
        self._next_call = 0
        self._wake: Callable[[], None] = lambda: None
        self._closed = False

    # -- the process
    def _ensure(self) -> Connection:
        with self._lock:
            if self._closed:
                raise EngineUnavailable("the workers are closed")
            if self._connection is None:
                self._launch()
            connection = self._connection
        if not self._ready.wait(START_SECONDS):
            raise EngineUnavailable("the engine process did not start in time")
        if self._failure:
            raise EngineUnavailable(self._failure)
        assert connection is not None
        return connection

    def _launch(self) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        ours, theirs = socket.socketpair()
        command = [
            sys.executable, "-m", "fieldwise.workers.engine_process", str(theirs.fileno()), str(self._home), str(self._threads),
            self._memory_limit, str(self._attempts_at_once),
        ]  # fmt: skip
        # A group of its own: Ctrl+C in the terminal ends the parent, which then ends this in good order.
        process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, start_new_session=True
        )
        theirs.close()
        self._process, self._connection = process, Connection(ours.detach())
        self._ready, self._failure = threading.Event(), ""
        threading.Thread(
            target=self._listen,
            args=(self._connection, process, self._ready),
            name="engine-reports",
            daemon=True,
        ).start()

    def _listen(
        self, connection: Connection, process: subprocess.Popen[bytes], ready: threading.Event
    ) -> None:
        try:
            while True:
                arrived = False
                for kind, *rest in pickle.loads(connection.recv_bytes()):
                    arrived = self._hear(kind, rest, ready) or arrived
                if arrived:
                    self._wake()
        except (EOFError, OSError):
            process.wait()
            self._died(connection, process, ready)

    def _hear(self, kind: str, rest: list[Any], ready: threading.Event) -> bool:
        """True if it was a report."""
        match kind:
            case "report":
                report: Report = rest[0]
                with self._lock:
                    for attempt in report.attempts:
                        self._in_flight.pop(attempt, None)
                    self._reports.append(report)
                return True
            case "answer":
                call = self._calls.pop(rest[0], None)
                if call is not None:
                    _settle(call, rest[1], rest[2])
            case "ready":
                ready.set()
            case "failed":
                self._failure = str(rest[0])
                ready.set()
        return False

    def _died(self, connection: Connection, process: subprocess.Popen[bytes], ready: threading.Event) -> None:
        """Whatever ran in it is lost, whoever waits for it hears so; the next need starts another one."""
        with self._lock:
            if self._connection is connection:
                self._connection, self._process = None, None
            lost = {request.members[0].attempt: request for request in self._in_flight.values()}
            self._in_flight.clear()
            calls, self._calls = list(self._calls.values()), {}
            if not self._closed:
                said = f"the engine process ended (exit code {process.returncode}); the run is repeated"
                self._reports += [
                    Report(
                        tuple(member.attempt for member in request.members),
                        RunOutcome.LOST,
                        datetime.now(UTC),
                        said,
                        "worker_lost",
                    )
                    for request in lost.values()
                ]
        if not ready.is_set():
            self._failure = self._failure or "the engine process ended while starting"
            ready.set()
        for call in calls:
            if not call.done():
                call.set_exception(EngineUnavailable("the engine process ended"))
        if lost:
            self._wake()

    def _send(self, message: tuple[Any, ...]) -> None:
        connection = self._ensure()
        data = pickle.dumps([message], pickle.HIGHEST_PROTOCOL)
        try:
            with self._sending:
                connection.send_bytes(data)
        except (OSError, ValueError) as error:
            raise EngineUnavailable(f"the engine process cannot be reached: {error}") from None

    # -- port Worker
    def start(self, requests: Sequence[AttemptRequest]) -> None:
        with self._lock:
            for request in requests:
                for member in request.members:
                    self._in_flight[member.attempt] = request
        try:
            self._send(("start", list(requests)))
        except EngineUnavailable as error:
            self._refuse(requests, error)

    def _refuse(self, requests: Sequence[AttemptRequest], error: EngineUnavailable) -> None:
        with self._lock:
            for request in requests:
                attempts = tuple(member.attempt for member in request.members)
                if any(self._in_flight.pop(attempt, None) is not None for attempt in attempts):
                    self._reports.append(
                        Report(
                            attempts, RunOutcome.LOST, datetime.now(UTC), error.message, "engine_unavailable"
                        )
                    )
        self._wake()

    def interrupt(self, attempt: int, code: str) -> None:
        with self._lock:
            known = attempt in self._in_flight
        if known:
            try:
                self._send(("interrupt", attempt, code))
            except EngineUnavailable:
                pass  # its report comes as lost

    def reports(self) -> list[Report]:
        with self._lock:
            arrived, self._reports = self._reports, []
        return arrived

    def on_report(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def close(self, grace: float = 0.0) -> None:
        self._wait_until_quiet(grace)
        with self._lock:
            self._closed = True
            process, connection = self._process, self._connection
        if connection is not None:
            try:
                with self._sending:
                    connection.send_bytes(pickle.dumps([("close",)]))
            except (OSError, ValueError):
                pass  # it is gone already
        if process is not None:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _wait_until_quiet(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._in_flight and time.monotonic() < deadline:
            time.sleep(0.02)

    def restart(self) -> None:
        """End the process in good order; the next need starts another one, which may read newly registered folders."""
        self._wait_until_quiet(QUIET_SECONDS)
        with self._lock:
            process, connection = self._process, self._connection
        if process is None or connection is None:
            return
        with self._sending:
            connection.send_bytes(pickle.dumps([("close",)]))
        process.wait()
        while True:
            with self._lock:
                if self._connection is not connection:
                    return
            time.sleep(0.005)

    # -- port Engine
    def _call(self, method: str, *arguments: Any) -> Any:
        answer: Future[Any] = Future()
        self._ensure()
        with self._lock:
            self._next_call += 1
            number = self._next_call
            self._calls[number] = answer
        self._send(("call", number, method, arguments))
        try:
            return answer.result(CALL_SECONDS)
        except FutureTimeout:
            raise EngineUnavailable("the engine did not answer in time") from None

    def source_columns(self, folder: str, source: SourceTable) -> tuple[tuple[str, str], ...]:
        self._allow(folder)
        return self._call("source_columns", folder, source)  # type: ignore[no-any-return]

    def register_sources(self, folder: str, sources: Sequence[SourceTable]) -> None:
        self._allow(folder)
        self._call("register_sources", folder, list(sources))

    def _allow(self, folder: str) -> None:
        """The engine may read only folders that it knew when it opened."""
        if self._call("remember_folder", folder):
            self.restart()

    def change_shapes(self, changes: Sequence[ShapeChange], version: str) -> None:
        self._call("change_shapes", list(changes), version)

    def describe(
        self, sql: str, parameters: Mapping[str, object] | None = None
    ) -> tuple[tuple[str, str], ...]:
        return self._call("describe", sql, dict(parameters) if parameters else None)  # type: ignore[no-any-return]

    def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, limit: int | None = None
    ) -> Rows:
        return self._call("query", sql, dict(parameters) if parameters else None, limit)  # type: ignore[no-any-return]

    def published(self, targets: Sequence[Target]) -> dict[Target, int]:
        return self._call("published", list(targets))  # type: ignore[no-any-return]

    def raise_fence(self, targets: Sequence[tuple[Target, int]]) -> dict[Target, int]:
        return self._call("raise_fence", list(targets))  # type: ignore[no-any-return]

    def greatest_attempt(self) -> int:
        return self._call("greatest_attempt")  # type: ignore[no-any-return]


def _settle(call: Future[Any], good: bool, value: Any) -> None:
    if good:
        call.set_result(value)
        return
    name, message, hint = value
    kind = {"EngineRefused": EngineRefused, "EngineUnavailable": EngineUnavailable}.get(
        name, EngineUnavailable
    )
    call.set_exception(kind(message, hint))
