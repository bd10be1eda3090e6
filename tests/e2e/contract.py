"""The operations contract answered from memory, laid over a real server's pages: what a browser needs of it, and nothing runs."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route

FORCE = ("force_rerun", "force_rerun_downstream")
WITH_REASON = ("set_success", "remove_upstream", "force_rerun_downstream")


def _step(
    number: int, instance: int, table: str, fields: list[str], day: str, level: int, status: str
) -> dict[str, Any]:
    return {
        "node_instance": number,
        "instance": instance,
        "table": table,
        "node": f"{table}/n{number}",
        "label": f"n{number}",
        "fields": fields,
        "data_timestamp": day,
        "action": "run",
        "from": status,
        "to": "not_running",
        "level": level,
    }


@dataclass
class Contract:
    """Plans, operations and drafts; what was asked is kept for the test to look at."""

    day: str
    instance: int
    table: str = "shop.fct_order"
    plans: list[dict[str, Any]] = field(default_factory=list)
    confirmed: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    operations: list[dict[str, Any]] = field(default_factory=list)
    drafts: list[tuple[str, Any]] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    refused: str = ""
    many: int = 0
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def over(self, page: Page) -> None:
        page.route(
            re.compile(
                r"/api/v1/(plans|operations|emergency-drafts|me|instances/\d+/(choices|operations))(/|\?|$)"
            ),
            self._answer,
        )

    # -- the bodies

    def plan(self, asked: dict[str, Any], undo_of: int | None = None) -> dict[str, Any]:
        verb = asked["verb"]
        number = next(self._numbers)
        chosen: list[str] = asked.get("fields") or ["amount", "region", "refund"]
        status = "running" if verb == "stop" else "succeeded"
        steps = [_step(1, self.instance, self.table, chosen, self.day, 0, status)]
        required = []
        if asked.get("fields") == ["amount"]:
            required = [
                {
                    "table": self.table,
                    "data_timestamp": self.day,
                    "instance": self.instance,
                    "field": "currency",
                    "cause": "SAME_NODE",
                    "because": "shares node n1 with amount",
                },
                {
                    "table": self.table,
                    "data_timestamp": self.day,
                    "instance": self.instance,
                    "field": "customer_id",
                    "cause": "STALE",
                    "because": "raw.orders.customer_id changed after its last run",
                },
            ]
            steps.append(_step(2, self.instance, self.table, ["currency"], self.day, 0, status))
        if "downstream" in verb:
            picked = {one["instance"] for one in asked.get("options", {}).get("pick") or []}
            below = [
                _step(11, 901, "mart.dm_sales", ["gmv", "orders"], self.day, 1, "failed"),
                _step(12, 901, "mart.dm_sales", ["cost"], self.day, 1, "succeeded"),
                _step(13, 902, "mart.ads_board", ["gmv_rate"], self.day, 2, "failed"),
            ]
            ranged = asked.get("options", {}).get("range")
            steps += [
                one
                for one in below
                if (ranged == "custom" and one["instance"] in picked)
                or ranged in ("all", "all_final")
                or (ranged == "all_failed" and one["from"] == "failed")
            ]
        steps += [
            _step(100 + n, 1000 + n, f"mart.table_{n % 40:02}", ["a", "b"], self.day, 1 + n % 4, "succeeded")
            for n in range(self.many)
        ]
        instances = {one["instance"] for one in steps}
        return {
            "plan": f"p{number}",
            "hash": f"h{number}",
            "expires_at": "2099-01-01T00:00:00Z",
            "verb": verb,
            "steps": [] if self.refused else steps,
            "required": [] if self.refused else required,
            "conflicts": [],
            "skipped": [
                {
                    "object": "shop.dim_customer n1",
                    "code": "status",
                    "message": "is Running",
                    "instead": "force_rerun",
                }
            ]
            if verb == "rerun" and undo_of is None
            else [],
            "impact": {
                "node_instances": len(steps),
                "fields": sum(len(one["fields"]) for one in steps),
                "tables": len({one["table"] for one in steps}),
                "projects": sorted({one["table"].split(".")[0] for one in steps}),
                "owners": ["ann", "bo"],
                "running_stopped": len(steps) if verb == "stop" else 0,
                "engine_seconds": 83.5 * len(instances),
                "finish_at": f"{datetime.now(UTC):%Y-%m-%dT%H}:59:00Z",
                "baselines": [],
            },
            "older_than_input": [
                {"instance": 903, "object": "mart.dm_stock", "data_timestamp": self.day, "fields": ["value"]}
            ]
            if verb == "force_rerun"
            else [],
            "ancestors_not_succeeded": [
                {"instance": 904, "object": "shop.dim_region", "data_timestamp": self.day, "status": "failed"}
            ]
            if verb in FORCE
            else [],
            "reason_required": verb in WITH_REASON,
            "warning": "",
            "refused": self.refused,
        }

    def operation(self, plan: dict[str, Any], reason: str, undo_of: int | None = None) -> dict[str, Any]:
        number = len(self.operations) + 1
        steps = plan["steps"]
        made = {
            "operation": number,
            "status": "applied",
            "verb": plan["verb"],
            "source": "ui",
            "actor": "local",
            "at": "2026-11-20T10:00:00Z",
            "reason": reason,
            "applied": len(steps),
            "total": len(steps),
            "objects": sorted({one["table"] for one in steps}),
            "scope": {"instances": [self.instance]},
            "options": {},
            "fields": None,
            "undo_of": undo_of,
            "undone_by": None,
            "undoable": plan["verb"] == "pause" and undo_of is None,
            "not_undoable_because": ""
            if plan["verb"] == "pause"
            else "not_undoable: a stop cannot be undone",
            "skipped": [],
            "plan_hash": plan["hash"],
            "items": [
                {
                    key: one[key]
                    for key in (
                        "node_instance",
                        "instance",
                        "table",
                        "node",
                        "label",
                        "fields",
                        "data_timestamp",
                        "action",
                    )
                }
                | {"before": one["from"], "after": one["to"], "result": "applied"}
                for one in steps
            ],
        }
        self.operations.append(made)
        return made

    # -- the routes

    def _answer(self, route: Route) -> None:
        request = route.request
        parts = urlsplit(request.url)
        path = parts.path.removeprefix("/api/v1/")
        body = json.loads(request.post_data or "{}") if request.method != "GET" else {}
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        status, answer = self._say(
            request.method, path, query, body, request.headers.get("idempotency-key", "")
        )
        route.fulfill(status=status, content_type="application/json", body=json.dumps(answer))

    def _say(
        self, method: str, path: str, query: dict[str, str], body: dict[str, Any], key: str
    ) -> tuple[int, Any]:
        if path == "me":
            return 200, {"name": "local", "source": "ui", "rights": ["*"]}
        if path.endswith("/choices"):
            return 200, self._choices([name for name in query.get("fields", "").split(",") if name])
        if path.startswith("instances/"):
            return 200, {"items": [self._row(one) for one in reversed(self.operations)], "cursor": None}
        if path == "plans":
            self.plans.append(body)
            return 201, self.plan(body)
        if path.startswith("emergency-drafts"):
            return self._draft(path, body)
        return self._operation(method, path, query, body, key)

    def _operation(
        self, method: str, path: str, query: dict[str, str], body: dict[str, Any], key: str
    ) -> tuple[int, Any]:
        if path == "operations" and method == "GET":
            found = [one for one in self.operations if query.get("verb", one["verb"]) == one["verb"]]
            return 200, {"items": [self._row(one) for one in reversed(found)], "cursor": None}
        if path == "operations":
            if self.stale:
                difference, self.stale = self.stale, []
                return 409, {
                    "title": "Conflict",
                    "status": 409,
                    "code": "plan_stale",
                    "detail": "things changed",
                    "difference": difference,
                    "plan": self.plan(self.plans[-1]),
                }
            self.confirmed.append(body)
            self.keys.append(key)
            return 201, self._row(self.operation(self.plan(self.plans[-1]), body["reason"]))
        number = int(path.split("/")[1])
        one = self.operations[number - 1]
        if path.endswith("/undo"):
            asked = {"verb": one["verb"], "fields": one["fields"]}
            if query.get("plan_only") == "true":
                return 200, self.plan(asked, number)
            undone = self.operation(self.plan(asked, number), body["reason"], number)
            one |= {"undone_by": undone["operation"], "undoable": False}
            return 201, self._row(undone)
        return 200, one

    @staticmethod
    def _row(one: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in one.items() if key not in ("plan_hash", "items")}

    @staticmethod
    def _choices(chosen: list[str]) -> list[dict[str, Any]]:
        def choice(name: str, state: str, because: str = "", **more: Any) -> dict[str, Any]:
            return {
                "field": name,
                "key": False,
                "state": state,
                "group": [],
                "cause": "",
                "because": because,
                "status": "succeeded",
            } | more

        region = "required" if "amount" in chosen else "selectable"
        return [
            choice("order_id", "disabled", "a key is chosen by the whole table", key=True),
            choice("amount", "selectable"),
            choice("customer_id", "selectable"),
            choice("region", region, "shares node n1 with amount" if region == "required" else ""),
            choice("refund", "selectable", status="failed"),
        ]

    def _draft(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.drafts.append((path, body))
        if path == "emergency-drafts":
            return 201, {
                "id": "d1",
                "step": 1,
                "instance": body["instance"],
                "data_timestamp": self.day,
                "object": self.table,
                "warning": "",
            }
        if path.endswith("/basic"):
            projects = [
                {"project": "shop", "display_name": "Shop", "administrator": True, "instances": 3},
                {"project": "mart", "display_name": "Mart", "administrator": True, "instances": 12},
                {"project": "bank", "display_name": "Bank", "administrator": False, "instances": 5},
            ]
            return 200, {"step": 2, "projects": projects, "warning": ""}
        if path.endswith("/projects"):
            return 200, {
                "step": 3,
                "force_rerun": 3,
                "dry_run": 17,
                "baselines": [],
                "conflicts": [],
                "finish_at": None,
                "hash": "h",
                "message": "",
            }
        return 201, self._row(self.operation(self.plan({"verb": "force_rerun_downstream"}), body["reason"]))
