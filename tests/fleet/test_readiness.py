"""What holds a node instance: reasons in the order of the checks, by the same facts that decide."""

from __future__ import annotations

import pytest
from warehouse import Birth, World, need, node, publication, report, simple, table

from fieldwise.fleet.readiness import CHECKS, CheckResult, explain, root_blockers
from fieldwise.fleet.values import DAY, Answer, Facts, Force, Hold, Options, Pause
from fieldwise.model.definition import ThrottlingRule
from fieldwise.model.schedule import Window
from fieldwise.model.status import InstanceType, Mark, RunOutcome, Status


def first_blocked(world: World, number: int) -> tuple[str, list[str]] | None:
    results = explain(world.fleet, number, world.now)
    assert [r.check for r in results] == [name for name, _ in CHECKS]
    blocked = [i for i, r in enumerate(results) if r.result == "blocked"]
    assert len(blocked) <= 1
    if not blocked:
        return None
    assert all(r.result == "not_reached" for r in results[blocked[0] + 1 :])
    return results[blocked[0]].check, [reason.code for reason in results[blocked[0]].reasons]


def test_the_order_of_the_checks():
    assert [name for name, _ in CHECKS] == ["upstream", "time", "pause", "throttling", "slot"]


def test_an_upstream_that_has_not_succeeded():
    a, b = simple("a"), simple("b", need("a"))
    world = World([publication(a, b)], Birth().days([a, b], [5]))
    world.take()
    assert first_blocked(world, 2) == ("upstream", ["upstream_not_succeeded"])
    assert first_blocked(world, 1) is None


def test_not_generated_yet():
    b = simple("b", need("a", Window.PREVIOUS))
    facts = Facts(slots=lambda task, day: [((day + 1) * DAY, day * DAY)])
    world = World([publication(simple("a"), b)], Birth().days([b], [5]), facts)
    world.take()
    assert first_blocked(world, 1) == ("upstream", ["not_generated"])
    assert [r.code for r in root_blockers(world.fleet, 1, world.now)] == ["not_generated"]


def test_time():
    a = simple("a")
    world = World([publication(a)], Birth().days([a], [5]), now=5 * DAY)
    world.take()
    assert first_blocked(world, 1) == ("time", ["time_not_reached"])
    assert world.status(1) is Status.WAITING_TIME


def test_run_skips_time():
    a = simple("a")
    world = World([publication(a)], Birth().days([a], [5]), now=5 * DAY, options=Options(ignore_time=True))
    assert explain(world.fleet, 1, world.now)[1] == CheckResult(
        "time", "skipped", explain(world.fleet, 1, 0)[1].reasons
    )
    world.take()
    assert world.started() == [[1]]


def test_a_source_that_is_not_ready_is_asked_when_the_time_has_come():
    a = table("a", node("a", "n1", waits_for=("raw.x",)))
    world = World([publication(a)], Birth().days([a], [5]), now=6 * DAY - 1)
    assert world.take().questions == []
    (question,) = world.take(now=6 * DAY).questions
    assert (question.source, question.data_day) == ("raw.x", 5)
    assert first_blocked(world, 1) == ("upstream", ["source_not_ready"])
    assert world.take(Answer(question, False)).questions == [question]
    assert world.started() == []
    world.take(Answer(question, True))
    assert world.started() == [[1]]
    assert world.decision.questions == []


def test_two_sources_may_answer_one_after_the_other():
    a = table("a", node("a", "n1", waits_for=("raw.x", "raw.y")))
    world = World([publication(a)], Birth().days([a], [5]))
    x, y = world.take().questions
    assert world.take(Answer(x, True)).questions == [y]
    world.take(Answer(y, True))
    assert world.started() == [[1]]


@pytest.mark.parametrize(("command", "code"), [(Pause, "paused"), (Hold, "held")])
def test_pause(command: type, code: str):
    a, b = simple("a"), simple("b", need("a"))
    world = World([publication(a, b)], Birth().days([a, b], [5]))
    world.take(command((1,)))
    assert first_blocked(world, 1) == ("pause", [code])
    assert [r.code for r in root_blockers(world.fleet, 2, world.now)] == ["waiting_time", code]


def test_a_busy_target():
    a, birth = simple("a"), Birth()
    firings = birth.instance(a, 5) + birth.instance(a, 5, flow=1, kind=InstanceType.MANUAL)
    world = World([publication(a)], firings)
    world.take()
    assert world.started() == [[1]]
    assert first_blocked(world, 2) == ("pause", ["target_busy"])
    assert world.status(2) is Status.WAITING_TIME
    world.finish()
    assert world.started() == [[2]]


def test_a_forced_run_waits_for_a_busy_target_too():
    a, birth = simple("a"), Birth()
    firings = birth.instance(a, 5) + birth.instance(a, 5, flow=1, kind=InstanceType.MANUAL)
    world = World([publication(a)], firings)
    world.take()
    world.take(Force((2,)))
    assert world.status(2) is Status.WAITING_TIME
    assert [r.result for r in explain(world.fleet, 2, world.now)][:3] == ["skipped", "pass", "blocked"]


def test_throttling():
    a, b = simple("a"), simple("b")
    world = World([publication(a, b, rules=(ThrottlingRule("one", 1),))], Birth().days([a, b], [5]))
    world.take()
    assert world.status(2) is Status.THROTTLED
    assert first_blocked(world, 2) == ("throttling", ["throttled"])


def test_slot():
    a, b = simple("a"), simple("b")
    world = World([publication(a, b, slots=1)], Birth().days([a, b], [5]))
    world.take()
    assert world.status(2) is Status.WAITING_RESOURCES
    assert first_blocked(world, 2) == ("slot", ["no_slot"])


def test_a_dry_run_needs_no_slot():
    a = simple("a")
    world = World([publication(a, slots=0)], Birth().instance(a, 5, marks=Mark.DRY_RUN))
    assert [r.result for r in explain(world.fleet, 1, world.now)] == [
        "pass",
        "pass",
        "pass",
        "skipped",
        "skipped",
    ]
    world.take()
    assert world.status(1) is Status.SUCCEEDED


def test_root_blockers_are_the_topmost():
    a, b, c = simple("a"), simple("b", need("a")), simple("c", need("b"))
    world = World([publication(a, b, c)], Birth().days([a, b, c], [5]))
    attempts = [m.attempt for s in world.take().starts for m in s.members]
    world.take(report(attempts, RunOutcome.FAILED))
    assert [(r.code, r.node_instance) for r in root_blockers(world.fleet, 3, world.now)] == [("failed", 1)]


def test_an_unknown_node_instance_has_no_checks():
    assert explain(World([publication(simple("a"))], []).fleet, 1, 0) == []
