"""The instance list's filters, sorts and keyset pages as SQL (spec 5, "API")."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from fieldwise.model.errors import BadRequest
from fieldwise.model.event import to_day, to_micros
from fieldwise.model.status import STATUS_BY_WORD, FieldStatus, InstanceType, Mark

SORTS = {
    "name": "t.name",
    "scheduled": "i.scheduled_at",
    "start": "coalesce(i.started_at, -1)",
    "end": "coalesce(i.ended_at, -1)",
    "run_time": "coalesce(i.ended_at - i.started_at, -1)",
}
LIMIT_AT_MOST = 500
FACETS = ("owner", "priority", "project", "tag")
COLUMNS = {"kind": "t.kind", "table_kind": "t.table_kind", "env": "t.environment", "period": "t.period"}
TIMES = {
    "started_from": ("i.started_at", ">="),
    "started_to": ("i.started_at", "<="),
    "ended_from": ("i.ended_at", ">="),
    "ended_to": ("i.ended_at", "<="),
}
FLAGS = {"paused": Mark.PAUSED, "dry_run": Mark.DRY_RUN}
FIELD_SHIFT = 7


@dataclass(slots=True)
class Where:
    """Conditions joined by AND, with their values."""

    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, condition: str, *values: Any) -> None:
        self.conditions.append(condition)
        self.values.extend(values)

    def sql(self) -> str:
        return " WHERE " + " AND ".join(self.conditions) if self.conditions else ""


def where(filters: Mapping[str, Sequence[str]]) -> Where:
    """Every filter of the list; an unknown one or an unreadable value is a BadRequest."""
    found = Where()
    for name, values in filters.items():
        if values:
            _one(found, name, [str(value) for value in values])
    return found


def _one(found: Where, name: str, values: list[str]) -> None:
    marks = ", ".join("?" * len(values))
    if name in COLUMNS:
        found.add(f"{COLUMNS[name]} IN ({marks})", *values)
    elif name in FACETS:
        found.add(
            f"i.task IN (SELECT task FROM task_facet WHERE facet = ? AND value IN ({marks}))", name, *values
        )
    elif name == "table":
        found.add(f"t.name IN ({marks})", *values)
    elif name == "q":
        _text(found, values[0])
    elif name in ("data_from", "data_to"):
        found.add(f"i.data_day {'>=' if name == 'data_from' else '<='} ?", _day(name, values[0]))
    elif name == "status":
        found.add("i.present & ? <> 0", sum({_status_bits(value) for value in values}))
    elif name in TIMES:
        column, operator = TIMES[name]
        found.add(f"{column} {operator} ?", _instant(name, values[0]))
    elif name in FLAGS:
        wanted = values[0].lower() in ("true", "1", "yes")
        found.add(f"i.marks & ? {'<>' if wanted else '='} 0", int(FLAGS[name]))
    elif name == "run_type":
        types = {one.word: int(one) for one in InstanceType}
        found.add(f"i.type IN ({marks})", *[_known("run_type", value, types) for value in values])
    else:
        raise BadRequest(
            f"there is no filter {name!r}",
            "q kind table_kind env project table data_from data_to status owner priority period tag ...",
        )


def _text(found: Where, text: str) -> None:
    pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    if text.isdigit():
        found.add(
            "(i.id = ? OR i.task IN (SELECT id FROM task WHERE name LIKE ? ESCAPE '\\'))", int(text), pattern
        )
    else:
        found.add("i.task IN (SELECT id FROM task WHERE name LIKE ? ESCAPE '\\')", pattern)


def _known(name: str, value: str, known: Mapping[str, int]) -> int:
    if value not in known:
        raise BadRequest(f"{name} is {value!r}", f"one of {', '.join(known)}")
    return known[value]


def _status_bits(word: str) -> int:
    bits = {status.word: 1 << int(status) for status in STATUS_BY_WORD.values()}
    for field_status in FieldStatus:
        bits[field_status.word] = bits.get(field_status.word, 0) | 1 << (FIELD_SHIFT + int(field_status))
    return _known("status", word, bits)


def _day(name: str, text: str) -> int:
    try:
        return to_day(date.fromisoformat(text))
    except ValueError:
        raise BadRequest(f"{name} is {text!r}", "write a date as 2026-11-18") from None


def _instant(name: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"{name} is {text!r}", "write an instant as 2026-11-18T01:30:00Z") from None
    if moment.tzinfo is None:
        raise BadRequest(f"{name} is {text!r}, without a time zone", "end it with Z or an offset")
    return to_micros(moment)


@dataclass(frozen=True, slots=True)
class Sort:
    expression: str
    descending: bool

    def order(self) -> str:
        way = "DESC" if self.descending else "ASC"
        return f" ORDER BY {self.expression} {way}, i.id {way}"

    def after(self, found: Where, cursor: str) -> None:
        value, number = read_cursor(cursor)
        sign = "<" if self.descending else ">"
        found.add(f"({self.expression}, i.id) {sign} (?, ?)", value, number)


def sort_of(text: str) -> Sort:
    name = text.removeprefix("-")
    if name not in SORTS:
        raise BadRequest(f"cannot sort by {name!r}", f"one of {', '.join(SORTS)}; -name descends")
    return Sort(SORTS[name], text.startswith("-"))


def write_cursor(value: Any, number: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([value, number]).encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[Any, int]:
    try:
        value, number = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(value, int | float | str) or not isinstance(number, int):
            raise TypeError
    except (ValueError, TypeError):
        raise BadRequest(
            "the cursor is not one of ours", "take `cursor` from the page before, or leave it out"
        ) from None
    return value, number
