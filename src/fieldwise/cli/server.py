"""Finds the server that runs on a home, and talks to it: with one running, the command line is its client (spec 5)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from fieldwise.model.errors import FieldwiseError

SECONDS = 3600.0


class ServerRefused(FieldwiseError):
    """The server answered with a problem; its own code, words and hint."""

    def __init__(self, body: Mapping[str, Any], status: int) -> None:
        super().__init__(
            str(body.get("detail") or body.get("title") or f"HTTP {status}"), str(body.get("hint") or "")
        )
        self.code = str(body.get("code") or "server_error")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it is and the token that lets this user in."""

    url: str
    token: str

    def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        return self._answer("GET", path, params=parameters)

    def post(self, path: str, body: Any) -> Any:
        return self._answer("POST", path, json=body)

    def _answer(self, method: str, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            answer = httpx.request(
                method, f"{self.url}/api/v1/{path}", headers=headers, timeout=SECONDS, trust_env=False, **more
            )
        except httpx.HTTPError as error:
            raise ServerRefused(
                {"title": f"the server at {self.url} does not answer: {error}", "code": "offline"}, 0
            ) from None
        if answer.is_error:
            body = answer.json() if "json" in answer.headers.get("content-type", "") else {}
            raise ServerRefused(body, answer.status_code)
        return answer.json()


def running_server(home: Path) -> Server | None:
    """The server of a home, if its process lives and answers."""
    address = os.environ.get("FIELDWISE_SERVER")
    if address:
        return Server(address.rstrip("/"), os.environ.get("FIELDWISE_TOKEN", ""))
    try:
        said = json.loads((home / "server.json").read_text(encoding="utf-8"))
        os.kill(int(said["pid"]), 0)
        server = Server(str(said["url"]), str(said["token"]))
        httpx.get(f"{server.url}/health/live", timeout=2.0, trust_env=False).raise_for_status()
    except (OSError, ValueError, KeyError, httpx.HTTPError):
        return None
    return server
