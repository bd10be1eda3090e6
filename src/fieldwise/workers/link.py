"""One engine process and the pipe to it, from start to death."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from fieldwise.model.errors import EngineUnavailable

Message = tuple[Any, ...]
CLOSE_SECONDS = 10.0


class Link:
    """Messages sent before the process is ready wait for it. `hear` and `ended` are called from the link's thread.

    The thread that starts the process lives as long as it: Linux kills a child when the *thread* that made it ends.
    """

    def __init__(
        self,
        home: Path,
        arguments: list[str],
        hear: Callable[[list[Message]], None],
        ended: Callable[[Link], None],
    ) -> None:
        self._home = home
        self._arguments = arguments
        self._hear = hear
        self._ended = ended
        self._lock = threading.Lock()
        self._waiting: list[Message] | None = []  # None: ready
        self._connection: Connection | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._over = False
        self.failure = ""
        self.closing = False
        self.thread = threading.Thread(target=self._live, name="engine-link", daemon=True)

    def open(self) -> Link:
        self.thread.start()
        return self

    @property
    def pid(self) -> int:
        return self._process.pid if self._process is not None else 0

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode if self._process is not None else None

    @property
    def was_ready(self) -> bool:
        return self._waiting is None

    def send(self, message: Message) -> None:
        """Raises EngineUnavailable if the process is over."""
        with self._lock:
            if self._over:
                raise EngineUnavailable(self.failure or "the engine process ended")
            if self._waiting is not None:
                self._waiting.append(message)
                return
            self._write([message])

    def _write(self, messages: list[Message]) -> None:
        assert self._connection is not None
        try:
            self._connection.send_bytes(pickle.dumps(messages, pickle.HIGHEST_PROTOCOL))
        except (OSError, ValueError) as error:
            raise EngineUnavailable(f"the engine process cannot be reached: {error}") from None

    def _live(self) -> None:
        try:
            connection = self._start()
            while True:
                messages = pickle.loads(connection.recv_bytes())
                self._own(messages)
                self._hear(messages)
        except (EOFError, OSError) as error:
            self.failure = self.failure or ("" if isinstance(error, EOFError) else str(error))
        if self._process is not None:
            self._process.wait()
        with self._lock:
            self._over = True
        if self._connection is not None:
            self._connection.close()
        self._ended(self)

    def _start(self) -> Connection:
        self._home.mkdir(parents=True, exist_ok=True)
        ours, theirs = socket.socketpair()
        command = [
            sys.executable,
            "-m",
            "fieldwise.workers.engine_process",
            str(theirs.fileno()),
            str(os.getpid()),
        ]
        try:
            # A group of its own: Ctrl+C in the terminal ends the parent, which then ends this in good order.
            self._process = subprocess.Popen(
                [*command, *self._arguments],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        finally:
            theirs.close()
        self._connection = Connection(ours.detach())
        return self._connection

    def _own(self, messages: list[Message]) -> None:
        for message in messages:
            if message[0] == "failed":
                self.failure = str(message[1])
            elif message[0] == "ready":
                with self._lock:
                    waiting, self._waiting = self._waiting, None
                    if waiting:
                        self._write(waiting)

    def close(self) -> None:
        """Ask it to end; kill it if it does not."""
        self.closing = True
        try:
            self.send(("close",))
        except EngineUnavailable:
            pass  # it is over already
        self.thread.join(CLOSE_SECONDS)
        if self.thread.is_alive() and self._process is not None:
            self._process.kill()
            self.thread.join()
