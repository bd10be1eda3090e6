"""What the reading commands read from: the server that runs on the home, else the home itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from fieldwise.cli.server import running_server
from fieldwise.client import Client
from fieldwise.model.errors import NotFound
from fieldwise.wiring import open_home


class Reads(Protocol):
    """The reads that both offer, in the API's words."""

    def instances(
        self, filters: dict[str, list[str]], sort: str, limit: int, cursor: str | None = None
    ) -> dict[str, Any]: ...

    def find(self, name: str, data: date | None = None, at: str = "") -> int: ...

    def instance(self, number: int) -> dict[str, Any]: ...

    def runs(self, number: int) -> dict[str, Any]: ...

    def log(self, run_id: int, offset: int = 0) -> dict[str, Any]: ...

    def code(self, number: int) -> dict[str, Any]: ...

    def lineage(
        self, table: str, field: str, direction: str, data: date | None = None, depth: int | None = None
    ) -> dict[str, Any]: ...


class Remote:
    """The same reads through the API."""

    def __init__(self, server: Client) -> None:
        self._server = server

    def instances(
        self, filters: dict[str, list[str]], sort: str, limit: int, cursor: str | None = None
    ) -> dict[str, Any]:
        more = {"sort": sort, "limit": limit} | ({"cursor": cursor} if cursor else {})
        return dict(self._server.get("instances", {**filters, **more}))

    def find(self, name: str, data: date | None = None, at: str = "") -> int:
        if name.isdigit():
            return int(name)
        parameters = {"name": name, "at": at} | ({"data": data.isoformat()} if data else {})
        return int(self._server.get("instances-by-name", parameters)["id"])

    def instance(self, number: int) -> dict[str, Any]:
        return dict(self._server.get(f"instances/{number}"))

    def runs(self, number: int) -> dict[str, Any]:
        return dict(self._server.get(f"instances/{number}/runs"))

    def log(self, run_id: int, offset: int = 0) -> dict[str, Any]:
        return dict(self._server.get(f"runs/{run_id}/log", {"offset": offset, "limit": 4 * 1024 * 1024}))

    def code(self, number: int) -> dict[str, Any]:
        return dict(self._server.get(f"instances/{number}/code"))

    def lineage(
        self, table: str, field: str, direction: str, data: date | None = None, depth: int | None = None
    ) -> dict[str, Any]:
        way = "production" if direction == "up" else "consumption"
        parameters = ({"data": data.isoformat()} if data else {}) | ({"depth": depth} if depth else {})
        return dict(self._server.get(f"tables/{table}/fields/{field}/{way}", parameters))


@contextmanager
def reads(home: Path) -> Iterator[Reads]:
    """A home that does not exist is an error, not an empty one: reading makes nothing."""
    server = running_server(home)
    if server is not None:
        yield Remote(server)
        return
    if not (home / "state.db").exists():
        raise NotFound(f"{home} holds no state yet", "run a project first, or name another --home")
    with open_home(home) as deployment:
        yield deployment.browse
