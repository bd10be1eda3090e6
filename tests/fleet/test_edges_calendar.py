"""The resolver in arrays against the calendar's plain reading, over periods, windows and policies."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st
from warehouse import Birth, need, publication, simple

from fieldwise.calendar import slots_of_data_days, upstream_slots
from fieldwise.fleet.values import DAY, Facts
from fieldwise.fleet.window import Window as OpenWindow
from fieldwise.model.event import Firing, to_day, to_micros
from fieldwise.model.plan import CompiledTask
from fieldwise.model.schedule import Period, Policy, Schedule, Slot, Validity, Window

FIRST, LAST = date(2026, 10, 20), date(2026, 10, 24)
DAILY = st.integers(0, 1439).map(lambda minute: Schedule(Period.DAY, (minute,)))
SOMETIMES = st.lists(st.integers(0, 23), min_size=2, max_size=5, unique=True).map(
    lambda hours: Schedule(Period.HOUR, tuple(60 * hour for hour in sorted(hours)))
)
SCHEDULES = st.one_of(DAILY, SOMETIMES)


def slots(schedule: Schedule) -> list[Slot]:
    return slots_of_data_days(schedule, "UTC", Validity(), FIRST, LAST)


def fire(birth: Birth, task: CompiledTask, schedule: Schedule) -> list[tuple[Firing, Slot]]:
    return [
        (firing, slot)
        for slot in slots(schedule)
        for firing in birth.instance(
            task,
            to_day(slot.data_timestamp),
            at=to_micros(slot.scheduled_at),
            slot_start=to_micros(slot.slot_start),
            ordinal=slot.ordinal,
        )
    ]


@settings(max_examples=300, deadline=None)
@given(
    SCHEDULES, SCHEDULES, st.sampled_from(Window), st.integers(1, 3), st.sampled_from(Policy), st.booleans()
)
def test_both_readings_of_the_rules_agree(
    mine: Schedule, theirs: Schedule, window: Window, n: int, policy: Policy, itself: bool
) -> None:
    if itself:
        theirs, window, policy = mine, Window.PREVIOUS, Policy.ALL
    up = simple("up", period=theirs.period)
    reader = simple("r", need("r" if itself else "up", window, n, policy), period=mine.period)
    birth = Birth()
    ups, readers = fire(birth, up, theirs), fire(birth, reader, mine)
    facts = Facts(day_bounds=lambda _project, day: (day * DAY, (day + 1) * DAY))
    fleet = OpenWindow.build([publication(up, reader)], [f for f, _ in [*ups, *readers]], facts)
    read = readers if itself else ups
    for firing, slot in readers:
        row = fleet.row(firing.state.id)
        assert row is not None
        own = [one for _, one in readers if one.data_timestamp == slot.data_timestamp]
        below = mine.period.below_day
        chosen = upstream_slots(
            window,
            n,
            policy,
            slot,
            [one for _, one in read],
            "UTC",
            len(own) if below else 1,
            below and itself,
        )
        edges = {int(fleet.id[at]) for at in fleet.upstream.of(fleet.id[[row]] * 0 + row)}
        assert edges == {one.state.id for one, place in read if place in chosen and one is not firing}
