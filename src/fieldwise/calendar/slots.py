"""The slots of a task between two days (spec 3, "Generation")."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache

from fieldwise.calendar.periods import instants_of_day, works_on
from fieldwise.calendar.zones import zone_of
from fieldwise.model.schedule import Schedule, Slot, Validity

DAY = timedelta(days=1)
LOOK_BACK_DAYS = 3  # the day before may be one that a zone skipped


def slots_between(schedule: Schedule, zone: str, validity: Validity, first: date, last: date) -> list[Slot]:
    """All slots whose local scheduled date lies in [first, last]; their data timestamps are one day earlier."""
    found: list[Slot] = []
    day = first
    while day <= last:
        found.extend(slots_of_day(schedule, zone, validity, day))
        day += DAY
    return found


def slots_of_data_days(
    schedule: Schedule, zone: str, validity: Validity, first: date, last: date
) -> list[Slot]:
    """All slots with data timestamps in [first, last]."""
    return slots_between(schedule, zone, validity, first + DAY, last + DAY)


@lru_cache(maxsize=65536)
def slots_of_day(schedule: Schedule, zone: str, validity: Validity, day: date) -> tuple[Slot, ...]:
    """The slots of one local date; thousands of tasks share a schedule, so each is worked out once."""
    instants = instants_of_day(schedule, day, zone_of(zone))
    off = not works_on(schedule, day) or not _valid(validity, day)
    previous = _previous(schedule, zone, day)
    slots = []
    for ordinal, at in enumerate(instants):
        slots.append(Slot(at, previous, day - DAY, ordinal, off))
        previous = at
    return tuple(slots)


def _previous(schedule: Schedule, zone: str, day: date) -> datetime:
    """The last scheduled time before a local date."""
    for back in range(1, LOOK_BACK_DAYS + 1):
        earlier = instants_of_day(schedule, day - back * DAY, zone_of(zone))
        if earlier:
            return earlier[-1]
    raise AssertionError("a schedule has slots on every local date that exists")


def _valid(validity: Validity, day: date) -> bool:
    after_start = validity.first is None or day >= validity.first
    before_end = validity.last is None or day <= validity.last
    return after_start and before_end


def slots_due(
    schedule: Schedule, zone: str, validity: Validity, after: datetime, until: datetime
) -> list[Slot]:
    """The slots with after < scheduled time <= until."""
    local = zone_of(zone)
    days = slots_between(
        schedule, zone, validity, after.astimezone(local).date(), until.astimezone(local).date()
    )
    return [slot for slot in days if after < slot.scheduled_at <= until]
