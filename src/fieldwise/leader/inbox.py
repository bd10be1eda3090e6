"""What other threads hand to the leader: inputs and calls, each with a ticket that tells when it is durable."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from fieldwise.fleet.values import Input, Refused

Call = Callable[[int, int], tuple[Any, list[Input]]]
"""(epoch, now) -> (answer, what the window must learn of it). Runs in the leader's turn, before its decision."""


@dataclass(slots=True)
class Ticket:
    """An input or a call, and where its answer goes: refusals of an input, the answer of a call.

    `alone`: the call decides by the window, so everything that came before it must have reached the window.
    """

    item: Input | None = None
    call: Call | None = None
    alone: bool = False
    answer: Future[Any] = field(default_factory=Future)
    value: Any = None
    error: Exception | None = None

    def reply(self, refused: list[Refused]) -> None:
        """Tell whoever waits, if he still does."""
        if not self.answer.set_running_or_notify_cancel():
            return
        if self.error is not None:
            self.answer.set_exception(self.error)
        else:
            self.answer.set_result(refused if self.item is not None else self.value)


class Inbox:
    """A queue with one reader, the leader, and any number of writers."""

    def __init__(self) -> None:
        self._tickets: deque[Ticket] = deque()
        self._lock = Lock()
        self._wake: Callable[[], None] = lambda: None

    def on_arrival(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def send(self, item: Input) -> Future[list[Refused]]:
        """Give an input to the next decision; the future holds what it refused, once committed."""
        return self._put(Ticket(item=item))

    def call(self, call: Call) -> Future[Any]:
        """Have something done under the leader's epoch, between two decisions."""
        return self._put(Ticket(call=call))

    def decide(self, call: Call) -> Future[Any]:
        """The same for a call that looks at the window and acts on what it saw: nothing comes in between."""
        return self._put(Ticket(call=call, alone=True))

    def _put(self, ticket: Ticket) -> Future[Any]:
        with self._lock:
            self._tickets.append(ticket)
        self._wake()
        return ticket.answer

    def take(self) -> list[Ticket]:
        with self._lock:
            taken = list(self._tickets)
            self._tickets.clear()
        return taken
