"""What the calendar and the store know of slots, for the window, for requests and for graphs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Protocol

from fieldwise import calendar
from fieldwise.fleet.values import Facts
from fieldwise.model.attempt import SlotValues, Target
from fieldwise.model.definition import TaskDefinition
from fieldwise.model.event import from_day, from_micros, to_micros
from fieldwise.model.plan import CompiledTask, Dependency, Publication
from fieldwise.model.schedule import Slot
from fieldwise.model.status import Environment
from fieldwise.ports.store import Store
from fieldwise.usecases.versions import Versions

HISTORY_DAYS = 31


class SlotKey(Protocol):
    """Anything that happens at one slot: a Start, a Firing, a Question."""

    @property
    def scheduled_at(self) -> int: ...

    @property
    def slot_start(self) -> int: ...

    @property
    def data_day(self) -> int: ...


def relation_of(environment: Environment, task: str) -> str:
    """The name of a logical table in the warehouse; development has a schema of its own."""
    project, _, table = task.partition(".")
    return f"{project}_dev.{table}" if environment is Environment.DEV else task


def partition_of(task: CompiledTask, slot: SlotKey) -> str:
    """The value of `ds` that a slot writes, in ISO form."""
    if task.partition_type == "DATE":
        return from_day(slot.data_day).isoformat()
    return from_micros(slot.slot_start).strftime("%Y-%m-%d %H:%M:%S")


def target_of(environment: Environment, task: CompiledTask, slot: SlotKey, node: str = "") -> Target:
    """What a run at a slot writes. `node` may be left out if the slot is a firing, which names its node."""
    return Target(
        environment.value, task.name, node or str(getattr(slot, "node", "")), partition_of(task, slot)
    )


def slots_of(publication: Publication, definition: TaskDefinition, first: date, last: date) -> list[Slot]:
    """All slots of a task with data timestamps `first`..`last`."""
    zone = publication.project.timezone
    return calendar.slots_of_data_days(definition.schedule, zone, definition.validity, first, last)


class Calendar:
    """Slots of the versions in force, remembered by task and day."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._slots: dict[tuple[str, int, int], tuple[tuple[int, int], ...]] = {}

    def slots(self, task: str, day: int) -> Sequence[tuple[int, int]]:
        """(scheduled_at, slot_start) of every slot of a data day; off-days count, they exist and succeed at birth."""
        found = self._versions.in_force(task)
        if found is None:
            return ()
        publication, compiled = found
        key = (task, publication.version, day)
        if key not in self._slots:
            slots = slots_of(publication, compiled.definition, from_day(day), from_day(day))
            self._slots[key] = tuple(
                (to_micros(slot.scheduled_at), to_micros(slot.slot_start)) for slot in slots
            )
        return self._slots[key]

    def day_bounds(self, project: str, day: int) -> tuple[int, int]:
        """Local midnights around a data timestamp."""
        publication = self._versions.project(project)
        zone = publication.project.timezone if publication is not None else "UTC"
        start, end = calendar.day_bounds(from_day(day), calendar.zone_of(zone))
        return to_micros(start), to_micros(end)

    def values(self, publication: Publication, slot: SlotKey) -> SlotValues:
        return calendar.slot_values(_slot(slot), publication.project.timezone)

    def partitions_read(
        self, dependency: Dependency, publication: Publication, slot: SlotKey, reader: TaskDefinition
    ) -> list[str]:
        """The `ds` values of the upstream table that a dependency resolves to at a slot of `reader`.

        Of a dependency on all history the last month: versions of older partitions are not recorded.
        """
        found = self._versions.in_force(dependency.task)
        if found is None:
            return []
        upstream, task = found
        day, n = from_day(slot.data_day), dependency.n or 1
        back = HISTORY_DAYS if dependency.history else n + 1
        slots = slots_of(upstream, task.definition, day - timedelta(days=back), day + timedelta(days=1))
        below_day = reader.schedule.period.below_day
        chosen = calendar.upstream_slots(
            dependency.window,
            dependency.n,
            dependency.policy,
            _slot(slot),
            slots,
            publication.project.timezone,
            len(slots_of(publication, reader, day, day)) if below_day else 1,
            below_day and dependency.task == reader.name,
            dependency.history,
        )
        return [calendar.partition_of(one, task.partition_type) for one in chosen]


def _slot(slot: SlotKey) -> Slot:
    ordinal = getattr(slot, "ordinal", 0)
    return Slot(
        from_micros(slot.scheduled_at), from_micros(slot.slot_start), from_day(slot.data_day), ordinal
    )


def facts_of(store: Store, versions: Versions, slots: Calendar) -> Facts:
    """What the window cannot know itself of slots it does not hold."""
    environment = versions.environment
    return Facts(
        births=store.births(environment),
        gaps=store.gaps(environment),
        slots=slots.slots,
        purged=store.purged(environment),
        day_bounds=slots.day_bounds,
    )
