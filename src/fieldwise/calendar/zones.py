"""Local days and wall-clock times as instants: gaps and folds of daylight saving decided once (spec 3, "DST")."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from fieldwise.model.event import to_micros

MINUTES_PER_DAY = 24 * 60


@cache
def zone_of(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def wall_clock(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The instant of a local time: in a fold the first one, in a gap the first valid instant after it.

    `minutes` after local midnight, 0-1440. UTC.
    """
    naive = datetime.combine(day, time()) + timedelta(minutes=minutes)
    first = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == naive:
        return first
    return _end_of_gap(naive, zone)


def _end_of_gap(naive: datetime, zone: ZoneInfo) -> datetime:
    """The transition that skips `naive`: bisected between an instant before and one after it, to the second."""
    low = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)  # read with the offset after the gap: before it
    high = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)  # read with the offset before the gap: after it
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low).total_seconds() // 2)
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The local midnights around a local date, as UTC; a day that a zone skipped has no length."""
    return wall_clock(day, 0, zone), wall_clock(day, MINUTES_PER_DAY, zone)


def midnight(zone: ZoneInfo, day: date) -> int:
    """Local midnight as microseconds since the epoch."""
    return to_micros(wall_clock(day, 0, zone))


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()
