"""The Python client: the operations of the API as methods, for notebooks and scripts.

from fieldwise.client import Client
fieldwise = Client("http://127.0.0.1:8230", token)          # or Client.of_home(".fieldwise")
plan = fieldwise.plan("rerun", instances=[12], fields=["refund"])
operation = fieldwise.confirm(plan, reason="late refunds")
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from fieldwise.model.errors import FieldwiseError

SECONDS = 3600.0
ENDED = frozenset({"applied", "refused", "cancelled"})
PAUSE = 0.2


class Refused(FieldwiseError):
    """The server answered with a problem: its own code, words and hint; `body` is the whole of it."""

    def __init__(self, body: Mapping[str, Any], status: int) -> None:
        words = str(body.get("detail") or body.get("title") or f"HTTP {status}")
        super().__init__(words, str(body.get("hint") or ""))
        self.code = str(body.get("code") or "server_error")
        self.status = status
        self.body = dict(body)


@dataclass(frozen=True)
class Client:
    """A server and the token that lets this program in. `source`: api, cli or agent, as the log shows it."""

    url: str
    token: str = field(repr=False)
    source: str = "api"

    @classmethod
    def of_home(cls, home: str | Path) -> Client:
        """The server that runs on a home of this machine. Raises Refused if none does."""
        try:
            said = json.loads((Path(home) / "server.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise Refused({"title": f"no server runs on {home}", "code": "offline"}, 0) from None
        return cls(said["url"], said["token"])

    # -- reading
    def instances(self, **filters: Any) -> dict[str, Any]:
        """A page of instances; filters as in the API, lists mean or."""
        return dict(self.get("instances", filters))

    def instance(self, number: int) -> dict[str, Any]:
        return dict(self.get(f"instances/{number}"))

    def operations(self, **filters: Any) -> dict[str, Any]:
        return dict(self.get("operations", filters))

    def operation(self, number: int) -> dict[str, Any]:
        return dict(self.get(f"operations/{number}"))

    # -- operating
    def plan(
        self,
        verb: str,
        instances: Sequence[int] | None = None,
        query: str | None = None,
        fields: Sequence[str] | None = None,
        environment: str = "prod",
        **options: Any,
    ) -> dict[str, Any]:
        """What an operation would do (spec 4, "Contracts"); changes nothing."""
        body = {
            "verb": verb,
            "scope": {
                "instances": None if instances is None else list(instances),
                "query": query,
                "environment": environment,
            },
            "fields": None if fields is None else list(fields),
            "options": options,
        }
        return dict(self.post("plans", body))

    def confirm(self, plan: Mapping[str, Any], reason: str = "", key: str = "") -> dict[str, Any]:
        """Apply exactly that plan. `key`: repeating the call with it does nothing twice."""
        body = {"plan": plan["plan"], "hash": plan["hash"], "reason": reason}
        return dict(self.post("operations", body, {"Idempotency-Key": key} if key else {}))

    def undo(self, operation: int, reason: str = "") -> dict[str, Any]:
        return dict(self.post(f"operations/{operation}/undo", {"reason": reason}))

    def wait(self, operation: int, seconds: float = SECONDS) -> dict[str, Any]:
        """The operation once every node instance it runs has come to an end."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.operation(operation)
            open_ = [item for item in found["items"] if item["result"] in ("waiting", "running", "stopping")]
            if found["status"] in ENDED and not open_:
                return found
            if time.monotonic() > deadline:
                raise Refused({"title": f"operation {operation} has not ended", "code": "timeout"}, 0)
            time.sleep(PAUSE)

    # -- HTTP
    def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        return self._answer("GET", path, params=parameters)

    def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Any:
        return self._answer("POST", path, headers, json=body)

    def put(self, path: str, body: Any) -> Any:
        return self._answer("PUT", path, json=body)

    def _answer(self, method: str, path: str, headers: Mapping[str, str] | None = None, **more: Any) -> Any:
        sent = {
            "Authorization": f"Bearer {self.token}",
            "X-Fieldwise-Source": self.source,
            **(headers or {}),
        }
        try:
            answer = httpx.request(
                method, f"{self.url}/api/v1/{path}", headers=sent, timeout=SECONDS, trust_env=False, **more
            )
        except httpx.HTTPError as error:
            title = f"the server at {self.url} does not answer: {error}"
            raise Refused({"title": title, "code": "offline"}, 0) from None
        if answer.is_error:
            body = answer.json() if "json" in answer.headers.get("content-type", "") else {}
            raise Refused(body, answer.status_code)
        return answer.json()
