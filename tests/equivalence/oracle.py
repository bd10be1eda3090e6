"""What a logical table should hold: the user's SELECT in one piece, with the values of one slot bound."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fieldwise.model.event import from_day, from_micros
from fieldwise.model.plan import CompiledTask, Publication
from fieldwise.model.status import Environment, TaskKind
from fieldwise.usecases.parameters import project_values
from fieldwise.wiring import Deployment

DAY = timedelta(days=1)
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Partition:
    """One logical table at one slot: its `ds` and the values its SQL is bound to."""

    task: CompiledTask
    ds: date | datetime
    values: dict[str, Any]


def publications(deployment: Deployment) -> list[Publication]:
    return list(deployment.store.active_publications(Environment.PROD))


def partitions(deployment: Deployment) -> Iterator[Partition]:
    """Every logical table at every slot that was generated."""
    slots: dict[str, set[tuple[int, int, int]]] = {}
    for firing in deployment.store.window(Environment.PROD):
        slots.setdefault(firing.task, set()).add((firing.scheduled_at, firing.slot_start, firing.data_day))
    for publication in publications(deployment):
        zone, parameters = (
            ZoneInfo(publication.project.timezone),
            project_values(publication.project.parameters),
        )
        for task in publication.tasks:
            if task.definition.kind is not TaskKind.MODELING:
                continue
            for scheduled_at, slot_start, data_day in sorted(slots.get(task.name, ())):
                day = from_day(data_day)
                start, end = _utc(from_micros(slot_start)), _utc(from_micros(scheduled_at))
                values = {
                    "data_date": day,
                    "scheduled_at": end,
                    "slot_start": start,
                    "slot_end": end,
                    "day_start": _midnight(day, zone),
                    "day_end": _midnight(day + DAY, zone),
                    **parameters,
                }
                yield Partition(task, day if task.partition_type == "DATE" else start, values)


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return _utc(datetime.combine(day, time(), zone))


def difference(deployment: Deployment, partition: Partition) -> str:
    """Empty if the stored partition equals what its SELECT gives now, as a multiset of the comparable fields."""
    task = partition.task
    names = [field.name for field in task.fields if field.comparable]
    columns = ", ".join(_quoted(name) for name in names)
    table = ".".join(_quoted(part) for part in task.name.split("."))
    stored = deployment.query(f"SELECT {columns} FROM {table} WHERE ds = $ds", {"ds": partition.ds}).rows
    for what, text in one_piece(task):
        bound = {name: value for name, value in partition.values.items() if re.search(rf"\${name}\b", text)}
        wanted = deployment.query(f"SELECT {columns} FROM ({text})", bound).rows
        said = _compare(stored, wanted)
        if said:
            return f"{task.name} at {partition.ds} is not {what}: {said}"
    return ""


def one_piece(task: CompiledTask) -> Iterator[tuple[str, str]]:
    """The compiler's text for the engine and, where there is one, the very text the user wrote."""
    yield "its compiled SELECT", task.sql
    if task.definition.metrics is None:
        text = re.sub(r"(?<![:\w\]'\"]):([a-z_]+)\b", r"$\1", task.definition.text)
        yield "what the user wrote", text.strip().rstrip(";") + "\n"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _compare(stored: Sequence[tuple[Any, ...]], wanted: Sequence[tuple[Any, ...]]) -> str:
    if len(stored) != len(wanted):
        return f"{len(stored)} rows instead of {len(wanted)}"
    for one, other in zip(sorted(stored, key=_order), sorted(wanted, key=_order), strict=True):
        if not same(one, other):
            return f"{one!r} instead of {other!r}"
    return ""


def _order(row: Any) -> str:
    """A total order that DOUBLEs which differ in the last digits do not disturb."""
    if isinstance(row, dict):
        return "{" + ",".join(f"{key}:{_order(value)}" for key, value in row.items()) + "}"
    if isinstance(row, list | tuple):
        return "(" + ",".join(map(_order, row)) + ")"
    return f"{row:.6g}" if isinstance(row, float) else repr(row)


def same(one: Any, other: Any) -> bool:
    """Equal, with a relative tolerance for DOUBLE wherever it stands; NULL equals NULL."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=1e-12) or (
            math.isnan(one) and math.isnan(other)
        )
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other
