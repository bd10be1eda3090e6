"""The values a slot binds to the parameters of SQL, and the partition it writes (spec 2, "Rules of the SQL")."""

from __future__ import annotations

from fieldwise.calendar.zones import day_bounds, zone_of
from fieldwise.model.attempt import SlotValues
from fieldwise.model.schedule import Slot


def slot_values(slot: Slot, zone: str) -> SlotValues:
    """slot_end is the scheduled time, slot_start the one before; day_* are the local midnights around data_date."""
    start, end = day_bounds(slot.data_timestamp, zone_of(zone))
    return SlotValues(slot.data_timestamp, slot.scheduled_at, slot.slot_start, slot.scheduled_at, start, end)


def partition_of(slot: Slot, partition_type: str) -> str:
    """The value of `ds` in ISO form: the data timestamp, or for hour and minute tables slot_start in UTC."""
    if partition_type == "DATE":
        return slot.data_timestamp.isoformat()
    return slot.slot_start.strftime("%Y-%m-%d %H:%M:%S")
