"""Slots against an oracle that walks the day minute by minute and knows nothing of our arithmetic."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fieldwise.calendar import day_bounds, slots_between, slots_due, slots_of_data_days, wall_clock
from fieldwise.model.schedule import Period, Schedule, ShortMonths, Validity

ALWAYS = Validity()
MINUTE = timedelta(minutes=1)
ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu",
    "Pacific/Apia", "Africa/Casablanca", "America/Santiago", "Asia/Tehran", "Antarctica/Troll", "America/Havana",
]  # fmt: skip


def minutes_of(day: date, zone: ZoneInfo) -> list[datetime]:
    """Every minute whose local date is `day`, by looking at all of three days."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=1, hours=2)
    end = at + timedelta(days=3, hours=4)
    found = []
    while at < end:
        if at.astimezone(zone).date() == day:
            found.append(at)
        at += MINUTE
    return found


def oracle_wall_clock(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The first minute of the day that shows the wanted time or a later one after a jump."""
    wanted = (minutes // 60, minutes % 60)
    shown = [(at, at.astimezone(zone)) for at in minutes_of(day, zone)]
    exact = [at for at, local in shown if (local.hour, local.minute) == wanted]
    if exact:
        return exact[0]
    return next(at for at, local in shown if (local.hour, local.minute) > wanted)


def transition_days(name: str, years: range) -> list[date]:
    zone = ZoneInfo(name)
    days = []
    for year in years:
        for number in range(366):
            noon = datetime(year, 1, 1, 12, tzinfo=UTC) + timedelta(days=number)
            if noon.astimezone(zone).utcoffset() != (noon + timedelta(days=1)).astimezone(zone).utcoffset():
                days.append((noon + timedelta(days=1)).astimezone(zone).date())
    return days


@pytest.mark.parametrize("name", ZONES)
def test_wall_clock_times_around_every_transition_agree_with_the_oracle(name: str) -> None:
    zone = ZoneInfo(name)
    days = [
        day + timedelta(days=shift) for day in transition_days(name, range(2024, 2027)) for shift in (-1, 0)
    ]
    for day in days[:8]:
        if not minutes_of(day, zone):
            continue
        for minutes in (0, 29, 90, 120, 150, 179, 180, 600):
            assert wall_clock(day, minutes, zone) == oracle_wall_clock(day, minutes, zone), (day, minutes)


@pytest.mark.parametrize("name", ZONES)
def test_hourly_slots_count_real_hours_from_midnight(name: str) -> None:
    zone = ZoneInfo(name)
    for day in transition_days(name, range(2024, 2027))[:4] or [date(2026, 5, 5)]:
        every_minute = minutes_of(day, zone)
        expected = every_minute[::60]
        slots = slots_between(Schedule(Period.HOUR, (), 1, 0, 1439), name, ALWAYS, day, day)
        assert [slot.scheduled_at for slot in slots] == expected
        assert [slot.ordinal for slot in slots] == list(range(len(slots)))


def test_the_day_of_the_autumn_change_has_25_hours_and_each_slot_begins_where_the_last_ended() -> None:
    days = slots_between(
        Schedule(Period.HOUR, (), 1, 0, 1439), "Europe/Berlin", ALWAYS, date(2026, 10, 24), date(2026, 10, 26)
    )
    assert sum(slot.data_timestamp == date(2026, 10, 24) for slot in days) == 25
    assert all(b.slot_start == a.scheduled_at for a, b in itertools.pairwise(days))


def test_a_time_in_the_spring_gap_runs_at_the_first_valid_instant() -> None:
    [slot] = slots_between(
        Schedule(Period.DAY, (150,)), "Europe/Berlin", ALWAYS, date(2026, 3, 29), date(2026, 3, 29)
    )
    assert slot.scheduled_at == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert slot.data_timestamp == date(2026, 3, 28)


def test_a_time_in_the_autumn_fold_runs_once_the_first_time() -> None:
    [slot] = slots_between(
        Schedule(Period.DAY, (150,)), "Europe/Berlin", ALWAYS, date(2026, 10, 25), date(2026, 10, 25)
    )
    assert slot.scheduled_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_date_that_a_zone_skipped_has_no_slots_and_the_next_day_reaches_back_over_it() -> None:
    assert slots_between(Schedule(), "Pacific/Apia", ALWAYS, date(2011, 12, 30), date(2011, 12, 30)) == []
    [after] = slots_between(Schedule(), "Pacific/Apia", ALWAYS, date(2011, 12, 31), date(2011, 12, 31))
    [before] = slots_between(Schedule(), "Pacific/Apia", ALWAYS, date(2011, 12, 29), date(2011, 12, 29))
    assert after.slot_start == before.scheduled_at
    start, end = day_bounds(date(2011, 12, 30), ZoneInfo("Pacific/Apia"))
    assert start == end


def test_week_month_and_year_tasks_have_a_slot_every_day_and_off_days_are_marked() -> None:
    def working(schedule: Schedule, first: date, last: date) -> list[date]:
        slots = slots_between(schedule, "UTC", ALWAYS, first, last)
        assert len(slots) == (last - first).days + 1
        return [slot.scheduled_at.date() for slot in slots if not slot.off_day]

    week = Schedule(Period.WEEK, (180,), on=("mon", "thu"))
    assert working(week, date(2026, 11, 16), date(2026, 11, 22)) == [date(2026, 11, 16), date(2026, 11, 19)]
    month = Schedule(Period.MONTH, (0,), on=("31",))
    assert working(month, date(2026, 2, 1), date(2026, 4, 30)) == [
        date(2026, 2, 28),
        date(2026, 3, 31),
        date(2026, 4, 30),
    ]
    skipping = Schedule(Period.MONTH, (0,), on=("1", "31"), short_months=ShortMonths.SKIP)
    assert working(skipping, date(2026, 2, 1), date(2026, 3, 31)) == [
        date(2026, 2, 1),
        date(2026, 3, 1),
        date(2026, 3, 31),
    ]
    leap = Schedule(Period.YEAR, (0,), on=("02-29",), short_months=ShortMonths.SKIP)
    assert working(leap, date(2027, 1, 1), date(2028, 12, 31)) == [date(2028, 2, 29)]
    assert working(Schedule(Period.YEAR, (0,), on=("02-29",)), date(2027, 1, 1), date(2027, 12, 31)) == [
        date(2027, 2, 28)
    ]


def test_outside_its_validity_a_task_has_off_days() -> None:
    validity = Validity(date(2026, 1, 2), date(2026, 1, 3))
    slots = slots_between(Schedule(), "UTC", validity, date(2026, 1, 1), date(2026, 1, 4))
    assert [slot.off_day for slot in slots] == [True, False, False, True]


def test_minutes_within_a_window_stop_at_its_end() -> None:
    schedule = Schedule(Period.MINUTE, (), 15, 8 * 60, 9 * 60)
    slots = slots_between(schedule, "Asia/Kathmandu", ALWAYS, date(2026, 1, 1), date(2026, 1, 1))
    local = [slot.scheduled_at.astimezone(ZoneInfo("Asia/Kathmandu")).strftime("%H:%M") for slot in slots]
    assert local == ["08:00", "08:15", "08:30", "08:45", "09:00"]


def test_slots_due_between_two_instants_leave_nothing_out_and_take_nothing_twice() -> None:
    schedule = Schedule(Period.HOUR, (30, 390))
    start = datetime(2026, 10, 24, tzinfo=UTC)
    whole = slots_due(schedule, "Europe/Berlin", ALWAYS, start, start + timedelta(days=3))
    pieces = [
        slot
        for hours in range(0, 72, 5)
        for slot in slots_due(
            schedule,
            "Europe/Berlin",
            ALWAYS,
            start + timedelta(hours=hours),
            min(start + timedelta(hours=hours + 5), start + timedelta(days=3)),
        )
    ]
    assert pieces == whole
    assert len(whole) == 6


def test_data_days_are_the_days_before_the_scheduled_ones() -> None:
    slots = slots_of_data_days(Schedule(), "Asia/Shanghai", ALWAYS, date(2026, 11, 17), date(2026, 11, 18))
    assert [slot.data_timestamp for slot in slots] == [date(2026, 11, 17), date(2026, 11, 18)]
    assert slots[0].scheduled_at == datetime(2026, 11, 17, 16, tzinfo=UTC)
