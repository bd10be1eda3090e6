"""Rows of the store as plain dictionaries in the words of the API."""

from __future__ import annotations

import json
from typing import Any

from fieldwise.model.event import from_day, from_micros
from fieldwise.model.status import FieldStatus, InstanceType, Mark, RunOutcome, Status


def instant(micros: int | None) -> str | None:
    """RFC 3339 UTC."""
    return None if micros is None else from_micros(micros).isoformat().replace("+00:00", "Z")


def seconds(started: int | None, ended: int | None) -> float | None:
    return None if started is None or ended is None else round((ended - started) / 1_000_000, 6)


def counts(nodes: str, fields: str) -> dict[str, dict[str, int]]:
    """Only statuses that occur."""
    return {
        "fields": {FieldStatus(n).word: count for n, count in enumerate(json.loads(fields)) if count},
        "nodes": {Status(n).word: count for n, count in enumerate(json.loads(nodes)) if count},
    }


INSTANCE_COLUMNS = (
    "id", "type", "flow", "scheduled_at", "slot_start", "data_day", "ordinal", "version", "nodes", "fields", "started_at", "ended_at", "marks",
    "runs", "environment", "name", "project", "kind", "table_kind", "period", "card",
)  # fmt: skip


def instance_item(row: tuple[Any, ...]) -> dict[str, Any]:
    """One row of the instance list (api/models.InstanceItem)."""
    one = dict(zip(INSTANCE_COLUMNS, row, strict=True))
    started, ended = one["started_at"], one["ended_at"]
    return {
        "id": one["id"],
        "object": one["name"],
        "kind": one["kind"],
        "table_kind": one["table_kind"] or None,
        "environment": one["environment"],
        "type": InstanceType(one["type"]).word,
        "status": counts(one["nodes"], one["fields"]),
        "period": one["period"],
        "data_timestamp": from_day(one["data_day"]).isoformat(),
        "scheduled_at": instant(one["scheduled_at"]),
        "start": instant(started),
        "end": instant(ended),
        "run_seconds": seconds(started, ended),
        "marks": list(Mark(one["marks"]).words),
        "runs": one["runs"],
        **json.loads(one["card"]),
    }


def instance_row(row: tuple[Any, ...]) -> dict[str, Any]:
    """The item, and what the list does not show but others need: version, slot, flow (with a leading underscore)."""
    one = dict(zip(INSTANCE_COLUMNS, row, strict=True))
    inner = {
        f"_{name}": one[name]
        for name in ("version", "flow", "scheduled_at", "slot_start", "data_day", "ordinal", "project")
    }
    return instance_item(row) | inner


NODE_COLUMNS = (
    "id",
    "node",
    "status",
    "marks",
    "run",
    "attempt",
    "next_at",
    "started_at",
    "ended_at",
    "priority",
    "instance",
)


def node_row(row: tuple[Any, ...]) -> dict[str, Any]:
    one = dict(zip(NODE_COLUMNS, row, strict=True))
    started, ended = one["started_at"], one["ended_at"]
    return {
        "id": one["id"],
        "node": one["node"],
        "status": Status(one["status"]).word,
        "marks": list(Mark(one["marks"]).words),
        "run": one["run"],
        "start": instant(started),
        "end": instant(ended),
        "run_seconds": seconds(started, ended),
        "next_at": instant(one["next_at"]),
        "instance": one["instance"],
    }


RUN_COLUMNS = (
    "id", "node_instance", "node", "number", "attempt", "started_at", "version", "kind", "log", "fused_with", "ended_at", "outcome", "message",
    "code", "rows", "result", "inputs", "engine_seconds", "instance",
)  # fmt: skip


def run_row(row: tuple[Any, ...]) -> dict[str, Any]:
    one = dict(zip(RUN_COLUMNS, row, strict=True))
    started, ended = one.pop("started_at"), one.pop("ended_at")
    return one | {
        "outcome": RunOutcome(one["outcome"]).word,
        "start": instant(started),
        "end": instant(ended),
        "run_seconds": seconds(started, ended),
        "result": json.loads(one["result"]) if one["result"] else None,
        "inputs": json.loads(one["inputs"]) if one["inputs"] else [],
    }
