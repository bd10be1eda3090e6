"""The instance list's filters as SQL conditions (spec 5, "API")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from fieldwise.model.errors import BadRequest
from fieldwise.model.event import to_day, to_micros
from fieldwise.model.status import STATUS_BY_WORD, FieldStatus, InstanceType, Mark
from fieldwise.store.counts import NODES

FACETS = ("owner", "priority", "project", "tag")
COLUMNS = {
    "kind": "t.kind",
    "table_kind": "t.table_kind",
    "env": "t.environment",
    "period": "t.period",
    "table": "t.name",
}
TIMES = {
    "started_from": ("i.started_at", ">="),
    "started_to": ("i.started_at", "<="),
    "ended_from": ("i.ended_at", ">="),
    "ended_to": ("i.ended_at", "<="),
}
FLAGS = {"paused": Mark.PAUSED, "dry_run": Mark.DRY_RUN}
DAYS = (-1_000_000, 4_000_000)  # any data day
TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
TYPES = {one.word: int(one) for one in InstanceType}
BITS = {status.word: 1 << int(status) for status in STATUS_BY_WORD.values()}
for _status in FieldStatus:
    BITS[_status.word] = BITS.get(_status.word, 0) | 1 << (NODES + int(_status))


@dataclass(slots=True)
class Where:
    """Conditions joined by AND, with their values."""

    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, condition: str, *values: Any) -> None:
        self.conditions.append(condition)
        self.values.extend(values)

    def also(self, other: Where) -> Where:
        return Where([*self.conditions, *other.conditions], [*self.values, *other.values])

    def sql(self) -> str:
        return " WHERE " + " AND ".join(self.conditions) if self.conditions else ""


@dataclass(slots=True)
class Wanted:
    """What the list shall show: conditions on the task `t`, on the instance `i`, and what indices know of the latter.

    `narrow`: some of the conditions on the task, said so that the database begins with them.
    `number`: an instance id that counts as found by its text whatever its name.
    """

    tasks: Where = field(default_factory=Where)
    narrow: Where = field(default_factory=Where)
    rows: Where = field(default_factory=Where)
    days: tuple[int, int] = DAYS
    bits: int = 0
    paused: bool = False
    started: Where = field(default_factory=Where)
    ended: Where = field(default_factory=Where)
    number: int | None = None


def wanted(filters: Mapping[str, Sequence[str]]) -> Wanted:
    """Every filter of the list; an unknown one or an unreadable value is a BadRequest."""
    found = Wanted()
    for name, values in filters.items():
        if values:
            _one(found, name, [str(value) for value in values])
    if found.days != DAYS:
        found.rows.add("i.data_day BETWEEN ? AND ?", *found.days)
    return found


def _one(found: Wanted, name: str, values: list[str]) -> None:
    marks = ", ".join("?" * len(values))
    if name in COLUMNS:
        found.tasks.add(f"{COLUMNS[name]} IN ({marks})", *values)
    elif name in FACETS:
        of_facet = f"FROM task_facet f WHERE f.facet = ? AND f.value IN ({marks})"
        found.tasks.add(f"EXISTS (SELECT 1 {of_facet} AND f.task = t.id)", name, *values)
        found.narrow.add(f"t.id IN (SELECT f.task {of_facet})", name, *values)
    elif name == "q":
        _text(found, values)
    elif name in ("data_from", "data_to"):
        _day(found, name, values)
    elif name == "status":
        for value in values:
            found.bits |= _known(name, value, BITS)
        found.rows.add("i.present & ? <> 0", found.bits)
    elif name in TIMES:
        _time(found, name, values)
    elif name in FLAGS:
        truth = _known(name, values[0].lower(), TRUTH)
        found.rows.add(f"i.marks & {int(FLAGS[name])} {'<>' if truth else '='} 0")
        found.paused = found.paused or (truth and name == "paused")
    elif name == "run_type":
        found.rows.add(f"i.type IN ({marks})", *(_known(name, value, TYPES) for value in values))
    else:
        known = ("q", *COLUMNS, *FACETS, "data_from", "data_to", "status", *TIMES, *FLAGS, "run_type")
        raise BadRequest(f"there is no filter {name!r}", f"there are: {' '.join(known)}")


def _text(found: Wanted, values: list[str]) -> None:
    """Part of a name, or exactly an id."""
    patterns = ["%" + _literal(value) + "%" for value in values]
    found.tasks.add("(" + " OR ".join(["t.name LIKE ? ESCAPE '!'"] * len(values)) + ")", *patterns)
    numbers = [int(value) for value in values if value.isdecimal() and len(value) <= 18]
    found.number = numbers[0] if numbers else None


def _literal(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _day(found: Wanted, name: str, values: list[str]) -> None:
    days = []
    for text in values:
        try:
            days.append(to_day(date.fromisoformat(text)))
        except ValueError:
            raise BadRequest(f"{name} is {text!r}", "write a date as 2026-11-18") from None
    first, last = found.days
    found.days = (max(first, min(days)), last) if name == "data_from" else (first, min(last, max(days)))


def _time(found: Wanted, name: str, values: list[str]) -> None:
    column, operator = TIMES[name]
    instants = [_instant(name, value) for value in values]
    instant = min(instants) if operator == ">=" else max(instants)
    found.rows.add(f"{column} {operator} ?", instant)
    bounds = found.started if name.startswith("started") else found.ended
    bounds.add(f"{column} {operator} ?", instant)


def _instant(name: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"{name} is {text!r}", "write an instant as 2026-11-18T01:30:00Z") from None
    if moment.tzinfo is None:
        raise BadRequest(f"{name} is {text!r}, without a time zone", "end it with Z or an offset")
    return to_micros(moment)


def _known(name: str, value: str, known: Mapping[str, Any]) -> Any:
    if value not in known:
        raise BadRequest(f"{name} is {value!r}", f"one of {', '.join(known)}")
    return known[value]
