"""Generates instances: every slot the calendar has for the active tasks becomes rows, each firing once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fieldwise import telemetry
from fieldwise.model.definition import TaskDefinition
from fieldwise.model.errors import FieldwiseError
from fieldwise.model.event import Firing, NewInstance, NewNodeInstance, to_day, to_micros
from fieldwise.model.plan import CompiledTask, Publication
from fieldwise.model.schedule import ScheduleType, Slot
from fieldwise.model.status import InstanceType, Mark, Status
from fieldwise.ports.store import Gap, Store
from fieldwise.usecases.facts import slots_of
from fieldwise.usecases.memory import collector_resting

GENERATION_TIME = time(23, 0)
HOLD_AFTER = timedelta(days=7)
DAY = timedelta(days=1)


@dataclass(slots=True)
class Generated:
    """What generation added. `held`: projects too far behind, which ask for `--catch-up`."""

    instances: int = 0
    firings: list[Firing] = field(default_factory=list)
    quarantined: list[tuple[str, str]] = field(default_factory=list)
    held: list[str] = field(default_factory=list)


def generate_data_days(
    store: Store, epoch: int, publication: Publication, first: date, last: date, now: datetime
) -> Generated:
    """All slots with data timestamps `first`..`last`, for `run`: one transaction, `generated_until` stays."""
    generated = Generated()
    _insert(store, epoch, publication, first, last, None, None, now, generated)
    _close_gaps(store, epoch, publication, first, last)
    return generated


def _close_gaps(store: Store, epoch: int, publication: Publication, first: date, last: date) -> None:
    """What was skipped on purpose exists now: the gap shrinks to what is left of it."""
    environment, project = publication.environment, publication.project.name
    for gap in store.gaps(environment):
        if gap.project != project or gap.last < first or last < gap.first:
            continue
        # What is left is recorded first: a crash in between leaves a gap too many, never one too few.
        if gap.first < first:
            store.record_gap(epoch, Gap(environment, project, gap.first, first - DAY))
        if last < gap.last:
            store.record_gap(epoch, Gap(environment, project, last + DAY, gap.last))
        store.close_gap(epoch, gap)


def generate_due(
    store: Store, epoch: int, publication: Publication, now: datetime, catch_up: str = ""
) -> Generated:
    """What a server owes the project at `now`: the day under way, the next one from 23:00 on, and days missed.

    Missed days are made up oldest first, one transaction each. More than 7 days behind: nothing happens until
    `catch_up` says `all`, `latest` (the rest is a gap) or `none`.
    """
    generated = Generated()
    project = publication.project
    zone = ZoneInfo(project.timezone)
    start = store.generated_until(publication.environment).get(project.name)
    if start is None:
        start = _begin(store, epoch, publication, now)
    horizon = horizon_of(zone, now)
    if now - start > HOLD_AFTER and catch_up not in ("all", "latest", "none"):
        generated.held.append(project.name)
        telemetry.warning("generation_held", project=project.name, behind_since=start)
        return generated
    if now - start > HOLD_AFTER and catch_up != "all":
        start = _skip(store, epoch, publication, start, now, catch_up)
    for day_start, day_end in _local_days(zone, start, horizon):
        data_day = day_start.astimezone(zone).date() - DAY
        _insert(store, epoch, publication, data_day, data_day, day_start, day_end, now, generated)
    return generated


def next_generation(publication: Publication, now: datetime) -> datetime:
    """The next 23:00 of the project."""
    zone = ZoneInfo(publication.project.timezone)
    today = now.astimezone(zone).date()
    at = _local(zone, today, GENERATION_TIME)
    return at if at > now else _local(zone, today + DAY, GENERATION_TIME)


def horizon_of(zone: ZoneInfo, now: datetime) -> datetime:
    """Everything scheduled before this instant must exist at `now`: midnight tonight, from 23:00 on tomorrow's."""
    local = now.astimezone(zone)
    days = 2 if local.time() >= GENERATION_TIME else 1
    return _local(zone, local.date() + timedelta(days=days), time(0))


def _local(zone: ZoneInfo, day: date, at: time) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def _local_days(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The local days between two instants, the first one cut at `start`."""
    while start < end:
        midnight = _local(zone, start.astimezone(zone).date() + DAY, time(0))
        yield start, midnight
        start = midnight


def _begin(store: Store, epoch: int, publication: Publication, now: datetime) -> datetime:
    """A server first finds the project: from now on it generates; what lies between the last run and now is a gap."""
    environment, project = publication.environment, publication.project.name
    last = _last_data_day(store, publication)
    yesterday = now.astimezone(ZoneInfo(publication.project.timezone)).date() - DAY
    if last is not None and last + DAY <= yesterday - DAY:
        store.record_gap(epoch, Gap(environment, project, last + DAY, yesterday - DAY))
    store.generate(epoch, environment, project, (), (), now, now)
    return now


def _last_data_day(store: Store, publication: Publication) -> date | None:
    filters = {"project": [publication.project.name], "env": [publication.environment.value]}
    newest = store.instances(filters, sort="-scheduled", limit=1).items
    return date.fromisoformat(newest[0]["data_timestamp"]) if newest else None


def _skip(
    store: Store, epoch: int, publication: Publication, start: datetime, now: datetime, catch_up: str
) -> datetime:
    """Leave out what was missed, as a recorded gap; returns where generation goes on."""
    zone = ZoneInfo(publication.project.timezone)
    today = now.astimezone(zone).date()
    first = start.astimezone(zone).date() - DAY
    store.record_gap(epoch, Gap(publication.environment, publication.project.name, first, today - 2 * DAY))
    return now if catch_up == "none" else _local(zone, today, time(0))


def _insert(
    store: Store,
    epoch: int,
    publication: Publication,
    first: date,
    last: date,
    not_before: datetime | None,
    until: datetime | None,
    now: datetime,
    generated: Generated,
) -> None:
    project = publication.project.name
    with collector_resting():
        instances, nodes = new_instances(publication, first, last, not_before, generated.quarantined)
        born = store.generate(epoch, publication.environment, project, instances, nodes, until, now)
    generated.instances += born.instances
    generated.firings += born.firings


def new_instances(
    publication: Publication,
    first: date,
    last: date,
    not_before: datetime | None = None,
    quarantined: list[tuple[str, str]] | None = None,
) -> tuple[list[NewInstance], list[NewNodeInstance]]:
    """Rows for every slot with a data timestamp in `first`..`last`. A task whose calendar fails is left out."""
    instances: list[NewInstance] = []
    nodes: list[NewNodeInstance] = []
    known: dict[object, list[Bare]] = {}
    for task in publication.tasks:
        definition = task.definition
        # Thousands of tasks share a schedule: its slots are turned into numbers once.
        shared = (definition.schedule, definition.validity, definition.schedule_type)
        try:
            if shared not in known:
                slots = slots_of(publication, definition, first, last)
                known[shared] = [
                    _bare(definition, slot)
                    for slot in slots
                    if not_before is None or slot.scheduled_at >= not_before
                ]
        except (FieldwiseError, ValueError, OverflowError) as error:
            telemetry.warning("task_quarantined", task=task.name, reason=str(error))
            if quarantined is not None:
                quarantined.append((task.name, str(error)))
            continue
        _add_slots(task, publication.version, known[shared], instances, nodes)
    return instances, nodes


Bare = tuple[int, int, int, int, int, int]  # scheduled_at, slot_start, data_day, ordinal, status, marks


def _bare(definition: TaskDefinition, slot: Slot) -> Bare:
    times = (to_micros(slot.scheduled_at), to_micros(slot.slot_start), to_day(slot.data_timestamp))
    return (*times, slot.ordinal, *born_as(definition, slot))


def _add_slots(
    task: CompiledTask,
    version: int,
    slots: Sequence[Bare],
    instances: list[NewInstance],
    nodes: list[NewNodeInstance],
) -> None:
    name, names = task.name, [node.id for node in task.nodes]
    for scheduled_at, slot_start, data_day, ordinal, status, marks in slots:
        number = len(instances)
        instances.append(
            NewInstance(name, InstanceType.RECURRING, 0, scheduled_at, slot_start, data_day, ordinal, version)
        )
        for node in names:
            nodes.append(NewNodeInstance(number, node, status, marks))  # noqa: PERF401 (a list a slot costs more)


def born_as(definition: TaskDefinition, slot: Slot) -> tuple[int, int]:
    """Status and marks at birth: an off-day has succeeded, a dry run waits for its turn, a paused task is held."""
    if slot.off_day:
        return int(Status.SUCCEEDED), int(Mark.DRY_RUN | Mark.OFF_DAY)
    match definition.schedule_type:
        case ScheduleType.DRY_RUN:
            return int(Status.NOT_RUNNING), int(Mark.DRY_RUN)
        case ScheduleType.PAUSED:
            return int(Status.NOT_RUNNING), int(Mark.PAUSED)
        case ScheduleType.NORMAL:
            return int(Status.NOT_RUNNING), 0
