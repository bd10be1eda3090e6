"""The fleet agrees with a scheduler that computes everything from scratch, over random graphs and histories."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference import Node, Reference
from warehouse import Birth, World, need, node, publication, report, table

from fieldwise.fleet.values import (
    DAY,
    MINUTE,
    Force,
    GroupSlots,
    Hold,
    Input,
    Options,
    Pause,
    Release,
    Rerun,
    Resume,
    RuleLimit,
    SetPriority,
    SetSuccess,
    Stop,
)
from fieldwise.model.definition import ResourceGroup, ThrottlingRule
from fieldwise.model.plan import CompiledTask
from fieldwise.model.schedule import Retries
from fieldwise.model.status import InstanceType, Mark, Priority, RunOutcome, Status

WORDS = {
    Status.NOT_RUNNING: "N",
    Status.WAITING_TIME: "WT",
    Status.THROTTLED: "Q",
    Status.WAITING_RESOURCES: "Q",
    Status.RUNNING: "R",
    Status.SUCCEEDED: "S",
    Status.FAILED: "F",
}
GROUPS = ("default", "other")
FLOWS = {0: InstanceType.RECURRING, 1: InstanceType.BACKFILL, 2: InstanceType.MANUAL}


class Pair:
    """A fleet and its reference, driven together."""

    def __init__(self, draw: Callable[[st.SearchStrategy], object]) -> None:
        self.draw = draw
        self.tasks = [self.task(i) for i in range(draw(st.integers(1, 4)))]
        rules = [
            ThrottlingRule("r0", draw(st.integers(0, 3)), tag="slow"),
            ThrottlingRule("r1", 2, run_type="recurring"),
        ]
        self.rules = rules[: draw(st.integers(0, 2))]
        slots = {group: draw(st.integers(1, 3)) for group in GROUPS}
        published = publication(
            *self.tasks,
            slots=slots["default"],
            groups=(ResourceGroup("other", slots["other"]),),
            rules=tuple(self.rules),
        )
        birth, self.firings = Birth(), []
        for flow in sorted({0, *draw(st.sets(st.sampled_from(sorted(FLOWS)), max_size=2))}):
            for task in self.tasks:
                marks = draw(st.sampled_from([Mark.NONE, Mark.NONE, Mark.NONE, Mark.DRY_RUN, Mark.PAUSED]))
                at = 6 * DAY + draw(st.sampled_from([0, 0, 10 * MINUTE]))
                self.firings += birth.instance(task, 5, at=at, flow=flow, kind=FLOWS[flow], marks=marks)
        now = draw(st.sampled_from([6 * DAY - MINUTE, 6 * DAY]))
        ignore = draw(st.booleans())
        self.world = World([published], self.firings, options=Options(ignore_time=ignore), now=now)
        nodes = {f.state.id: self.mirror(f) for f in self.firings}
        self.reference = Reference(nodes, slots, {r.name: r.max_running for r in self.rules}, ignore)

    def task(self, i: int) -> CompiledTask:
        draw = self.draw
        nodes = []
        for label in ["n1", "n2", "n3"][: draw(st.integers(1, 3))]:
            upstream = (
                [
                    need(
                        f"t{j}",
                        nodes=tuple(n.label for n in self.before[j].nodes if draw(st.booleans())) or ("n1",),
                    )
                    for j in range(i)
                    if draw(st.booleans())
                ]
                if i
                else []
            )
            nodes.append(
                node(
                    f"t{i}",
                    label,
                    *upstream,
                    group=draw(st.sampled_from(GROUPS)),
                    cost=draw(st.integers(1, 2)),
                    priority=draw(st.sampled_from(list(Priority))),
                )
            )
        made = table(
            f"t{i}",
            *nodes,
            retries=Retries(draw(st.integers(0, 2)), 300),
            tags=("slow",) if draw(st.booleans()) else (),
        )
        self.before = [*getattr(self, "before", []), made]
        return made

    def mirror(self, firing) -> Node:
        task = next(t for t in self.tasks if t.name == firing.task)
        mine = task.node(firing.node)
        wanted = {name for d in mine.upstream for name in d.nodes}
        upstream = [f.state.id for f in self.firings if f.flow == firing.flow and f.node in wanted]
        rules = [
            r.name
            for r in self.rules
            if (not r.tag or r.tag in task.definition.tags) and r.run_type in ("", firing.type.word)
        ]
        marks = Mark(firing.state.marks)
        return Node(
            firing.state.id,
            firing.instance,
            firing.node,
            mine.resource_group,
            mine.cost,
            mine.priority,
            firing.type is InstanceType.BACKFILL,
            firing.scheduled_at,
            task.definition.retries.times,
            task.definition.retries.every * 1_000_000,
            upstream,
            rules,
            len(task.nodes) > 1,
            dry=Mark.DRY_RUN in marks,
            paused=Mark.PAUSED in marks,
        )

    def inputs(self) -> list[Input]:
        draw, reference = self.draw, self.reference
        found: list[Input] = []
        for attempts in list(reference.sets):
            if draw(st.booleans()):
                outcome = draw(
                    st.sampled_from(
                        [RunOutcome.SUCCEEDED] * 4
                        + [RunOutcome.FAILED, RunOutcome.LOST, RunOutcome.TIMED_OUT, RunOutcome.STOPPED]
                    )
                )
                found.append(report(attempts, outcome, at=self.world.now))
                if draw(st.integers(0, 9)) == 0:
                    found.append(report(attempts, RunOutcome.FAILED, at=self.world.now))  # said twice
        if draw(st.integers(0, 3)) == 0:
            number = draw(st.sampled_from(sorted(reference.nodes)))
            verb = draw(
                st.sampled_from(
                    [
                        Stop,
                        Resume,
                        Hold,
                        Release,
                        SetSuccess,
                        Rerun,
                        Force,
                        "pause",
                        "priority",
                        "slots",
                        "limit",
                    ]
                )
            )
            if verb == "pause":
                # In Q the verb depends on the kind of waiting, which the reference does not tell apart.
                if reference.nodes[number].status != "Q":
                    found.append(Pause((number,)))
            elif verb == "priority":
                found.append(SetPriority((number,), draw(st.sampled_from([None, *Priority]))))
            elif verb == "slots":
                found.append(GroupSlots("p", draw(st.sampled_from(GROUPS)), draw(st.integers(1, 3))))
            elif verb == "limit":
                found += [RuleLimit(rule.name, draw(st.integers(0, 3))) for rule in self.rules[:1]]
            else:
                found.append(verb((number,)))
        return found

    def step(self) -> None:
        world, reference = self.world, self.reference
        inputs = self.inputs()
        self.last = inputs
        now = world.now + self.draw(st.sampled_from([0, 0, MINUTE, 5 * MINUTE, 31 * MINUTE]))
        world.take(*inputs, now=now)
        expected = reference.step(inputs, now)
        assert sorted(world.started()) == sorted(expected)
        assert world.started() == expected
        self.same()
        self.invariants(now)

    def same(self) -> None:
        window = self.world.fleet.window
        for row, number in enumerate(window.id.tolist()):
            mine = self.reference.nodes[number]
            assert WORDS[Status(int(window.status[row]))] == mine.status, (mine, self.last)
            assert window.run[row] == mine.run
            assert window.retries_used[row] == mine.retries_used
            assert window.losses_used[row] == mine.losses_used

    def invariants(self, now: int) -> None:
        """S2, S19 and L2 of the catalogue; S16 is checked by World."""
        fleet, reference = self.world.fleet, self.reference
        running = [n for n in reference.nodes.values() if n.status == "R"]
        assert len({n.target for n in running}) == len(running)
        assert sorted(n.attempt for n in running) == sorted(attempt for attempt, _ in fleet.running())
        used = dict.fromkeys(GROUPS, 0)
        for group, cost in reference.sets.values():
            used[group] += cost
        assert {g: fleet.queue.used[fleet.catalog.groups["p", g]] for g in GROUPS} == used
        for rule in self.rules:
            assert fleet.queue.rule_running[fleet.catalog.rules[rule.name][0]] == sum(
                rule.name in n.rules for n in running
            )
        waits = [
            n
            for n in reference.nodes.values()
            if n.status == "WT" and not (n.paused or n.held or reference.busy(n))
        ]
        if waits or running:
            assert self.world.decision.next_time is not None
            soonest = [max(n.next_at, 0 if n.forced else n.scheduled_at) for n in waits]
            assert self.world.decision.next_time <= min([*soonest, now + 48 * 3600 * 1_000_000])


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_the_fleet_agrees_with_the_reference(data: st.DataObject):
    pair = Pair(data.draw)
    for _ in range(data.draw(st.integers(1, 15))):
        pair.step()


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_fleet_built_anew_decides_the_same(data: st.DataObject):
    """Memory is a cache: what is not in the store (ageing, a fused set that failed) may differ, so nothing ages here."""
    pair = Pair(data.draw)
    pair.step()
    stored = {f.state.id: f for f in pair.firings}
    window = pair.world.fleet.window
    for state in window.states(window.id * 0 + range(len(window.id))):
        stored[state.id] = stored[state.id]._replace(state=state)
    again = World(
        [
            publication(
                *pair.tasks,
                slots=pair.reference.slots["default"],
                groups=(ResourceGroup("other", pair.reference.slots["other"]),),
                rules=tuple(pair.rules),
            )
        ],
        list(stored.values()),
        options=pair.world.fleet.options,
        now=pair.world.now,
    )
    again.take()
    assert again.started() == []
    assert sorted(again.fleet.running()) == sorted(pair.world.fleet.running())
    assert [WORDS[s] for s in again.statuses()] == [WORDS[s] for s in pair.world.statuses()]
