"""The engine process: opens the warehouse, executes attempts on threads, dies with its parent.

Messages to it: ("start", requests) ("nothing", attempt sets) ("interrupt", attempt, code) ("call", number, method,
arguments) ("close",). From it: ("ready",) ("failed", why) ("report", report) ("done", attempt sets) ("answer", number,
good, value). Each is sent as a list of such tuples.
"""

from __future__ import annotations

import os
import pickle
import shutil
import sys
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from fieldwise.engines.duckdb import Warehouse
from fieldwise.model.attempt import AttemptRequest, Target
from fieldwise.model.errors import EngineRefused, EngineUnavailable, FieldwiseError
from fieldwise.workers.attempt import Attempt
from fieldwise.workers.deadlines import AGAIN_SECONDS, Deadlines
from fieldwise.workers.lifeline import die_with_parent

CALLS = frozenset({
    "source_columns", "remember_folders", "register_sources", "change_shapes", "describe", "query", "published",
    "greatest_attempt", "input_versions", "show_partition", "forget_replaced",
})  # fmt: skip
CALLS_AT_ONCE = 4
BROKEN_EXIT = 4

Message = tuple[Any, ...]


class EngineProcess:
    """Reads messages on the main thread; answers come from the threads that did the work."""

    def __init__(
        self, connection: Connection, home: Path, threads: int, memory_limit: str, attempts_at_once: int
    ) -> None:
        self._connection = connection
        self._home = home
        self._sending = threading.Lock()
        self._warehouse = Warehouse(str(home / "warehouse.duckdb"), home / "scratch", threads, memory_limit)
        _clear(home / "scratch")  # only now: the file is ours, so nobody else works there
        self._attempts = ThreadPoolExecutor(attempts_at_once, "attempt")
        self._calls = ThreadPoolExecutor(CALLS_AT_ONCE, "call")
        self._deadlines = Deadlines()
        self._running: dict[int, Attempt] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._script_memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

    def serve(self) -> None:
        """Until the parent says so; raises EOFError when it is gone."""
        self._send([("ready",)])
        while True:
            for kind, *rest in pickle.loads(self._connection.recv_bytes()):
                match kind:
                    case "nothing":
                        self._send([("done", rest[0])])
                    case "start":
                        self._start(rest[0])
                    case "interrupt":
                        self._interrupt(rest[0], rest[1])
                    case "call":
                        self._calls.submit(self._call, *rest)
                    case "close":
                        self._close()
                        return

    def _send(self, messages: list[Message]) -> None:
        data = pickle.dumps(messages, pickle.HIGHEST_PROTOCOL)
        with self._sending:
            self._connection.send_bytes(data)

    def _start(self, requests: list[AttemptRequest]) -> None:
        for request in requests:
            attempt = Attempt(
                self._warehouse, request, self._home, self._locks.__getitem__, self._script_memory
            )
            for member in request.members:
                self._running[member.attempt] = attempt
            self._attempts.submit(self._execute, attempt)

    def _execute(self, attempt: Attempt) -> None:
        self._deadlines.after(attempt.request.timeout, attempt, "timeout")
        report = attempt.run()
        for member in attempt.request.members:
            self._running.pop(member.attempt, None)
        self._send([("report", report)])
        if attempt.broken:
            os._exit(BROKEN_EXIT)  # a new process opens the file again; what ran here is lost

    def _interrupt(self, number: int, code: str) -> None:
        attempt = self._running.get(number)
        if attempt is not None:
            attempt.interrupt(code)
            self._deadlines.after(AGAIN_SECONDS, attempt, code)

    def _call(self, number: int, method: str, arguments: tuple[Any, ...]) -> None:
        try:
            answer: Message = ("answer", number, True, self._act(method, arguments))
        except FieldwiseError as error:
            answer = ("answer", number, False, (type(error).__name__, error.message, error.hint))
        except Exception as error:
            answer = (
                "answer",
                number,
                False,
                (EngineUnavailable.__name__, f"{type(error).__name__}: {error}", ""),
            )
        self._send([answer])

    def _act(self, method: str, arguments: tuple[Any, ...]) -> object:
        if method == "raise_fence":
            return self._raise_fence(*arguments)
        if method not in CALLS:
            raise EngineRefused(f"no such call: {method}")
        return getattr(self._warehouse, method)(*arguments)

    def _raise_fence(self, targets: list[tuple[Target, int]]) -> dict[Target, int]:
        """A refused attempt that still runs holds its partition's guard row: it is interrupted first."""
        for _, attempt in targets:
            self._interrupt(attempt, "fenced")
        return self._warehouse.raise_fence(targets)

    def _close(self) -> None:
        if not self._running:
            self._warehouse.close()  # writes the log into the file, so that any DuckDB client may open it


def _clear(scratch: Path) -> None:
    for left in scratch.glob("script_*"):
        shutil.rmtree(left, ignore_errors=True)


def main() -> None:
    descriptor, parent, home, threads, memory_limit, attempts_at_once = sys.argv[1:7]
    die_with_parent(int(parent))
    connection = Connection(int(descriptor))
    try:
        process = EngineProcess(connection, Path(home), int(threads), memory_limit, int(attempts_at_once))
    except Exception as error:
        why = error.message if isinstance(error, FieldwiseError) else f"{type(error).__name__}: {error}"
        connection.send_bytes(pickle.dumps([("failed", why)]))
        os._exit(3)
    try:
        process.serve()
    except (EOFError, OSError):
        pass  # the parent is gone: nobody waits for anything any more
    # Threads may sit in long statements; the file is consistent without a clean end, and a successor waits for it.
    os._exit(0)


if __name__ == "__main__":
    main()
