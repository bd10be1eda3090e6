"""Generation: every slot once, missed days oldest first, off-days succeed at birth, too far behind holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from fieldwise.model.definition import ProjectDefinition, TaskDefinition
from fieldwise.model.event import to_day
from fieldwise.model.plan import CompiledTask, Node, Publication
from fieldwise.model.schedule import Period, Schedule, ScheduleType
from fieldwise.model.status import Environment, Mark, Status, TaskKind
from fieldwise.store.sqlite import SqliteStore
from fieldwise.usecases.generate import generate_data_days, generate_due, next_generation

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)  # 20:00 in Shanghai, a Friday
DAILY = Schedule(Period.DAY, at=(90,))


def task(name: str, schedule: Schedule = DAILY, kind: ScheduleType = ScheduleType.NORMAL) -> CompiledTask:
    definition = TaskDefinition(
        f"p.{name}", "p", TaskKind.COMPUTING, "t.py", schedule=schedule, schedule_type=kind
    )
    return CompiledTask(
        definition, (Node(f"p.{name}/a", "n1", True, ()), Node(f"p.{name}/b", "n2", False, ()))
    )


class World:
    def __init__(self) -> None:
        self.store = SqliteStore(":memory:")
        epoch = self.store.lead("test", NOW, 1e9)
        assert epoch is not None
        self.epoch = epoch

    def publish(self, *tasks: CompiledTask, zone: str = "Asia/Shanghai") -> Publication:
        candidate = Publication(ProjectDefinition("p", "", timezone=zone), tasks)
        stored = self.store.begin_publication(self.epoch, candidate, NOW)
        self.store.activate_publication(self.epoch, Environment.PROD, "p", stored.version, NOW)
        return stored

    def days(self) -> list[int]:
        return sorted({f.data_day for f in self.store.window(Environment.PROD)})


@pytest.fixture
def world() -> Iterator[World]:
    opened = World()
    yield opened
    opened.store.close()


def test_generating_twice_adds_nothing(world: World) -> None:
    published = world.publish(task("t"))
    first = generate_data_days(
        world.store, world.epoch, published, date(2026, 11, 16), date(2026, 11, 18), NOW
    )
    again = generate_data_days(
        world.store, world.epoch, published, date(2026, 11, 16), date(2026, 11, 18), NOW
    )
    assert (first.instances, len(first.firings)) == (3, 6)
    assert (again.instances, again.firings) == (0, [])
    assert world.store.generated_until(Environment.PROD) == {}


def test_off_days_and_paused_tasks_are_born_so(world: World) -> None:
    weekly = task("weekly", Schedule(Period.WEEK, at=(60,), on=("mon",)))
    published = world.publish(
        weekly, task("paused", kind=ScheduleType.PAUSED), task("dry", kind=ScheduleType.DRY_RUN)
    )
    monday = date(2026, 11, 16)
    generate_data_days(world.store, world.epoch, published, monday - timedelta(days=1), monday, NOW)
    born = {
        (f.task, f.data_day): (f.state.status, f.state.marks) for f in world.store.window(Environment.PROD)
    }
    off = int(Mark.DRY_RUN | Mark.OFF_DAY)
    assert born["p.weekly", to_day(monday) - 1] == (Status.NOT_RUNNING, 0)  # runs on Monday, data of Sunday
    assert born["p.weekly", to_day(monday)] == (Status.SUCCEEDED, off)
    assert born["p.paused", to_day(monday)] == (Status.NOT_RUNNING, Mark.PAUSED)
    assert born["p.dry", to_day(monday)] == (Status.NOT_RUNNING, Mark.DRY_RUN)


def test_a_new_project_starts_now_and_the_next_day_comes_at_23(world: World) -> None:
    published = world.publish(task("t", Schedule(Period.HOUR, at=(), every=1)))
    generated = generate_due(world.store, world.epoch, published, NOW)
    assert generated.instances == 4  # 20:00, 21:00, 22:00, 23:00 of today
    assert next_generation(published, NOW) == datetime(2026, 11, 20, 15, tzinfo=UTC)
    assert generate_due(world.store, world.epoch, published, NOW + timedelta(hours=2)).instances == 0
    assert generate_due(world.store, world.epoch, published, NOW + timedelta(hours=3)).instances == 24


def test_missed_days_are_made_up_without_a_hole(world: World) -> None:
    published = world.publish(task("t"))
    generate_due(world.store, world.epoch, published, NOW)
    generate_due(world.store, world.epoch, published, NOW + timedelta(days=5))
    today = to_day(NOW.date())
    assert world.days() == list(range(today, today + 5))


@pytest.mark.parametrize(("catch_up", "days"), [("", []), ("all", 10), ("latest", 1), ("none", 0)])
def test_more_than_seven_days_behind_asks(world: World, catch_up: str, days: object) -> None:
    published = world.publish(task("t"))
    generate_due(world.store, world.epoch, published, NOW)
    generated = generate_due(world.store, world.epoch, published, NOW + timedelta(days=10), catch_up)
    if not catch_up:
        assert generated.held == ["p"]
        assert generated.instances == 0
        return
    assert generated.instances == days
    gaps = world.store.gaps(Environment.PROD)
    assert bool(gaps) == (catch_up != "all")


def test_what_lies_between_a_run_and_a_server_is_a_gap(world: World) -> None:
    published = world.publish(task("t"))
    generate_data_days(world.store, world.epoch, published, date(2026, 11, 10), date(2026, 11, 11), NOW)
    generate_due(world.store, world.epoch, published, NOW)
    (gap,) = world.store.gaps(Environment.PROD)
    assert (gap.first, gap.last) == (date(2026, 11, 12), date(2026, 11, 18))


def test_a_task_that_cannot_be_generated_does_not_stop_the_others(world: World) -> None:
    broken = replace(
        task("broken"), definition=replace(task("broken").definition, schedule=Schedule(Period.WEEK, on=()))
    )
    wrong = replace(broken, definition=replace(broken.definition, schedule=Schedule(Period.MONTH, on=("x",))))
    published = world.publish(wrong, task("good"))
    generated = generate_data_days(
        world.store, world.epoch, published, date(2026, 11, 18), date(2026, 11, 18), NOW
    )
    assert generated.instances == 1
    assert generated.quarantined[0][0] == "p.broken"
