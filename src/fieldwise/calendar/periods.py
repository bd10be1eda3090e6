"""Which instants of one local day a schedule names, and whether that day works: one place per period (spec 3)."""

from __future__ import annotations

import calendar as months
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from fieldwise.calendar.zones import day_bounds, wall_clock
from fieldwise.model.schedule import Period, Schedule, ShortMonths

DAY = timedelta(days=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def instants_of_day(schedule: Schedule, day: date, zone: ZoneInfo) -> list[datetime]:
    """The scheduled times of a local date, ascending, UTC. Two wall-clock times that a gap joins are one.

    Where a gap ends the day (Nuuk goes from 23:00 to midnight), its last times run at the first instant of the next
    date; they stay slots of this one.
    """
    start, end = day_bounds(day, zone)
    if start >= end:
        return []  # the zone skipped this date
    if schedule.every is not None:
        return _every(schedule, day, zone, end)
    found = sorted({wall_clock(day, minutes, zone) for minutes in schedule.at})
    if found[-1] >= end and found[-1] == wall_clock(day + DAY, schedule.at[0], zone):
        found.pop()  # the next date has a slot at this instant anyway, and an instant is a slot once
    return found


def _every(schedule: Schedule, day: date, zone: ZoneInfo, end: datetime) -> list[datetime]:
    """Elapsed time from `first` of the day; the last slot lies at or before `last` and inside the day."""
    unit = 1 if schedule.period is Period.MINUTE else 60
    step = timedelta(minutes=(schedule.every or 1) * unit)
    at = wall_clock(day, schedule.first, zone)
    last = wall_clock(day, schedule.last, zone)
    if schedule.last >= 24 * 60 - 1:
        last = end - timedelta(microseconds=1)
    found = []
    while at <= last and at < end:
        found.append(at)
        at += step
    return found


def works_on(schedule: Schedule, day: date) -> bool:
    """False on the off-days of week, month and year schedules."""
    match schedule.period:
        case Period.MINUTE | Period.HOUR | Period.DAY:
            return True
        case Period.WEEK:
            return WEEKDAYS[day.weekday()] in schedule.on
        case Period.MONTH:
            return any(_month_day(word, day, schedule.short_months) for word in schedule.on)
        case Period.YEAR:
            return any(_year_day(word, day, schedule.short_months) for word in schedule.on)


def _month_day(word: str, day: date, short: ShortMonths) -> bool:
    length = months.monthrange(day.year, day.month)[1]
    if word == "last":
        return day.day == length
    wanted = int(word)
    if wanted > length:
        return short is ShortMonths.LAST and day.day == length
    return day.day == wanted


def _year_day(word: str, day: date, short: ShortMonths) -> bool:
    month, _, wanted = word.partition("-")
    return day.month == int(month) and _month_day(str(int(wanted)), day, short)
