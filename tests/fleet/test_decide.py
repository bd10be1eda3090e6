"""What a decision does, case by case."""

from __future__ import annotations

import numpy as np
import pytest
from warehouse import Birth, World, need, node, publication, report, simple, table

from fieldwise.fleet.changes import Changes
from fieldwise.fleet.values import DAY, MINUTE, Added, Interrupt, Options, Pause, Published, Rerun, Stop
from fieldwise.model.attempt import MemberResult
from fieldwise.model.event import Event
from fieldwise.model.schedule import Rerun as RerunProperty
from fieldwise.model.schedule import Retries, Window
from fieldwise.model.status import InstanceType, Mark, RunOutcome, Status

HOURS = 3_600_000_000


def attempts(world: World) -> list[int]:
    return [m.attempt for start in world.decision.starts for m in start.members]


def events(world: World) -> list[Event]:
    return [Event(move.event) for move in world.decision.batch.transitions]


def one(**options: object) -> World:
    a = simple("a", **options)
    world = World([publication(a)], Birth().days([a], [5]))
    world.take()
    return world


def test_a_chain_runs_one_after_the_other():
    a, b = simple("a"), simple("b", need("a"))
    world = World([publication(a, b)], Birth().days([a, b], [5]))
    world.take()
    assert world.started() == [[1]]
    world.finish()
    assert world.started() == [[2]]
    world.finish()
    assert world.started() == []
    assert world.statuses() == [Status.SUCCEEDED, Status.SUCCEEDED]


def test_a_start_says_everything_a_request_needs():
    world = one()
    (start,) = world.decision.starts
    assert start[1:10] == (1, "p.a", 1, InstanceType.RECURRING, 0, 6 * DAY, 5 * DAY, 5, 0)
    (member,) = start.members
    assert member == (1, 1, 1, "p.a/n1")
    (run,) = world.decision.batch.run_starts
    assert (run.node_instance, run.number, run.attempt, run.kind, run.fused_with) == (1, 1, 1, "automatic", 1)
    assert run.log == start.log == "logs/1997-05-19/1.log"
    assert world.decision.batch.next_attempt == 2


def test_a_status_that_does_not_last_is_not_written():
    assert events(one()) == [Event.STARTED]


def test_a_burst_that_starts_soon_is_never_shown_as_waiting():
    a, b = simple("a"), simple("b")
    firings = Birth().days([a, b], [5])
    world = World([publication(a, b, slots=1)], firings, options=Options(shown_after=200))
    world.take()
    assert world.status(2) is Status.NOT_RUNNING
    assert world.decision.next_time == world.now + 200
    world.take(now=world.now + 200)
    assert world.status(2) is Status.WAITING_RESOURCES


def test_nodes_of_a_table_are_fused():
    a = table("a", node("a", "n1"), node("a", "n2", cost=3))
    world = World([publication(a, slots=3)], Birth().days([a], [5]))
    world.take()
    assert world.started() == [[1, 2]]
    assert {run.fused_with for run in world.decision.batch.run_starts} == {1}
    assert len({run.log for run in world.decision.batch.run_starts}) == 1
    assert world.fleet.queue.used[0] == 3
    world.finish()
    assert world.fleet.queue.used[0] == 0


def test_a_fused_failure_runs_its_nodes_one_by_one_without_a_retry():
    a = table("a", node("a", "n1"), node("a", "n2"))
    world = World([publication(a)], Birth().days([a], [5]))
    world.take()
    world.finish(RunOutcome.FAILED)
    assert world.started() == [[1], [2]]
    assert world.fleet.window.retries_used.tolist() == [0, 0]
    world.take(report([3], RunOutcome.FAILED), report([4]))
    assert world.statuses() == [Status.FAILED, Status.SUCCEEDED]


def test_stopping_a_member_sends_the_others_back_to_be_fused_again():
    a = table("a", node("a", "n1"), node("a", "n2"), node("a", "n3"))
    world = World([publication(a)], Birth().days([a], [5]))
    world.take()
    world.take(Stop((1,), operation=7))
    assert world.decision.interrupts == [Interrupt(1, "stopped")]
    world.take(report([1, 2, 3], RunOutcome.STOPPED))
    assert world.started() == [[2, 3]]
    assert world.status(1) is Status.FAILED
    assert Mark(int(world.fleet.window.marks[0])) == Mark.STOPPED
    assert world.fleet.window.retries_used.tolist() == [0, 0, 0]


def test_a_stop_that_comes_too_late_leaves_the_success():
    world = one()
    world.take(Stop((1,)))
    world.take(report([1]))
    assert world.status(1) is Status.SUCCEEDED
    assert not world.fleet.window.marks[0]


def test_a_stop_nobody_answers_is_asked_again():
    world = one()
    world.take(Stop((1,)))
    assert world.decision.next_time == world.now + 30_000_000
    world.take(now=world.now + 30_000_000)
    assert world.decision.interrupts == [Interrupt(1, "stopped")]


def test_a_stop_is_never_retried():
    world = one(retries=Retries(3, 60))
    world.take(Stop((1,)))
    world.take(report([1], RunOutcome.FAILED))
    assert world.status(1) is Status.FAILED


def test_a_retry_comes_after_its_pause():
    world = one(retries=Retries(1, 300))
    world.finish(RunOutcome.FAILED)
    assert world.status(1) is Status.WAITING_TIME
    assert world.decision.next_time == world.now + 5 * MINUTE
    world.take(now=world.now + 5 * MINUTE)
    assert world.decision.batch.run_starts[0].kind == "retry"
    world.finish(RunOutcome.FAILED)
    assert world.status(1) is Status.FAILED
    assert [e.outcome for e in world.decision.batch.run_ends] == [RunOutcome.FAILED]


def test_losses_have_a_budget_and_pauses_of_their_own():
    world = one()
    pauses = []
    for _ in range(3):
        world.finish(RunOutcome.LOST)
        pauses.append(world.decision.next_time - world.now)
        world.take(now=world.decision.next_time)
    assert pauses == [10_000_000, 20_000_000, 40_000_000]
    world.finish(RunOutcome.LOST)
    assert world.status(1) is Status.FAILED
    assert world.fleet.window.retries_used[0] == 0


def test_what_must_never_rerun_is_not_retried():
    for outcome in (RunOutcome.FAILED, RunOutcome.LOST):
        world = one(retries=Retries(3, 60), rerun=RerunProperty.NEVER)
        world.finish(outcome)
        assert world.status(1) is Status.FAILED


@pytest.mark.parametrize(("on_timeout", "after"), [(False, Status.FAILED), (True, Status.WAITING_TIME)])
@pytest.mark.parametrize("outcome", [RunOutcome.TIMED_OUT, RunOutcome.STOPPED, RunOutcome.FAILED])
def test_a_timeout_interrupts(on_timeout: bool, after: Status, outcome: RunOutcome):
    world = one(retries=Retries(1, 60, on_timeout), timeout=3600.0)
    assert world.decision.next_time == world.now + HOURS
    world.take(now=world.now + HOURS)
    assert world.decision.interrupts == [Interrupt(1, "timeout")]
    assert world.decision.next_time == world.now + 30_000_000
    world.take(report([1], outcome))
    assert world.status(1) is after


def test_a_repeated_or_late_report_changes_nothing():
    world = one()
    world.take(report([1]), report([1], RunOutcome.FAILED))
    assert world.status(1) is Status.SUCCEEDED
    assert len(world.decision.batch.run_ends) == 1
    world.take(report([1], RunOutcome.FAILED), report([99]))
    assert world.decision.batch.empty


def test_a_rerun_sends_waiting_dependants_back():
    a, b = simple("a"), simple("b", need("a"))
    world = World([publication(a, b)], Birth().days([a, b], [5]))
    world.take(Pause((2,)))
    world.finish()
    assert world.status(2) is Status.WAITING_TIME
    world.take(Rerun((1,)))
    assert world.statuses() == [Status.RUNNING, Status.NOT_RUNNING]
    assert Event.UPSTREAM_UNDONE in events(world)


def test_a_running_dependant_stays():
    a, b = simple("a"), simple("b", need("a"))
    world = World([publication(a, b)], Birth().days([a, b], [5]))
    world.take()
    world.finish()
    world.take(Rerun((1,)))
    assert world.status(2) is Status.RUNNING


def test_an_unknown_or_impossible_command_is_refused():
    world = one()
    world.take(Pause((1, 99)), Rerun((1,)))
    assert [(r.node_instance, r.command, r.status) for r in world.decision.refused] == [
        (99, "Pause", None),
        (1, "Pause", Status.RUNNING),
        (1, "Rerun", Status.RUNNING),
    ]


def differ(world: World, labels: tuple[str, ...]) -> None:
    """The last start ends well and says that the other nodes' rows no longer match."""
    (start,) = world.decision.starts
    results = tuple(
        MemberResult(m.node_instance, m.attempt, rows_differ=tuple(f"p.a/{n}" for n in labels))
        for m in start.members
    )
    world.take(report([m.attempt for m in start.members], members=results))


@pytest.mark.parametrize("policy", ["rerun", "mark"])
def test_rows_that_differ_run_again_once(policy: str):
    a = table("a", node("a", "n1"), node("a", "n2"), on_rows_differ=policy)
    world = World([publication(a)], Birth().days([a], [5]))
    world.take()
    world.finish()
    world.take(Rerun((1,)))
    differ(world, ("n2",))
    assert Mark(int(world.fleet.window.marks[1])) == Mark.ROWS_DIFFER
    if policy == "mark":
        assert world.started() == []
        return
    assert world.started() == [[2]]
    assert world.decision.batch.run_starts[0].kind == "system"
    differ(world, ("n1",))  # a second difference only marks
    assert world.started() == []
    assert [Mark(int(m)) for m in world.fleet.window.marks] == [Mark.ROWS_DIFFER, Mark.NONE]


def test_a_dry_run_succeeds_at_its_turn_and_wakes_what_follows():
    a, b = simple("a"), simple("b", need("a"))
    birth = Birth()
    firings = birth.instance(a, 5, marks=Mark.DRY_RUN) + birth.instance(b, 5)
    world = World([publication(a, b)], firings, now=6 * DAY - 1)
    world.take()
    assert world.status(1) is Status.WAITING_TIME
    world.take(now=6 * DAY)
    assert world.status(1) is Status.SUCCEEDED
    assert world.started() == [[2]]


def test_deep_chains_of_dry_runs_need_no_recursion():
    tasks = [simple("t0"), *(simple(f"t{i}", need(f"t{i - 1}")) for i in range(1, 2000))]
    birth = Birth()
    firings = [f for task in tasks for f in birth.instance(task, 5, marks=Mark.DRY_RUN)]
    world = World([publication(*tasks)], firings)
    world.take()
    assert set(world.statuses()) == {Status.SUCCEEDED}


def test_a_new_version_and_its_instances_join_in():
    a, b = simple("a"), simple("b", need("a", Window.PREVIOUS))
    birth = Birth()
    world = World([publication(a)], birth.days([a], [5]))
    world.take()
    later = birth.instance(a, 6, version=2) + birth.instance(b, 6, version=2)
    world.take(Published(publication(a, b, version=2)), Added(later))
    assert world.started() == [[2]]
    assert world.status(3) is Status.NOT_RUNNING
    world.take(report([1]))
    assert world.started() == [[3]]
    assert world.decision.starts[0].version == 2


def test_what_ran_when_the_leader_went_keeps_its_slot():
    a, b = simple("a"), simple("b")
    firings = Birth().days([a, b], [5])
    firings[0] = firings[0]._replace(
        state=firings[0].state._replace(status=Status.RUNNING, run=1, attempt=9, started_at=6 * DAY)
    )
    world = World([publication(a, b, slots=1)], firings)
    world.fleet.next_attempt = 10
    world.take(now=6 * DAY + 1)
    assert world.started() == []
    assert world.fleet.running() == [(9, 1)]
    assert world.decision.next_time == 8 * DAY
    world.take(report([9]))
    assert world.started() == [[2]]


def test_a_cost_above_the_group_takes_the_whole_group():
    a = table("a", node("a", "n1", cost=9))
    world = World([publication(a, slots=2)], Birth().days([a], [5]))
    world.take()
    assert world.started() == [[1]]


def test_an_event_that_the_table_does_not_know_is_a_bug():
    world = one()
    with pytest.raises(AssertionError, match="DRY_RUN_DONE cannot happen in running"):
        Changes(world.fleet.window, 0).move(Event.DRY_RUN_DONE, np.array([0]))
