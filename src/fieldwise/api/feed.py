"""Tells every open page which instances changed: one look at the event log a second, whatever the number of pages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Protocol

from starlette.concurrency import run_in_threadpool

from fieldwise.ports.store import Changed

PAUSE_SECONDS = 0.5
PING_SECONDS = 15.0
WAITING_AT_MOST = 200


class Log(Protocol):
    def newest_event(self) -> tuple[int, int]: ...

    def changed_instances(self, after: tuple[int, int]) -> Changed: ...


class Feed:
    """Looks at the log while anybody listens. A listener that cannot keep up is told to start again."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._listeners: set[asyncio.Queue[str]] = set()
        self._task: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def listen(self, last: str | None) -> AsyncIterator[str]:
        """Server-sent events: `instances` with changed ids; its id resumes a broken connection."""
        queue: asyncio.Queue[str] = asyncio.Queue(WAITING_AT_MOST)
        if last:
            missed = await self._missed(last)
            if missed:
                yield missed
        self._listeners.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())
        yield "retry: 2000\n\n"
        try:
            while not self._closing.is_set():
                try:
                    yield await asyncio.wait_for(queue.get(), PING_SECONDS)
                except TimeoutError:
                    yield "event: ping\ndata: {}\n\n"
        finally:
            self._listeners.discard(queue)

    async def close(self) -> None:
        self._closing.set()
        for queue in list(self._listeners):
            self._put(queue, "event: ping\ndata: {}\n\n")
        if self._task is not None:
            self._task.cancel()

    async def _missed(self, last: str) -> str:
        try:
            day, _, sequence = last.partition("-")
            changed = await run_in_threadpool(self._log.changed_instances, (int(day), int(sequence)))
        except ValueError:
            return ""
        return _event(changed) if changed.instances else ""

    async def _look(self) -> None:
        here = await run_in_threadpool(self._log.newest_event)
        while self._listeners:
            await asyncio.sleep(PAUSE_SECONDS)
            changed = await run_in_threadpool(self._log.changed_instances, here)
            here = changed.place
            if changed.instances:
                text = _event(changed)
                for queue in list(self._listeners):
                    self._put(queue, text)

    def _put(self, queue: asyncio.Queue[str], text: str) -> None:
        if queue.full():
            while not queue.empty():
                queue.get_nowait()
        queue.put_nowait(text)


def _event(changed: Changed) -> str:
    """`all`: too many instances changed to name them; whoever shows instances asks again."""
    data = {"ids": changed.instances, "all": changed.more}
    return f"id: {changed.place[0]}-{changed.place[1]}\nevent: instances\ndata: {json.dumps(data)}\n\n"
