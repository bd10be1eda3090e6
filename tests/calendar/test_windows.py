"""Dependency windows and policies, as examples one can check by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from fieldwise.calendar import own_previous_slot, slots_of_data_days, upstream_slots
from fieldwise.model.schedule import Period, Policy, Schedule, Slot, Validity, Window

ZONE = "Europe/Berlin"


def slots(
    schedule: Schedule, first: date = date(2026, 10, 20), last: date = date(2026, 10, 28)
) -> list[Slot]:
    return slots_of_data_days(schedule, ZONE, Validity(), first, last)


DAILY = slots(Schedule(Period.DAY, (60,)))
HOURLY = slots(Schedule(Period.HOUR, (), 1, 0, 1439))
SIX_HOURLY = slots(Schedule(Period.HOUR, (0, 360, 720, 1080)))


def on(day: int, among: list[Slot]) -> list[Slot]:
    return [slot for slot in among if slot.data_timestamp == date(2026, 10, day)]


def days(found: list[Slot]) -> list[int]:
    return [slot.data_timestamp.day for slot in found]


def test_day_windows_look_at_data_timestamps() -> None:
    [mine] = on(25, DAILY)
    assert days(upstream_slots(Window.CURRENT, None, Policy.ALL, mine, DAILY, ZONE)) == [25]
    assert days(upstream_slots(Window.PREVIOUS, None, Policy.ALL, mine, DAILY, ZONE)) == [24]
    assert days(upstream_slots(Window.DAYS_BEFORE, 3, Policy.ALL, mine, DAILY, ZONE)) == [22]
    assert days(upstream_slots(Window.LAST_N, 3, Policy.ALL, mine, DAILY, ZONE)) == [23, 24, 25]


def test_a_day_of_an_hourly_table_has_25_slots_when_the_clock_goes_back() -> None:
    [mine] = on(25, DAILY)
    assert len(upstream_slots(Window.SLOTS_OF_DAY, None, Policy.ALL, mine, HOURLY, ZONE)) == 25


def test_slots_in_my_interval_are_those_that_begin_in_it() -> None:
    mine = on(22, SIX_HOURLY)[2]
    found = upstream_slots(Window.SLOTS_IN_INTERVAL, None, Policy.ALL, mine, HOURLY, ZONE)
    assert len(found) == 6
    assert found[0].slot_start == mine.slot_start


def test_policies_choose_by_scheduled_time() -> None:
    [mine] = on(22, DAILY)  # 01:00 local on the 23rd

    def hour(policy: Policy) -> list[int]:
        return [slot.ordinal for slot in upstream_slots(Window.CURRENT, None, policy, mine, SIX_HOURLY, ZONE)]

    assert hour(Policy.ALL) == [0, 1, 2, 3]
    assert hour(Policy.FIRST) == [0]
    assert hour(Policy.LAST) == [3]
    assert hour(Policy.NEAREST_AFTER) == [1]
    assert hour(Policy.NEAREST_BEFORE) == [0]


def test_equal_numbers_of_slots_are_paired_by_ordinal() -> None:
    mine = on(22, SIX_HOURLY)[2]
    other = slots(Schedule(Period.HOUR, (1, 2, 3, 4)))
    found = upstream_slots(Window.CURRENT, None, Policy.NEAREST_BEFORE, mine, other, ZONE, my_count=4)
    assert [slot.ordinal for slot in found] == [2]


def test_a_task_that_reads_itself_needs_its_slot_before_and_nothing_at_birth() -> None:
    assert own_previous_slot(HOURLY[5], HOURLY) == HOURLY[4]
    assert own_previous_slot(HOURLY[0], HOURLY) is None


@pytest.mark.parametrize("window", [Window.LAST_24_HOURS, Window.SLOTS_OF_DAY])
def test_windows_that_are_not_days_never_pair_by_ordinal(window: Window) -> None:
    mine = on(22, HOURLY)[9]
    inside = upstream_slots(window, None, Policy.ALL, mine, HOURLY, ZONE)
    assert len(inside) == 24
    found = upstream_slots(window, None, Policy.NEAREST_BEFORE, mine, HOURLY, ZONE, my_count=24)
    assert found == [slot for slot in inside if slot.scheduled_at <= mine.scheduled_at][-1:]


def test_two_days_never_pair_by_ordinal_even_with_equal_numbers_of_slots() -> None:
    mine = on(22, SIX_HOURLY)[1]
    twice = slots(Schedule(Period.HOUR, (60, 840)))
    assert len(upstream_slots(Window.LAST_N, 2, Policy.ALL, mine, twice, ZONE)) == 4
    [found] = upstream_slots(Window.LAST_N, 2, Policy.NEAREST_BEFORE, mine, twice, ZONE, my_count=4)
    assert found.scheduled_at == mine.scheduled_at - timedelta(hours=5)


def test_on_the_day_with_25_hours_the_second_of_two_like_hours_pairs_with_the_second() -> None:
    mine = on(24, HOURLY)[3]
    half_past = slots(Schedule(Period.HOUR, (), 1, 30, 1439))
    [found] = upstream_slots(Window.CURRENT, None, Policy.NEAREST_AFTER, mine, half_past, ZONE, my_count=25)
    assert found.scheduled_at == mine.scheduled_at + timedelta(minutes=30)


def test_the_previous_slot_of_a_task_below_a_day_that_reads_itself_is_the_slot_before() -> None:
    first_of_day = on(22, HOURLY)[0]
    assert (
        upstream_slots(Window.PREVIOUS, None, Policy.ALL, first_of_day, HOURLY, ZONE, own_sub_day=True)
        == on(21, HOURLY)[-1:]
    )
    assert len(upstream_slots(Window.PREVIOUS, None, Policy.ALL, first_of_day, HOURLY, ZONE)) == 24
    assert upstream_slots(Window.PREVIOUS, None, Policy.ALL, HOURLY[0], HOURLY, ZONE, own_sub_day=True) == []


def test_the_same_slot_of_another_table_begins_where_mine_begins() -> None:
    mine = on(22, HOURLY)[7]
    other = slots(Schedule(Period.HOUR, tuple(range(0, 1440, 60))))
    [found] = upstream_slots(Window.SAME_SLOT, None, Policy.ALL, mine, other, ZONE)
    assert found.slot_start == mine.slot_start
    assert upstream_slots(Window.SAME_SLOT, None, Policy.ALL, on(22, DAILY)[0], HOURLY, ZONE) != []


def test_the_last_24_hours_end_with_my_own_time_and_begin_after_yesterdays() -> None:
    [mine] = on(22, DAILY)
    found = upstream_slots(Window.LAST_24_HOURS, None, Policy.ALL, mine, HOURLY, ZONE)
    assert len(found) == 24
    assert found[-1].scheduled_at == mine.scheduled_at
    assert found[0].scheduled_at == mine.scheduled_at - timedelta(hours=23)


@pytest.mark.parametrize("policy", Policy)
def test_an_upstream_without_slots_in_the_window_is_not_waited_for(policy: Policy) -> None:
    [mine] = on(22, DAILY)
    assert upstream_slots(Window.DAYS_BEFORE, 100, policy, mine, HOURLY, ZONE, my_count=24) == []


def test_the_nearest_is_the_one_at_the_end_when_there_is_none_on_the_wanted_side() -> None:
    early = slots(Schedule(Period.HOUR, (0, 30)))
    late = slots(Schedule(Period.HOUR, (120, 150)))
    [mine] = on(22, DAILY)  # 01:00 local

    def ordinals(policy: Policy, upstream: list[Slot]) -> list[int]:
        found = upstream_slots(Window.CURRENT, None, policy, mine, upstream, ZONE)
        return [slot.ordinal for slot in found]

    assert ordinals(Policy.NEAREST_AFTER, early) == [1]
    assert ordinals(Policy.NEAREST_BEFORE, late) == [0]
