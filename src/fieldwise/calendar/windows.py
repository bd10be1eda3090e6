"""Which slots of an upstream a dependency looks at, read plainly from the rules (spec 3, "Dependencies").

The vectorised resolver of the fleet is tested against this reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from fieldwise.calendar.zones import day_bounds, zone_of
from fieldwise.model.schedule import Policy, Slot, Window

DAY = timedelta(days=1)


def upstream_slots(
    window: Window,
    n: int | None,
    policy: Policy,
    mine: Slot,
    upstream: Sequence[Slot],
    zone: str,
    my_count: int = 1,
    own_sub_day: bool = False,
    history: bool = False,
) -> list[Slot]:
    """The upstream's slots that `mine` depends on. `upstream`: all slots that may matter, any order.

    `zone` is that of the reading task's project. `my_count`: how many slots the reader has on its day, for pairing
    by ordinal. `own_sub_day`: a task below a day reads itself, so that `previous` is its slot before, not its day.
    `history`: everything before the window belongs to it too.
    """
    if own_sub_day and window is Window.PREVIOUS:
        near = [slot for slot in upstream if 0 <= _days_behind(mine, slot) <= 1]
        before = own_previous_slot(mine, near)
        return [before] if before is not None else []
    if history:
        return sorted((slot for slot in upstream if _up_to(window, n or 1, mine, slot, zone)), key=_time)
    inside = sorted((slot for slot in upstream if _inside(window, n or 1, mine, slot, zone)), key=_time)
    return _chosen(policy, mine, inside, my_count if _is_one_day(window, n or 1) else 1)


def _is_one_day(window: Window, n: int) -> bool:
    """Only slots of one day have ordinals that can be compared."""
    return window in (Window.CURRENT, Window.PREVIOUS, Window.DAYS_BEFORE) or (
        window is Window.LAST_N and n == 1
    )


def _days_behind(mine: Slot, slot: Slot) -> int:
    return (mine.data_timestamp - slot.data_timestamp).days


def own_previous_slot(mine: Slot, own: Sequence[Slot]) -> Slot | None:
    """Self dependency: the slot before mine; None before the task's birth."""
    earlier = [slot for slot in own if slot.scheduled_at < mine.scheduled_at]
    return max(earlier, key=_time) if earlier else None


def _time(slot: Slot) -> datetime:
    return slot.scheduled_at


def _inside(window: Window, n: int, mine: Slot, slot: Slot, zone: str) -> bool:
    behind = _days_behind(mine, slot)
    match window:
        case Window.CURRENT:
            return behind == 0
        case Window.PREVIOUS:
            return behind == 1
        case Window.DAYS_BEFORE:
            return behind == n
        case Window.LAST_N:
            return 0 <= behind < n
        case Window.LAST_24_HOURS:
            return mine.scheduled_at - DAY < slot.scheduled_at <= mine.scheduled_at
        case Window.SAME_SLOT:
            return slot.slot_start == mine.slot_start
        case Window.SLOTS_IN_INTERVAL:
            return mine.slot_start <= slot.slot_start < mine.scheduled_at
        case Window.SLOTS_OF_DAY:
            start, end = day_bounds(mine.data_timestamp, zone_of(zone))
            return start <= slot.slot_start < end


def _up_to(window: Window, n: int, mine: Slot, slot: Slot, zone: str) -> bool:
    """In the window, or before it."""
    if _inside(window, n, mine, slot, zone):
        return True
    if window in (Window.CURRENT, Window.PREVIOUS, Window.DAYS_BEFORE, Window.LAST_N):
        last = {Window.PREVIOUS: 1, Window.DAYS_BEFORE: n}.get(window, 0)
        return _days_behind(mine, slot) >= last
    return slot.slot_start < mine.slot_start


def _chosen(policy: Policy, mine: Slot, inside: list[Slot], my_count: int) -> list[Slot]:
    if not inside or policy is Policy.ALL:
        return inside
    nearest = policy in (Policy.NEAREST_AFTER, Policy.NEAREST_BEFORE)
    if nearest and my_count > 1 and my_count == len(inside) and mine.ordinal < my_count:
        return [inside[mine.ordinal]]
    after = [slot for slot in inside if slot.scheduled_at >= mine.scheduled_at]
    before = [slot for slot in inside if slot.scheduled_at <= mine.scheduled_at]
    match policy:
        case Policy.FIRST:
            return inside[:1]
        case Policy.LAST:
            return inside[-1:]
        case Policy.NEAREST_AFTER:
            return after[:1] or inside[-1:]
        case Policy.NEAREST_BEFORE:
            return before[-1:] or inside[:1]
