"""Operations being applied: held until the last row, chunk by chunk, running rows first stopped, resumed after a crash."""

from __future__ import annotations

from warehouse import Birth, World, need, publication, report, simple

from fieldwise.fleet.decide import Fleet
from fieldwise.fleet.values import Cancel, Exceptions, Operate, Options, Order
from fieldwise.model.event import Firing, NodeState, OperationRecord
from fieldwise.model.status import Mark, RunOutcome, Status

CHAIN = [simple("a"), simple("b", need("a")), simple("c", need("b")), simple("d", need("c"))]
S, F, N, R = Status.SUCCEEDED, Status.FAILED, Status.NOT_RUNNING, Status.RUNNING


def world(*statuses: Status, chunk: int = 100) -> World:
    birth = Birth()
    firings = [
        birth.instance(task, 1, status=status)[0] for task, status in zip(CHAIN, statuses, strict=True)
    ]
    return World([publication(*CHAIN)], firings, options=Options(chunk=chunk))


def operate(number: int, *phases: tuple[str, tuple[int, ...]], applied: int = 0) -> Operate:
    order = Order(number, "force_rerun_downstream", tuple((kind, ids, None) for kind, ids in phases), applied)
    total = sum(len(ids) for _, ids in phases)
    record = OperationRecord(
        number, 0, "ana", "cli", order.verb, "", "applying", total, "prod", "{}", "[]", (1,)
    )
    return Operate(order, record)


def statuses(world: World) -> list[Status]:
    return [Status(int(status)) for status in world.fleet.window.status]


def progress(world: World) -> list[tuple[int, str]]:
    return [(one.applied, one.status) for one in world.decision.batch.progress]


DOWNSTREAM = (("rerun", (4, 3, 2)), ("force", (1,)))


def test_everything_below_is_not_running_before_the_start_runs() -> None:
    w = world(S, S, S, S)
    w.take(operate(7, *DOWNSTREAM))
    assert statuses(w) == [R, N, N, N]
    assert progress(w) == [(4, "applied")]
    assert [record.id for record in w.decision.batch.operations] == [7]
    assert {move.operation for move in w.decision.batch.transitions if move.after == N} == {7}


def test_chunks_hold_every_row_until_the_last_one_is_applied() -> None:
    w = world(S, S, S, S, chunk=1)
    w.take(operate(7, *DOWNSTREAM))
    assert statuses(w) == [S, S, S, Status.WAITING_TIME], (
        "the deepest comes first, and is held though its upstream is done"
    )
    assert progress(w) == [(1, "applying")]
    assert w.fleet.operated(0) == 7
    assert w.decision.next_time == w.now, "the next chunk is due at once"
    for _ in range(2):
        w.take()
    assert statuses(w)[0] is S
    assert R not in statuses(w), "nothing runs while the order is held"
    w.take()
    assert progress(w) == [(4, "applied")]
    assert statuses(w) == [R, N, N, N]
    assert w.fleet.operated(0) == 0


def test_a_running_row_is_stopped_first_and_its_late_result_changes_nothing() -> None:
    w = world(N, N, N, N)
    w.take()
    (start,) = w.decision.starts
    attempt = start.members[0].attempt
    w.take(operate(7, *DOWNSTREAM))
    assert [interrupt.attempt for interrupt in w.decision.interrupts] == [attempt]
    assert statuses(w)[0] is R
    assert progress(w) == [(3, "applying")]
    w.take(report([attempt], RunOutcome.STOPPED))
    assert progress(w) == [(4, "applied")]
    assert statuses(w)[0] is R, "it runs again, with a new attempt"
    (again,) = w.decision.starts
    assert again.members[0].attempt > attempt
    w.take(report([attempt]))
    assert statuses(w)[0] is R, "the late result of the stopped run is not believed"


def test_a_row_that_ends_by_itself_before_it_is_stopped_runs_again_as_planned() -> None:
    w = world(N, N, N, N)
    w.take()
    (start,) = w.decision.starts
    w.take(operate(7, ("force", (1,))))
    w.take(report([start.members[0].attempt]))
    assert statuses(w)[0] is R
    assert progress(w) == [(1, "applied")]


def test_a_crash_goes_on_from_the_row_of_the_operation() -> None:
    w = world(S, S, S, S, chunk=1)
    item = operate(7, *DOWNSTREAM)
    w.take(item)
    w.take()
    stored = [
        Firing(
            NodeState(*state),
            number,
            f"p.{name}/n1",
            f"p.{name}",
            0,
            0,
            172_800_000_000,
            86_400_000_000,
            1,
            0,
            1,
            None,
        )
        for number, (name, state) in enumerate(
            zip("abcd", w.fleet.window.states(list(range(4))), strict=True),  # type: ignore[arg-type]
            start=1,
        )
    ]
    exceptions = Exceptions(orders=[item.order._replace(applied=2)])
    again = Fleet([publication(*CHAIN)], stored, None, 100, Options(chunk=10), exceptions)
    decision = again.take([], w.now)
    assert [Status(int(status)) for status in again.window.status] == [R, N, N, N]
    assert [(one.applied, one.status) for one in decision.batch.progress] == [(4, "applied")]
    assert not decision.batch.operations, "its row is there already"


def test_a_cancelled_operation_applies_nothing_more_and_lets_go() -> None:
    w = world(S, S, S, S, chunk=1)
    w.take(operate(7, *DOWNSTREAM))
    w.take(Cancel(7))
    assert progress(w) == [(1, "cancelled")]
    assert w.fleet.operated(0) == 0
    assert statuses(w)[:3] == [S, S, S]


def test_what_no_longer_applies_is_counted_as_refused() -> None:
    w = world(S, F, N, N)
    w.take(operate(7, ("set_success", (1, 2))))
    assert statuses(w)[1] is S
    assert w.decision.batch.progress[0].refused == (1,)


def test_a_dry_run_start_succeeds_at_once_and_a_later_rerun_really_runs() -> None:
    w = world(S, S, S, S)
    w.take(operate(7, ("rerun", (2,)), ("dry_run", (1,))))
    assert statuses(w)[:2] == [S, R]
    assert not [start for start in w.decision.starts if start.task == "p.a"]
    w.take(operate(8, ("rerun", (1,))))
    assert statuses(w)[0] is R
    assert not int(w.fleet.window.marks[0]) & int(Mark.DRY_RUN)


def test_a_row_passed_by_waits_for_its_upstream_and_then_succeeds_without_a_run() -> None:
    w = world(S, S, S, S)
    w.take(operate(7, ("pass_through", (2,)), ("rerun", (3,)), ("force", (1,))))
    assert statuses(w)[:3] == [R, N, N]
    (start,) = w.decision.starts
    w.take(report([start.members[0].attempt]))
    assert statuses(w)[:3] == [S, S, R]


# -- what operations leave on single node instances


def valued(number: int, kind: str, ids: tuple[int, ...], value: object) -> Operate:
    item = operate(number, (kind, ids))
    return item._replace(order=item.order._replace(phases=((kind, ids, value),)))


def test_a_pause_with_an_end_ends_by_itself() -> None:
    w = world(N, N, N, N)
    until = w.now + 60_000_000
    w.take(valued(7, "pause", (1,), until))
    assert [(one.node_instance, one.until) for one in w.decision.batch.pauses] == [(1, until)]
    assert statuses(w)[0] is Status.WAITING_TIME
    assert w.decision.next_time == until
    w.take(now=until)
    assert statuses(w)[0] is R
    assert [(one.node_instance, one.until) for one in w.decision.batch.pauses] == [(1, None)]


def test_a_pause_with_an_end_ends_after_a_restart_too() -> None:
    birth = Birth()
    firings = birth.instance(CHAIN[0], 1, marks=Mark.PAUSED)
    until = 10_000 * 86_400_000_000
    fleet = Fleet([publication(CHAIN[0])], firings, exceptions=Exceptions(pauses={1: until}))
    assert fleet.take([], until - 1).starts == []
    assert len(fleet.take([], until).starts) == 1


def test_a_removed_dependency_no_longer_blocks_and_blocks_again_when_it_is_restored() -> None:
    w = world(F, N, N, N)
    w.take()
    assert statuses(w)[1] is N
    w.take(valued(7, "remove_upstream", (2,), (1,)))
    assert statuses(w)[1] is R, "readiness is looked at again at once"
    assert [(one.node_instance, one.upstream, one.removed) for one in w.decision.batch.edges] == [
        (2, 1, True)
    ]
    birth = Birth()
    firings = [birth.instance(task, 1, status=s)[0] for task, s in zip(CHAIN, (F, N, N, N), strict=True)]
    again = Fleet([publication(*CHAIN)], firings, exceptions=Exceptions(removed=[(2, 1)]))
    again.take([valued(8, "restore_upstream", (2,), (1,))], w.now)
    assert Status(int(again.window.status[1])) is N
    assert int(again.window.blocking[1]) == 1


def test_another_resource_group_takes_effect_on_the_next_dispatch() -> None:
    from fieldwise.model.definition import ResourceGroup

    tasks = [simple("x"), simple("y")]
    birth = Birth()
    firings = [birth.instance(task, 1)[0] for task in tasks]
    groups = (ResourceGroup("other", 5),)
    w = World([publication(*tasks, slots=1, groups=groups)], firings)
    w.take()
    assert sorted(status.word for status in statuses(w)) == ["running", "waiting_resources"]
    waiting = statuses(w).index(Status.WAITING_RESOURCES) + 1
    w.take(valued(7, "group", (waiting,), "other"))
    assert statuses(w) == [R, R]
    assert w.decision.batch.groups == [(waiting, "other")]
