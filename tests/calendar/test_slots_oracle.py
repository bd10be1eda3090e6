"""Slots of every form against a reading that looks at each minute of the days around, and nothing else."""

from __future__ import annotations

import calendar
import itertools
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fieldwise.calendar import local_date, slot_values, slots_between, slots_due, slots_of_data_days
from fieldwise.calendar.periods import works_on
from fieldwise.model.schedule import Period, Schedule, ShortMonths, Validity

ALWAYS = Validity()
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
# A change at 02:00, 01:00, 00:00 and 23:00 local; of 30 and of 120 minutes; on two days of a week; none at all.
ZONES = [
    "Europe/Berlin", "Europe/London", "America/New_York", "America/Nuuk", "America/Scoresbysund", "America/Santiago", "America/Havana",
    "Africa/Cairo", "Africa/Casablanca", "Asia/Beirut", "Asia/Gaza", "Atlantic/Azores", "Australia/Lord_Howe", "Antarctica/Troll",
    "Pacific/Chatham", "America/Asuncion", "Asia/Kathmandu", "UTC",
]  # fmt: skip


@cache
def minutes_around(zone: str, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """(instant, local wall clock) of every minute that may belong to a local date or the one after."""
    start = datetime.combine(day, time(), UTC) - timedelta(hours=15)
    instants = [start + n * MINUTE for n in range(65 * 60)]
    return tuple((at, at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) for at in instants)


@cache
def oracle_time(zone: str, day: date, minutes: int) -> datetime:
    """The first instant that shows the wanted time; if none does, the first one after which it is later."""
    wanted = datetime.combine(day, time()) + minutes * MINUTE
    shown = [at for at, local in minutes_around(zone, day) if local == wanted]
    return shown[0] if shown else next(at for at, local in minutes_around(zone, day) if local > wanted)


def oracle(schedule: Schedule, zone: str, day: date) -> list[datetime]:
    if schedule.every is None:
        found = {oracle_time(zone, day, minutes) for minutes in schedule.at}
        tomorrow = {oracle_time(zone, day + DAY, minutes) for minutes in schedule.at}
        return sorted(found - tomorrow)
    unit = MINUTE if schedule.period is Period.MINUTE else 60 * MINUTE
    first = oracle_time(zone, day, schedule.first)
    inside = [at for at, local in minutes_around(zone, day) if local.date() == day]
    last = oracle_time(zone, day, schedule.last) if schedule.last < 1439 else inside[-1]
    return [
        at for at in inside if first <= at <= last and (at - first) % (schedule.every * unit) == timedelta()
    ]


@cache
def days_of_change(zone: str) -> list[date]:
    """Local dates of 2024-2027 on which the offset changes."""
    at = datetime(2024, 1, 1, tzinfo=UTC)
    found = []
    while at < datetime(2028, 1, 1, tzinfo=UTC):
        if at.astimezone(ZoneInfo(zone)).utcoffset() != (at + DAY).astimezone(ZoneInfo(zone)).utcoffset():
            found.append((at + DAY).astimezone(ZoneInfo(zone)).date())
        at += DAY
    return found or [date(2026, 3, 29)]


times = st.one_of(
    st.integers(0, 1439), st.sampled_from([0, 30, 60, 90, 120, 150, 179, 180, 1380, 1410, 1439])
)
windows = st.tuples(times, times).map(sorted).filter(lambda two: two[0] < two[1])
schedules = st.one_of(
    st.builds(lambda at: Schedule(Period.DAY, (at,)), times),
    st.builds(lambda at: Schedule(Period.HOUR, tuple(sorted(at))), st.sets(times, min_size=1, max_size=6)),
    st.builds(
        lambda n, w: Schedule(Period.HOUR, (), n, *w), st.integers(1, 24), windows | st.just([0, 1439])
    ),
    st.builds(
        lambda n, w: Schedule(Period.MINUTE, (), n, *w), st.integers(1, 1440), windows | st.just([0, 1439])
    ),
)
zones = st.sampled_from(ZONES)


@given(zones, st.integers(0, 20), st.integers(-2, 1), schedules)
@example("America/Nuuk", 0, -1, Schedule(Period.HOUR, (0, 1410)))
def test_slots_around_a_change_of_clock_agree_with_the_oracle(
    zone: str, number: int, shift: int, schedule: Schedule
) -> None:
    changes = days_of_change(zone)
    day = changes[number % len(changes)] + shift * DAY
    slots = slots_between(schedule, zone, ALWAYS, day, day)
    assert [slot.scheduled_at for slot in slots] == oracle(schedule, zone, day)
    assert [slot.ordinal for slot in slots] == list(range(len(slots)))
    assert {slot.data_timestamp for slot in slots} <= {day - DAY}


@given(zones, st.integers(0, 20), schedules)
@example("America/Scoresbysund", 0, Schedule(Period.HOUR, (0, 1410)))
def test_each_instant_is_a_slot_once_and_begins_where_the_one_before_ended(
    zone: str, number: int, schedule: Schedule
) -> None:
    changes = days_of_change(zone)
    day = changes[number % len(changes)]
    slots = slots_between(schedule, zone, ALWAYS, day - 2 * DAY, day + 2 * DAY)
    assert all(one.scheduled_at < other.scheduled_at for one, other in itertools.pairwise(slots))
    assert all(other.slot_start == one.scheduled_at for one, other in itertools.pairwise(slots))
    first = slots_due(schedule, zone, ALWAYS, slots[0].slot_start - MINUTE, slots[0].scheduled_at)
    assert [slot.scheduled_at for slot in first] == [slots[0].slot_start, slots[0].scheduled_at]


@given(zones, st.integers(0, 20), schedules, st.integers(1, 4000))
def test_slots_due_piece_by_piece_are_the_slots_due_at_once(
    zone: str, number: int, schedule: Schedule, step: int
) -> None:
    changes = days_of_change(zone)
    start = datetime.combine(changes[number % len(changes)], time(), UTC) - DAY
    whole = slots_due(schedule, zone, ALWAYS, start, start + 2 * DAY)
    edges = [*(start + n * MINUTE for n in range(0, 2 * 1440, step)), start + 2 * DAY]
    assert [
        slot for a, b in itertools.pairwise(edges) for slot in slots_due(schedule, zone, ALWAYS, a, b)
    ] == whole


def dates_of(words: tuple[str, ...], year: int, months: range, short: ShortMonths) -> set[date]:
    """The oracle: the dates that words of a month name in a year."""
    found = set()
    for month, word in itertools.product(months, words):
        length = calendar.monthrange(year, month)[1]
        number = length if word == "last" else int(word)
        if number > length and short is ShortMonths.LAST:
            number = length
        if number <= length:
            found.add(date(year, month, number))
    return found


@given(
    st.lists(st.one_of(st.integers(1, 31).map(str), st.just("last")), min_size=1, max_size=4).map(tuple),
    st.sampled_from(ShortMonths),
    st.sampled_from([1900, 2000, 2027, 2028]),
)
def test_a_month_schedule_works_on_the_days_its_words_name(
    words: tuple[str, ...], short: ShortMonths, year: int
) -> None:
    schedule = Schedule(Period.MONTH, (0,), on=words, short_months=short)
    days = [date(year, 1, 1) + n * DAY for n in range(366 if calendar.isleap(year) else 365)]
    assert {day for day in days if works_on(schedule, day)} == dates_of(words, year, range(1, 13), short)


@given(
    st.dates(date(2024, 1, 1), date(2024, 12, 31)),
    st.sampled_from(ShortMonths),
    st.sampled_from([2026, 2028]),
)
@example(date(2024, 2, 29), ShortMonths.LAST, 2027)
@example(date(2024, 2, 29), ShortMonths.SKIP, 2027)
@example(date(2024, 2, 29), ShortMonths.SKIP, 2028)
def test_a_year_schedule_works_on_its_date(named: date, short: ShortMonths, year: int) -> None:
    schedule = Schedule(Period.YEAR, (0,), on=(named.strftime("%m-%d"),), short_months=short)
    days = [date(year, 1, 1) + n * DAY for n in range(366 if calendar.isleap(year) else 365)]
    month = range(named.month, named.month + 1)
    assert {day for day in days if works_on(schedule, day)} == dates_of((str(named.day),), year, month, short)


@pytest.mark.parametrize(("day", "hours"), [("2026-10-25", 25), ("2026-03-29", 23), ("2026-06-01", 24)])
def test_the_bounds_of_a_data_date_are_its_local_midnights(day: str, hours: int) -> None:
    wanted = date.fromisoformat(day)
    [slot] = slots_of_data_days(Schedule(Period.DAY, (90,)), "Europe/Berlin", ALWAYS, wanted, wanted)
    values = slot_values(slot, "Europe/Berlin")
    assert values.data_date == wanted
    assert values.day_end - values.day_start == timedelta(hours=hours)
    assert local_date(values.day_start, ZoneInfo("Europe/Berlin")) == wanted
    assert local_date(values.day_start - MINUTE, ZoneInfo("Europe/Berlin")) == wanted - DAY
    assert (values.slot_start, values.slot_end) == (slot.slot_start, slot.scheduled_at)


def test_a_day_that_lord_howe_shortens_by_half_an_hour_has_the_half_hour_slots_that_exist() -> None:
    zone, day = "Australia/Lord_Howe", date(2026, 10, 4)  # 02:00 becomes 02:30
    slots = slots_between(Schedule(Period.MINUTE, (), 30, 0, 1439), zone, ALWAYS, day, day)
    assert len(slots) == 47
    at_two = slots_between(Schedule(Period.DAY, (120,)), zone, ALWAYS, day, day)
    at_half = slots_between(Schedule(Period.DAY, (150,)), zone, ALWAYS, day, day)
    assert at_two[0].scheduled_at == at_half[0].scheduled_at


def test_a_time_that_a_gap_moves_past_midnight_stays_the_slot_of_its_day() -> None:
    day = date(2026, 3, 28)  # in Nuuk 23:00 becomes 00:00 of the 29th
    slots = slots_between(Schedule(Period.DAY, (1410,)), "America/Nuuk", ALWAYS, day, day + DAY)
    assert [slot.data_timestamp for slot in slots] == [day - DAY, day]
    assert slots[0].scheduled_at == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_a_day_of_a_hundred_thousand_tasks_is_worked_out_once_per_schedule() -> None:
    from fieldwise.calendar.slots import slots_of_day

    slots_of_day.cache_clear()
    day = date(2026, 5, 5)
    for number in range(10_000):
        slots_between(Schedule(Period.DAY, (number % 100,)), "Europe/Berlin", ALWAYS, day, day)
    assert slots_of_day.cache_info().misses == 100
