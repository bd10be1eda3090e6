"""The orders a list can have, and cursors: where a page ended, so that the next begins after it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from fieldwise.model.errors import BadRequest
from fieldwise.store.filters import Where


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of an order: what it sorts by, the index that is already in this order day by day, and who is in it."""

    keys: tuple[str, ...]
    index: str
    condition: str = ""


SCHEDULED = ("i.scheduled_at", "i.id")
RUN_TIME = "(i.ended_at - i.started_at)"


def _set_first(expression: str, index: str) -> tuple[Phase, Phase]:
    """What has no value yet comes after everything that has, in either direction."""
    return (
        Phase((expression, "i.id"), index, f"{expression} IS NOT NULL"),
        Phase(SCHEDULED, "instance_scheduled", f"{expression} IS NULL"),
    )


PHASES: dict[str, tuple[Phase, ...]] = {
    "name": (Phase(("t.name", "t.id", "i.scheduled_at", "i.id"), ""),),
    "scheduled": (Phase(SCHEDULED, "instance_scheduled"),),
    "start": _set_first("i.started_at", "instance_started"),
    "end": _set_first("i.ended_at", "instance_ended"),
    "run_time": _set_first(RUN_TIME, "instance_run_time"),
}


@dataclass(frozen=True, slots=True)
class Order:
    name: str
    descending: bool

    @property
    def phases(self) -> tuple[Phase, ...]:
        return PHASES[self.name]

    def sql(self, phase: Phase) -> str:
        way = "DESC" if self.descending else "ASC"
        return " ORDER BY " + ", ".join(f"{key} {way}" for key in phase.keys)

    def after(self, phase: Phase, values: tuple[Any, ...], or_equal: bool = False) -> Where:
        """Rows that come after the given key values."""
        sign = ("<" if self.descending else ">") + ("=" if or_equal else "")
        # The first key alone, too: an index on an expression is not searched by a row of values.
        found = Where([f"{phase.keys[0]} {sign[0]}= ?"], [values[0]])
        found.add(f"({', '.join(phase.keys)}) {sign} ({', '.join('?' * len(values))})", *values)
        return found

    def before(self, phase: Phase, values: tuple[Any, ...]) -> Where:
        return Order(self.name, not self.descending).after(phase, values)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of a page: its phase and its key values."""

    phase: int
    values: tuple[Any, ...]


def order_of(text: str) -> Order:
    name = text.removeprefix("-")
    if name not in PHASES:
        raise BadRequest(f"cannot sort by {name!r}", f"one of {', '.join(PHASES)}; -name descends")
    return Order(name, text.startswith("-"))


def write_cursor(order: Order, cursor: Cursor) -> str:
    body = json.dumps([order.name, order.descending, cursor.phase, *cursor.values], separators=(",", ":"))
    return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


def read_cursor(order: Order, text: str) -> Cursor:
    """Raises BadRequest if it is not a cursor of a list in this order."""
    hint = "take `cursor` from the page before and keep `sort`, or leave it out"
    try:
        name, descending, phase, *values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        kinds = [str if key == "t.name" else int for key in order.phases[phase].keys]
        fitting = len(values) == len(kinds) and all(
            type(v) is kind for v, kind in zip(values, kinds, strict=True)
        )
        fitting = fitting and (name, descending) == (order.name, order.descending) and phase >= 0
        fitting = fitting and all(abs(v) < 2**63 for v in values if type(v) is int)
    except (ValueError, TypeError, IndexError):
        fitting = False
    if not fitting:
        raise BadRequest("the cursor is not one of this list", hint)
    return Cursor(phase, tuple(values))
