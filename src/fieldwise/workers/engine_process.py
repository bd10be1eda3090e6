"""The engine process: opens the warehouse, executes attempts on threads, dies with its parent."""

from __future__ import annotations

import os
import pickle
import shutil
import sys
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from fieldwise.engines.duckdb import Warehouse
from fieldwise.model.attempt import AttemptKind, AttemptRequest, Report
from fieldwise.model.errors import EngineRefused, EngineUnavailable, FieldwiseError
from fieldwise.model.status import RunOutcome
from fieldwise.workers.attempt import Attempt

CALLS = frozenset(
    {"source_columns", "remember_folder", "register_sources", "change_shapes", "describe", "query", "published", "raise_fence", "greatest_attempt"}
)  # fmt: skip


class EngineProcess:
    """Reads messages from the parent on the main thread; answers come from the threads that did the work."""

    def __init__(
        self, connection: Connection, home: Path, threads: int, memory_limit: str, attempts_at_once: int
    ) -> None:
        self._connection = connection
        self._home = home
        self._sending = threading.Lock()
        shutil.rmtree(home / "scratch", ignore_errors=True)
        self._warehouse = Warehouse(str(home / "warehouse.duckdb"), home / "scratch", threads, memory_limit)
        self._attempts = ThreadPoolExecutor(attempts_at_once, "attempt")
        self._calls = ThreadPoolExecutor(4, "call")
        self._running: dict[int, Attempt] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def serve(self) -> None:
        """Until the parent closes or dies."""
        self._send([("ready", None, None, None)])
        while True:
            for kind, *rest in pickle.loads(self._connection.recv_bytes()):
                match kind:
                    case "start":
                        self._start(rest[0])
                    case "interrupt":
                        self._interrupt(rest[0], rest[1])
                    case "call":
                        self._calls.submit(self._call, *rest)
                    case "close":
                        return

    def _send(self, messages: list[tuple[Any, ...]]) -> None:
        data = pickle.dumps(messages, pickle.HIGHEST_PROTOCOL)
        with self._sending:
            self._connection.send_bytes(data)

    def _start(self, requests: list[AttemptRequest]) -> None:
        done = []
        for request in requests:
            if request.kind is AttemptKind.NOTHING:
                done.append(
                    (
                        "report",
                        Report(
                            tuple(m.attempt for m in request.members), RunOutcome.SUCCEEDED, datetime.now(UTC)
                        ),
                        None,
                        None,
                    )
                )
                continue
            attempt = Attempt(self._warehouse, request, self._home, self._locks.__getitem__)
            for member in request.members:
                self._running[member.attempt] = attempt
            self._attempts.submit(self._execute, attempt)
        if done:
            self._send(done)

    def _execute(self, attempt: Attempt) -> None:
        report = attempt.run()
        for member in attempt.request.members:
            self._running.pop(member.attempt, None)
        self._send([("report", report, None, None)])

    def _interrupt(self, number: int, code: str) -> None:
        attempt = self._running.get(number)
        if attempt is not None:
            attempt.interrupt(code)

    def _call(self, call: int, method: str, arguments: tuple[Any, ...]) -> None:
        try:
            if method not in CALLS:
                raise EngineRefused(f"no such call: {method}")
            answer = ("answer", call, True, getattr(self._warehouse, method)(*arguments))
        except FieldwiseError as error:
            answer = ("answer", call, False, (type(error).__name__, error.message, error.hint))
        except Exception as error:
            answer = (
                "answer",
                call,
                False,
                (EngineUnavailable.__name__, f"{type(error).__name__}: {error}", ""),
            )
        self._send([answer])


def main() -> None:
    descriptor, home, threads, memory_limit, attempts_at_once = sys.argv[1:6]
    connection = Connection(int(descriptor))
    try:
        process = EngineProcess(connection, Path(home), int(threads), memory_limit, int(attempts_at_once))
    except FieldwiseError as error:
        connection.send_bytes(pickle.dumps([("failed", error.message, None, None)]))
        os._exit(3)
    try:
        process.serve()
    except (EOFError, OSError):
        pass  # the parent is gone: nobody waits for anything any more
    # Threads may sit in long statements; the file is consistent without a clean end, and a successor waits for it.
    os._exit(0)


if __name__ == "__main__":
    main()
