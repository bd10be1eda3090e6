"""Which window a reader of a table has, from what its predicates say of the partition (spec 2, "Dependencies")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fieldwise.compiler.days import DAY_SECONDS, Bound, Fact
from fieldwise.model.errors import ProblemCode
from fieldwise.model.schedule import PERIOD_ORDER, Period, Window


class Look(NamedTuple):
    """A window and its n. `history`: everything before it is read too, as `ds <= :data_date` does."""

    window: Window
    n: int | None = None
    history: bool = False


MOST_SINGLE_DAYS = 31
"""A range of days that leaves out today becomes one dependency for each day, up to so many."""
_SLOT_END = ("slot_end", "scheduled_at")


@dataclass(frozen=True, slots=True)
class Unclear:
    """Why no window follows, and what to write instead."""

    code: ProblemCode
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Read:
    """A table being read: its partition and period, the reader's period, and whether it is the reader itself."""

    table: str
    alias: str
    below_day: bool
    period: Period
    reader: Period
    itself: bool


def windows_of(facts: Sequence[Fact], read: Read) -> tuple[Look, ...] | Unclear:
    """The windows of one occurrence; Unclear if its predicates do not bound the partition."""
    found = _slots(facts, read) if read.below_day else _days(facts, read)
    if isinstance(found, Unclear) or not found:
        return found or _missing(read)
    if read.itself and any(look[0] in (Window.CURRENT, Window.LAST_N, Window.SAME_SLOT) for look in found):
        return Unclear(
            ProblemCode.MISSING_PARTITION, f"{read.table} reads itself of the same {'slot' if read.below_day else 'day'}",
            f"read earlier ones only: {read.alias}.ds = :{'slot_start - INTERVAL 1 HOUR' if read.below_day else 'data_date - INTERVAL 1 DAY'}",
        )  # fmt: skip
    return found


def _missing(read: Read) -> Unclear:
    wanted = (
        f"{read.alias}.ds >= :slot_start AND {read.alias}.ds < :slot_end"
        if read.below_day
        else f"{read.alias}.ds = :data_date"
    )
    return Unclear(
        ProblemCode.MISSING_PARTITION,
        f"{read.table} is read without saying which ds",
        f"add `AND {wanted}` where it is read",
    )


def _days_ago(bound: Bound) -> int | None:
    if bound.parameter != "data_date" or bound.seconds % DAY_SECONDS:
        return None
    return -bound.seconds // DAY_SECONDS


def _day(ago: int) -> Look:
    if ago == 0:
        return Look(Window.CURRENT)
    return Look(Window.PREVIOUS) if ago == 1 else Look(Window.DAYS_BEFORE, ago)


def _since_ever(ago: int, read: Read) -> Look:
    """A day and all before it. What reads itself waits for the day before, which waited for the one before that."""
    return _day(ago)._replace(history=not read.itself)


def _days(facts: Sequence[Fact], read: Read) -> tuple[Look, ...] | Unclear:
    """Windows over a table whose partition is a day."""
    for fact in facts:
        if fact.operator in ("=", "in"):
            agos = [_days_ago(bound) for bound in fact.bounds if not bound.loose]
            if len(agos) == len(fact.bounds) and all(ago is not None and ago >= 0 for ago in agos):
                return _equal_days(sorted({ago for ago in agos if ago is not None}), read)
            if any(bound.parameter != "data_date" for bound in fact.bounds):
                return _not_a_day(read)
    for fact in facts:
        if fact.operator == "latest":
            ago = _upper(fact.limits)
            if ago is None:
                return ()
            # The latest partition of a longer period may be that of an earlier day, if that one is late.
            longer = PERIOD_ORDER.index(read.period) > PERIOD_ORDER.index(Period.DAY)
            return (_since_ever(ago, read) if longer else _day(ago),)
    if any(bound.parameter != "data_date" for fact in facts for bound in fact.bounds):
        return _not_a_day(read)
    return _day_range(facts, read)


def _not_a_day(read: Read) -> Unclear:
    return Unclear(
        ProblemCode.MISSING_PARTITION, f"the ds of {read.table} is a day, which a moment cannot be compared with",
        f"write {read.alias}.ds = :data_date",
    )  # fmt: skip


def _equal_days(agos: list[int], read: Read) -> tuple[Look, ...] | Unclear:
    longer = PERIOD_ORDER.index(read.period) > max(
        PERIOD_ORDER.index(read.reader), PERIOD_ORDER.index(Period.DAY)
    )
    if longer and not read.itself:
        return Unclear(
            ProblemCode.LONGER_PERIOD,
            f"{read.table} is made once a {read.period.value}: on most days this joins nothing",
            f"write {read.alias}.ds = (SELECT max(ds) FROM {read.table} WHERE ds <= :data_date)",
        )
    return tuple(_day(ago) for ago in agos)


def _upper(facts: Sequence[Fact]) -> int | None:
    """Days ago of the latest day that can be read; None if it is not bounded."""
    found = [
        ago + (1 if fact.operator == "<" else 0)
        for fact in facts
        if fact.operator in ("<", "<=", "=") and not fact.bounds[0].loose
        for ago in [_days_ago(fact.bounds[0])]
        if ago is not None
    ]
    return max(found) if found else None


def _lower(facts: Sequence[Fact]) -> int | None:
    found = [
        ago - (1 if fact.operator == ">" and not fact.bounds[0].loose else 0)
        for fact in facts
        if fact.operator in (">", ">=")
        for ago in [_days_ago(fact.bounds[0])]
        if ago is not None
    ]
    return min(found) if found else None


def _day_range(facts: Sequence[Fact], read: Read) -> tuple[Look, ...]:
    upper, lower = _upper(facts), _lower(facts)
    if upper is None or upper < 0:
        return ()
    if lower is None:
        return (_since_ever(upper, read),)
    if lower <= upper:
        return (_day(upper),)
    if upper == 0:
        return (Look(Window.LAST_N, lower + 1),)
    if lower - upper < MOST_SINGLE_DAYS:
        return tuple(_day(ago) for ago in range(upper, lower + 1))
    return (_day(upper),) if read.itself else (Look(Window.LAST_N, lower + 1),)


def _slots(facts: Sequence[Fact], read: Read) -> tuple[Look, ...] | Unclear:
    """Windows over a table of hours or minutes, whose partition is the start of a slot."""
    flat = [inner for fact in facts for inner in (fact.limits if fact.operator == "latest" else (fact,))]
    if any(bound.parameter == "data_date" for fact in flat for bound in fact.bounds):
        return Unclear(
            ProblemCode.MISSING_PARTITION, f"the ds of {read.table} is the start of a slot, which :data_date never equals",
            f"write {read.alias}.ds >= :day_start AND {read.alias}.ds < :day_end",
        )  # fmt: skip
    for fact in flat:
        if fact.operator == "=" and not fact.bounds[0].loose:
            return _equal_slot(fact.bounds[0], read)
    upper = next((fact for fact in flat if fact.operator in ("<", "<=")), None)
    lower = next((fact for fact in flat if fact.operator in (">", ">=")), None)
    if upper is None:
        return ()
    return _slot_range(lower.bounds[0] if lower else None, upper.bounds[0], upper.operator, read)


def _equal_slot(bound: Bound, read: Read) -> tuple[Look, ...]:
    if bound.parameter == "slot_start" and bound.seconds == 0:
        return (Look(Window.SAME_SLOT),)
    if bound.parameter in ("slot_start", *_SLOT_END) and -DAY_SECONDS <= bound.seconds < 0:
        return (Look(Window.PREVIOUS if read.itself else Window.LAST_24_HOURS),)
    return ()


def _slot_range(lower: Bound | None, upper: Bound, operator: str, read: Read) -> tuple[Look, ...]:
    before_me = upper.parameter == "slot_start" and (
        upper.seconds < 0 or (upper.seconds == 0 and operator == "<")
    )
    if read.itself:
        return (Look(Window.PREVIOUS),) if before_me else (Look(Window.SAME_SLOT),)
    if upper.parameter == "day_end" and upper.seconds == 0:
        return _slots_of_days(lower)
    up_to_me = (
        upper.parameter in _SLOT_END or (upper.parameter == "slot_start" and operator == "<=") or before_me
    )
    if not up_to_me:
        return ()
    if lower is None:
        return (Look(Window.SAME_SLOT if not before_me else Window.LAST_24_HOURS, history=True),)
    if lower == Bound("slot_start") and not before_me:
        return (Look(Window.SLOTS_IN_INTERVAL),)
    if lower.parameter in ("slot_start", *_SLOT_END) and lower.seconds >= -DAY_SECONDS:
        return (Look(Window.LAST_24_HOURS),)
    return ()


def _slots_of_days(lower: Bound | None) -> tuple[Look, ...]:
    """Whole local days up to mine: earlier days' slots carry the data timestamps of those days and the one before."""
    if lower is None or lower == Bound("day_start"):
        return (Look(Window.SLOTS_OF_DAY),)
    if lower.parameter != "day_start" or lower.seconds > 0:
        return ()
    days = -lower.seconds // DAY_SECONDS + 1
    if days > MOST_SINGLE_DAYS + 1:
        return ()
    return (Look(Window.SLOTS_OF_DAY), *(_day(ago) for ago in range(1, days + 1)))
