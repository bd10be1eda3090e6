"""Random projects for the simulation: a few tables of a few nodes that depend on each other in every window."""

from __future__ import annotations

from random import Random

from fieldwise.model.definition import ProjectDefinition, ResourceGroup, TaskDefinition, ThrottlingRule
from fieldwise.model.plan import CompiledTask, Dependency, Node, Publication
from fieldwise.model.plan import Field as PlanField
from fieldwise.model.schedule import Period, Rerun, Retries, Schedule, ScheduleType, Window
from fieldwise.model.status import Environment, Priority, TaskKind

ZONES = ("UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York")
WINDOWS = ((Window.CURRENT, None), (Window.CURRENT, None), (Window.PREVIOUS, None), (Window.LAST_N, 2))


def random_publication(random: Random, tables: int) -> Publication:
    """A project of `tables` tables in dependency order."""
    tasks: list[CompiledTask] = []
    for number in range(tables):
        tasks.append(_task(random, number, tasks))
    project = ProjectDefinition(
        name="sim",
        folder="",
        timezone=random.choice(ZONES),
        resource_groups=(ResourceGroup("default", random.randint(1, 4)), ResourceGroup("heavy", 1)),
        throttling=(ThrottlingRule("few", random.randint(1, 2), tag="throttled"),)
        if random.random() < 0.5
        else (),
    )
    return Publication(project, tuple(tasks), Environment.PROD, fingerprint=str(random.random()))


def _task(random: Random, number: int, upstream: list[CompiledTask]) -> CompiledTask:
    name = f"sim.t{number}"
    schedule = _schedule(random)
    definition = TaskDefinition(
        name=name,
        project="sim",
        kind=TaskKind.MODELING,
        file=f"t{number}.sql",
        language="nothing",
        key=("id",),
        schedule=schedule,
        schedule_type=ScheduleType.DRY_RUN if random.random() < 0.1 else ScheduleType.NORMAL,
        tags=("throttled",) if random.random() < 0.3 else (),
        retries=Retries(random.randint(0, 2), random.choice((60, 600)), random.random() < 0.5),
        timeout=random.choice((3600.0, 2 * 3600.0)),
        rerun=random.choice((Rerun.ALWAYS, Rerun.ALWAYS, Rerun.ON_FAILURE)),
    )
    nodes = tuple(_node(random, name, index, schedule, upstream) for index in range(random.randint(1, 3)))
    fields = (PlanField("id", key=True), *(PlanField(name) for node in nodes for name in node.fields))
    sub_day = schedule.period.below_day
    return CompiledTask(
        definition, nodes, fields, partition_type="TIMESTAMP" if sub_day else "DATE", fingerprint=name
    )


def _schedule(random: Random) -> Schedule:
    if random.random() < 0.2:
        return Schedule(Period.HOUR, at=(), every=random.choice((6, 8)))
    if random.random() < 0.15:
        return Schedule(Period.WEEK, at=(180,), on=(random.choice(("mon", "wed", "fri")),))
    return Schedule(Period.DAY, at=(random.randrange(0, 24 * 60, 30),))


def _node(random: Random, task: str, index: int, schedule: Schedule, upstream: list[CompiledTask]) -> Node:
    chosen = random.sample(upstream, min(len(upstream), random.randint(0, 2)))
    dependencies = [_dependency(random, other, schedule) for other in chosen]
    if index == 0 and random.random() < 0.2:
        own = f"{task}/0000000{index}"
        dependencies.append(Dependency(task, (f"f{index}",), (own,), Window.PREVIOUS))
    return Node(
        id=f"{task}/0000000{index}",
        label=f"n{index + 1}",
        row_node=index == 0,
        fields=(f"f{index}",),
        upstream=tuple(dependencies),
        project="sim",
        priority=random.choice(tuple(Priority)),
        resource_group="heavy" if random.random() < 0.2 else "default",
    )


def _dependency(random: Random, upstream: CompiledTask, schedule: Schedule) -> Dependency:
    node = random.choice(upstream.nodes)
    window, n = random.choice(WINDOWS)
    if upstream.definition.schedule.period.below_day and not schedule.period.below_day:
        window, n = Window.SLOTS_OF_DAY, None
    return Dependency(upstream.name, node.fields, (node.id,), window, n)
