"""PURE: slots due between two instants, data timestamps, zones, dependency windows (spec 3)."""

from fieldwise.calendar.parameters import partition_of, slot_values
from fieldwise.calendar.slots import slots_between, slots_due, slots_of_data_days, slots_of_day
from fieldwise.calendar.windows import own_previous_slot, upstream_slots
from fieldwise.calendar.zones import day_bounds, local_date, midnight, wall_clock, zone_of

__all__ = [
    "day_bounds",
    "local_date",
    "midnight",
    "own_previous_slot",
    "partition_of",
    "slot_values",
    "slots_between",
    "slots_due",
    "slots_of_data_days",
    "slots_of_day",
    "upstream_slots",
    "wall_clock",
    "zone_of",
]
