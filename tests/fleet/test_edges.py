"""The resolver against a plain reading of spec 3, "Dependencies"."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warehouse import Birth, need, node, publication, simple, table

from fieldwise.fleet.values import DAY, HOUR, Facts
from fieldwise.fleet.window import Window as OpenWindow
from fieldwise.model.event import Firing, from_day
from fieldwise.model.plan import CompiledTask, Dependency
from fieldwise.model.schedule import Period, Policy, Window
from fieldwise.model.status import Environment, InstanceType, Status
from fieldwise.ports.store import Gap

FIRST_DAY, LAST_DAY = 100, 106


@dataclass
class Calendar:
    """Slots of each task: hours of the local day (UTC) after the data day; `closed`: days without slot."""

    hours: dict[str, tuple[int, ...]]
    closed: dict[str, set[int]] = field(default_factory=dict)

    def of_day(self, task: str, day: int) -> list[tuple[int, int]]:
        """(scheduled_at, slot_start) of a day."""
        if day in self.closed.get(task, ()):
            return []
        hours = self.hours[task]
        instants = [(day + 1) * DAY + hour * HOUR for hour in hours]
        previous = day * DAY + hours[-1] * HOUR
        return list(zip(instants, [previous, *instants[:-1]], strict=True))


@dataclass(frozen=True)
class Slot:
    day: int
    scheduled_at: int
    slot_start: int
    ordinal: int


@dataclass
class Case:
    tasks: list[CompiledTask]
    calendar: Calendar
    births: dict[str, int]
    gaps: list[tuple[int, int]]
    purged: set[tuple[str, int]]
    batches: list[list[Firing]]

    def facts(self) -> Facts:
        return Facts(
            births=self.births,
            gaps=[Gap(Environment.PROD, "p", from_day(a), from_day(b)) for a, b in self.gaps],
            slots=self.calendar.of_day,
            purged=lambda task, at: (task, at) in self.purged,
            day_bounds=lambda _project, day: (day * DAY, (day + 1) * DAY),
        )


def in_window(dependency: Dependency, own: Firing, own_sub_day: bool, slot: Slot) -> bool:
    """Whether an upstream slot lies in the window of a dependency, spelled out word by word."""
    n = dependency.n or 1
    back = own.data_day - slot.day
    match dependency.window:
        case Window.CURRENT:
            return back == 0
        case Window.PREVIOUS:
            if dependency.task == own.task and own_sub_day:
                return back in (0, 1) and slot.scheduled_at < own.scheduled_at  # the last of them is chosen
            return back == 1
        case Window.DAYS_BEFORE:
            return back == n
        case Window.LAST_N:
            return 0 <= back < n
        case Window.LAST_24_HOURS:
            return own.scheduled_at - DAY < slot.scheduled_at <= own.scheduled_at
        case Window.SAME_SLOT:
            return slot.slot_start == own.slot_start
        case Window.SLOTS_IN_INTERVAL:
            return own.slot_start <= slot.slot_start < own.scheduled_at
        case Window.SLOTS_OF_DAY:
            return own.data_day * DAY <= slot.slot_start < (own.data_day + 1) * DAY


def choose(
    dependency: Dependency, own: Firing, own_sub_day: bool, own_count: int, found: list[Slot]
) -> list[Slot]:
    """What a policy takes of the slots in the window, in order of time."""
    if not found:
        return []
    if dependency.task == own.task and own_sub_day and dependency.window is Window.PREVIOUS:
        return found[-1:]
    one_day = dependency.window in (Window.CURRENT, Window.PREVIOUS, Window.DAYS_BEFORE) or (
        dependency.window is Window.LAST_N and dependency.n == 1
    )
    nearest = dependency.policy in (Policy.NEAREST_AFTER, Policy.NEAREST_BEFORE)
    if nearest and one_day and own_sub_day and own_count > 1 and own_count == len(found):
        return [found[own.ordinal]]
    match dependency.policy:
        case Policy.ALL:
            return found
        case Policy.FIRST:
            return found[:1]
        case Policy.LAST:
            return found[-1:]
        case Policy.NEAREST_AFTER:
            return ([s for s in found if s.scheduled_at >= own.scheduled_at] or found[-1:])[:1]
        case Policy.NEAREST_BEFORE:
            return ([s for s in found if s.scheduled_at <= own.scheduled_at] or found[:1])[-1:]


def expected(case: Case, firings: list[Firing], own: Firing) -> tuple[set[int], set[tuple[str, int]]]:
    """(upstream node instances, (task, instant) of slots not generated yet) of one node instance."""
    tasks = {task.name: task for task in case.tasks}
    held = [f for f in firings if f.flow == own.flow]
    births = dict(case.births)
    for f in firings:
        if f.flow == 0:
            births[f.task] = min(births.get(f.task, f.scheduled_at), f.scheduled_at)
    edges: set[int] = set()
    missing: set[tuple[str, int]] = set()
    sub_day = tasks[own.task].definition.schedule.period.below_day
    own_count = len({f.scheduled_at for f in held if f.task == own.task and f.data_day == own.data_day})
    for dependency in tasks[own.task].node(own.node).upstream:
        name = dependency.task
        slots = {Slot(f.data_day, f.scheduled_at, f.slot_start, f.ordinal) for f in held if f.task == name}
        for day in range(FIRST_DAY - 10, LAST_DAY + 10):
            if own.flow or any(slot.day == day for slot in slots):
                continue
            if any(a <= day <= b for a, b in case.gaps):
                continue
            for i, (at, start) in enumerate(case.calendar.of_day(name, day)):
                if name not in births or at >= births[name]:
                    slots.add(Slot(day, at, start, i))
        ordered = sorted(slots, key=lambda s: s.scheduled_at)
        found = [slot for slot in ordered if in_window(dependency, own, sub_day, slot)]
        for slot in choose(dependency, own, sub_day, own_count, found):
            real = {
                f.state.id
                for f in held
                if f.task == name and f.scheduled_at == slot.scheduled_at and f.node in dependency.nodes
            }
            edges |= real - {own.state.id}
            gone = name in births and (name, slot.scheduled_at) in case.purged
            if not real and not gone:
                missing.add((name, slot.scheduled_at))
    return edges, missing


HOURS = st.sampled_from([(0,), (6,), (0, 6, 12, 18), (3, 9, 15, 21), (0, 8, 16), (1, 13)])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    names = ["a", "b", "c"][: draw(st.integers(2, 3))]
    hours = {f"p.{name}": draw(HOURS) for name in names}
    tasks = []
    for i, name in enumerate(names):
        nodes = [node(name, label, *draw(dependencies(names[: i + 1], name))) for label in ("n1", "n2")]
        period = Period.HOUR if len(hours[f"p.{name}"]) > 1 else Period.DAY
        tasks.append(table(name, *nodes, period=period))
    closed = {task: draw(st.sets(st.integers(FIRST_DAY - 2, LAST_DAY + 1), max_size=2)) for task in hours}
    calendar = Calendar(hours, closed)
    birth = Birth()
    kept = st.sets(st.integers(FIRST_DAY, LAST_DAY), min_size=1)
    batches: list[list[Firing]] = []
    left = {task.name: draw(kept) for task in tasks}
    for _ in range(draw(st.integers(1, 3))):
        batch = []
        for task in tasks:
            days = {day for day in left[task.name] if draw(st.booleans())}
            left[task.name] -= days
            batch += [f for day in sorted(days) for f in fire(birth, calendar, task, day, 0)]
        if draw(st.booleans()):
            day = draw(st.integers(FIRST_DAY, LAST_DAY))
            flow = len(batches) + 1
            batch += [f for task in tasks for f in fire(birth, calendar, task, day, flow)]
        batches.append(batch)
    early = st.dictionaries(
        st.sampled_from(sorted(hours)), st.integers(FIRST_DAY - 3, FIRST_DAY).map(lambda d: (d + 1) * DAY)
    )
    gaps = draw(st.lists(st.tuples(st.integers(FIRST_DAY, LAST_DAY), st.integers(0, 1)), max_size=1))
    slots = [
        (task, at)
        for task in hours
        for day in range(FIRST_DAY - 3, LAST_DAY)
        for at, _ in calendar.of_day(task, day)
    ]
    return Case(
        tasks,
        calendar,
        draw(early),
        [(a, a + n) for a, n in gaps],
        draw(st.sets(st.sampled_from(slots), max_size=12)),
        batches,
    )


@st.composite
def dependencies(draw: st.DrawFn, names: list[str], own: str) -> list[Dependency]:
    found = []
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from(names))
        earlier = [Window.PREVIOUS, Window.DAYS_BEFORE]
        window = draw(st.sampled_from(earlier if name == own else list(Window)))
        policy = Policy.ALL if name == own else draw(st.sampled_from(list(Policy)))
        nodes = draw(st.sampled_from([("n1",), ("n2",), ("n1", "n2")]))
        found.append(need(name, window, draw(st.integers(1, 3)), policy, nodes))
    return found


def fire(birth: Birth, calendar: Calendar, task: CompiledTask, day: int, flow: int) -> list[Firing]:
    kind = InstanceType.BACKFILL if flow else InstanceType.RECURRING
    return [
        firing
        for i, (at, start) in enumerate(calendar.of_day(task.name, day))
        for firing in birth.instance(task, day, at=at, slot_start=start, ordinal=i, flow=flow, kind=kind)
    ]


@settings(max_examples=400, deadline=None)
@given(cases())
def test_edges_are_what_the_rules_say(case: Case):
    everything = [firing for batch in case.batches for firing in batch]
    window = OpenWindow.build([publication(*case.tasks)], case.batches[0], case.facts())
    for batch in case.batches[1:]:
        window.add(batch)
    for firing in everything:
        row = window.row(firing.state.id)
        assert row is not None
        edges, missing = expected(case, everything, firing)
        found = [int(window.id[up]) for up in window.upstream.of(window.id[[row]] * 0 + row)]
        mask = window.missing.missing_row == row
        days = {
            (window.catalog.task_names[t], int(d))
            for t, d in zip(window.missing.missing_task[mask], window.missing.missing_day[mask], strict=True)
        }
        assert set(found) == edges
        assert days == {(task, at // DAY - 1) for task, at in missing}
        assert window.blocking[row] == len(found) + int(mask.sum())
        for up in found:
            assert row in window.downstream.of(window.id[[window.row(up)]] * 0 + window.row(up))


def build(*tasks: CompiledTask, days: range = range(100, 103), facts: Facts | None = None) -> OpenWindow:
    return OpenWindow.build([publication(*tasks)], Birth().days(tasks, days), facts or Facts())


def blocked(window: OpenWindow) -> list[int]:
    return window.blocking.tolist()


def test_before_the_birth_a_self_dependency_is_satisfied():
    calendar = Calendar({"p.a": (0,)})
    window = build(simple("a", need("a", Window.PREVIOUS)), facts=Facts(slots=calendar.of_day))
    assert blocked(window) == [0, 1, 1]


def test_a_slot_that_is_due_and_not_generated_blocks_until_it_is():
    calendar = Calendar({"p.a": (0,), "p.b": (0,)})
    a, b = simple("a"), simple("b", need("a"))
    birth = Birth()
    window = OpenWindow.build([publication(a, b)], birth.days([b], [100]), Facts(slots=calendar.of_day))
    assert blocked(window) == [1]
    window.add(birth.days([a], [100]))
    assert blocked(window) == [1, 0]
    assert len(window.missing.missing_row) == 0


@pytest.mark.parametrize("gap", [True, False])
def test_a_recorded_gap_satisfies(gap: bool):
    calendar = Calendar({"p.a": (0,)})
    a = simple("a", need("a", Window.PREVIOUS))
    gaps = [Gap(Environment.PROD, "p", date(1970, 4, 12), date(1970, 4, 12))] if gap else []
    firings = Birth().days([a], [100, 102])
    window = OpenWindow.build([publication(a)], firings, Facts(slots=calendar.of_day, gaps=gaps))
    assert blocked(window) == [0, 0 if gap else 1]


def test_an_older_version_with_other_nodes_is_found_by_its_fields():
    old = table("a", node("a", "n1", fields=("x", "y")))
    new = table("a", node("a", "n2", fields=("x",)), node("a", "n3", fields=("y",)))
    b = simple("b", need("a", Window.PREVIOUS, nodes=("n3",), fields=("y",)))
    birth = Birth()
    firings = (
        birth.instance(old, 100) + birth.instance(new, 101, version=2) + birth.instance(b, 101, version=2)
    )
    window = OpenWindow.build([publication(old), publication(new, b, version=2)], firings, Facts())
    row = window.row(4)
    assert [int(window.id[up]) for up in window.upstream.of(window.id[[row]] * 0 + row)] == [1]


def test_what_has_succeeded_does_not_block():
    a, b = simple("a"), simple("b", need("a"))
    birth = Birth()
    firings = birth.instance(a, 100, status=Status.SUCCEEDED) + birth.instance(b, 100)
    assert blocked(OpenWindow.build([publication(a, b)], firings, Facts())) == [0, 0]
