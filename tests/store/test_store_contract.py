"""What every store promises: generation once, commits whole, the epoch, the window, reads beside writes."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from pathlib import Path

import pytest
from stored_shop import AT, DAY, NOW, PROD, TODAY, Shop, opened, shop_of, task

from fieldwise.model.attempt import MemberResult
from fieldwise.model.errors import Deposed, NotFound
from fieldwise.model.event import CommitBatch, RunEnd
from fieldwise.model.status import Mark, RunOutcome, Status
from fieldwise.ports.store import NOT_SET, Gap
from fieldwise.store.sqlite import SqliteStore

SECOND = 1_000_000


# -- leading


def test_one_holder_leads_and_renews_under_one_epoch(shop: Shop) -> None:
    assert shop.store.lead("test", NOW, 10) == shop.epoch
    assert shop.store.lead("other", NOW, 10) is None


def test_when_the_lease_is_over_another_leads_under_a_new_epoch(shop: Shop) -> None:
    shop.store.lead("test", NOW, 10)
    assert shop.store.lead("other", NOW + timedelta(seconds=11), 10) == shop.epoch + 1


def test_who_resigns_is_followed_at_once_and_its_epoch_is_over(shop: Shop) -> None:
    shop.store.resign(shop.epoch)
    assert shop.store.lead("other", NOW, 10) == shop.epoch + 1
    with pytest.raises(Deposed):
        shop.generate()


def test_every_write_of_a_deposed_leader_changes_nothing(shop: Shop) -> None:
    firing = shop.generate()[0]
    old = shop.epoch
    shop.store.lead("other", NOW + timedelta(hours=2), 10)
    store, gap = shop.store, Gap(PROD, "shop", date(2026, 1, 1), date(2026, 1, 2))
    batch = CommitBatch(AT, nodes=[firing.state._replace(status=Status.RUNNING, attempt=1, started_at=AT)])
    writes = [
        lambda: store.commit(old, batch),
        lambda: store.begin_publication(old, shop_of(), NOW),
        lambda: store.revert_publication(old, PROD, "shop", 1),
        lambda: store.activate_publication(old, PROD, "shop", 1, NOW),
        lambda: shop.generate(TODAY + 1),
        lambda: store.record_gap(old, gap),
        lambda: store.close_gap(old, gap),
        lambda: store.raise_attempt(old, 500),
        lambda: store.set_secret_free_setting(old, "colour", "red"),
    ]
    for write in writes:
        with pytest.raises(Deposed):
            write()
    assert shop.states()[firing.state.id] == firing.state
    assert (store.next_attempt(), store.setting("colour"), store.gaps(PROD)) == (1, None, [])
    assert len(store.pending_publications()) == 0


# -- publications


def test_a_publication_comes_into_force_and_the_former_stays_readable(shop: Shop) -> None:
    changed = shop_of([task("orders", 3)])
    second = shop.store.begin_publication(shop.epoch, changed, NOW)
    assert [one.version for one in shop.store.pending_publications()] == [2]
    assert [one.version for one in shop.store.active_publications(PROD)] == [1]
    shop.store.activate_publication(shop.epoch, PROD, "shop", 2, NOW)
    assert shop.store.active_publications(PROD) == [second]
    assert shop.store.publication(PROD, "shop", 1) == shop.publication
    shop.store.activate_publication(shop.epoch, PROD, "shop", 2, NOW)  # again: harmless
    assert shop.store.active_publications(PROD) == [second]


def test_a_reverted_publication_is_neither_pending_nor_in_force(shop: Shop) -> None:
    shop.store.begin_publication(shop.epoch, shop_of(), NOW)
    shop.store.revert_publication(shop.epoch, PROD, "shop", 2)
    shop.store.activate_publication(shop.epoch, PROD, "shop", 2, NOW)
    assert shop.store.pending_publications() == []
    assert [one.version for one in shop.store.active_publications(PROD)] == [1]


def test_an_unknown_version_is_not_found(shop: Shop) -> None:
    with pytest.raises(NotFound):
        shop.store.publication(PROD, "shop", 9)


# -- generation


def test_generation_gives_ids_in_order_and_tells_what_is_new(shop: Shop) -> None:
    born = shop.generate()
    assert [firing.state.id for firing in born] == list(range(1, 7))
    assert [firing.instance for firing in born] == [1, 1, 2, 3, 3, 3]
    assert {firing.state.status for firing in born} == {Status.NOT_RUNNING}
    assert list(shop.store.window(PROD)) == born


def test_a_firing_is_born_once(shop: Shop) -> None:
    first = shop.generate(slots=2)
    assert shop.generate(slots=2) == []
    assert shop.generate(slots=1) == []
    assert list(shop.store.window(PROD)) == first


def test_generating_more_adds_only_what_is_missing(shop: Shop) -> None:
    shop.generate(slots=1)
    more = shop.generate(slots=4)
    assert {firing.ordinal for firing in more} == {1, 2, 3}
    assert len(list(shop.store.window(PROD))) == 4 * 6


def test_another_flow_is_another_firing(shop: Shop) -> None:
    assert len(shop.generate()) == len(shop.generate(flow=7)) == 6


def test_what_existed_keeps_its_nodes_when_the_task_has_changed(shop: Shop) -> None:
    shop.generate()
    shop.store.begin_publication(shop.epoch, shop_of([task("orders", 5)]), NOW)
    shop.store.activate_publication(shop.epoch, PROD, "shop", 2, NOW)
    shop.publication = shop.store.publication(PROD, "shop", 2)
    assert shop.generate() == []
    assert {firing.node for firing in shop.generate(TODAY + 1)} == {f"shop.orders/n{n}" for n in range(5)}


def test_generated_until_only_moves_forward(shop: Shop) -> None:
    shop.generate(until=NOW)
    shop.generate(until=NOW - timedelta(days=1))
    assert shop.store.generated_until(PROD) == {"shop": NOW}


def test_births_are_the_earliest_slots(shop: Shop) -> None:
    shop.generate(TODAY)
    shop.generate(TODAY - 3)
    shop.generate(TODAY + 3)
    assert shop.store.births(PROD) == dict.fromkeys(
        ("shop.orders", "shop.clicks", "shop.users"), (TODAY - 2) * DAY
    )


def test_gaps_open_and_close(shop: Shop) -> None:
    gap = Gap(PROD, "shop", date(2026, 1, 1), date(2026, 1, 5))
    shop.store.record_gap(shop.epoch, gap)
    shop.store.record_gap(shop.epoch, gap)
    assert shop.store.gaps(PROD) == [gap]
    shop.store.close_gap(shop.epoch, gap)
    assert shop.store.gaps(PROD) == []


# -- commits


def test_the_attempt_counter_is_raised_and_never_lowered(shop: Shop) -> None:
    shop.store.raise_attempt(shop.epoch, 41)
    shop.store.raise_attempt(shop.epoch, 7)
    assert shop.store.next_attempt() == 42


def test_a_commit_is_seen_by_window_list_runs_and_log(shop: Shop) -> None:
    first, second, *_ = [firing.state.id for firing in shop.generate()]
    shop.start(first, second)
    shop.end(first)
    shop.end(second, at=AT + 2 * SECOND, outcome=RunOutcome.FAILED)
    states = shop.states()
    assert (states[first].status, states[second].status) == (Status.SUCCEEDED, Status.FAILED)
    item = shop.store.instance(1)
    assert item is not None
    assert item["status"] == {"nodes": {"succeeded": 1, "failed": 1}, "fields": {"succeeded": 2, "failed": 1}}
    assert (item["run_seconds"], item["runs"]) == (2.0, 2)
    runs = shop.store.runs(1)
    assert {run["outcome"] for run in runs} == {"succeeded", "failed"}
    assert shop.store.run(runs[0]["id"]) == runs[0]
    assert [event.after for event in shop.store.events(1) if event.node_instance == first] == [0, 4, 5]


def test_a_run_that_ended_stays_as_it_is(shop: Shop) -> None:
    number = shop.generate()[0].state.id
    shop.start(number)
    shop.end(number)
    for attempt in (1, 2):
        late = RunEnd(number, 1, attempt, AT + 9 * SECOND, RunOutcome.LOST, "late")
        shop.store.commit(shop.epoch, CommitBatch(AT, run_ends=[late]))
    assert [run["outcome"] for run in shop.store.runs(1)] == ["succeeded"]


@pytest.mark.parametrize(
    "change",
    [
        {"status": 7},
        {"status": Status.RUNNING},
        {"status": Status.RUNNING, "attempt": 1, "started_at": AT, "ended_at": AT},
        {"status": Status.SUCCEEDED},
        {"status": Status.FAILED},
    ],
)
def test_a_state_that_cannot_be_is_refused_with_its_whole_batch(shop: Shop, change: dict[str, int]) -> None:
    good, bad = (firing.state for firing in shop.generate()[:2])
    batch = CommitBatch(AT, nodes=[good._replace(retries_used=3), bad._replace(**change)])
    with pytest.raises(Exception, match="CHECK constraint"):
        shop.store.commit(shop.epoch, batch)
    assert shop.states()[good.id] == good


def test_recent_rows_are_those_of_the_newest_slots(shop: Shop) -> None:
    for day in range(3):
        number = next(f.state.id for f in shop.generate(TODAY + day) if f.node == "shop.clicks/n0")
        shop.start(number)
        end = RunEnd(
            number, 1, shop.attempts, AT, RunOutcome.SUCCEEDED, rows=10 + day, result=MemberResult(number, 1)
        )
        shop.store.commit(shop.epoch, CommitBatch(AT, run_ends=[end]))
    assert shop.store.recent_rows("shop.clicks/n0", PROD, 2) == [12, 11]


# -- the window


def test_columns_say_what_the_firings_say(shop: Shop) -> None:
    ids = [firing.state.id for day in range(3) for firing in shop.generate(TODAY - day, slots=2)]
    shop.start(*ids[::2])
    shop.end(*ids[::4], outcome=RunOutcome.FAILED)
    found = shop.store.window_columns(PROD)
    firings = list(shop.store.window(PROD))
    assert len(found.id) == len(firings) == len(ids)
    for place, firing in enumerate(firings):
        for name, value in firing.state._asdict().items():
            empty = NOT_SET if value is None else value
            assert getattr(found, name)[place] == empty, name
        for name in (
            "instance",
            "type",
            "flow",
            "scheduled_at",
            "slot_start",
            "data_day",
            "ordinal",
            "version",
        ):
            assert getattr(found, name)[place] == getattr(firing, name), name
        assert found.node_names[int(found.node[place])] == firing.node
        assert found.task_names[int(found.task[place])] == firing.task
    assert set(found.priority) == {-1}


def test_the_window_leaves_out_what_ended_long_ago(shop: Shop) -> None:
    old, new, opened_one, *_ = [firing.state.id for firing in shop.generate()]
    shop.start(old, new)
    shop.end(old, at=AT - DAY)
    shop.end(new, at=AT)
    after = NOW - timedelta(hours=1)
    shown = {firing.state.id for firing in shop.store.window(PROD, after)}
    assert old not in shown
    assert {new, opened_one} <= shown
    assert set(shop.store.window_columns(PROD, after).id) == shown


# -- reading


def test_counts_by_day_and_what_stands_in_a_status(shop: Shop) -> None:
    first, *_ = [firing.state.id for firing in shop.generate(TODAY - 1)]
    shop.generate(TODAY)
    shop.start(first)
    assert shop.store.newest_day(PROD, TODAY + 5) == TODAY
    assert shop.store.newest_day(PROD, TODAY - 1) == TODAY - 1
    assert shop.store.newest_day(PROD, TODAY - 2) is None
    days = shop.store.day_counts(PROD, TODAY, 7)
    assert [day["instances"] for day in days] == [3, 3]
    assert days[1]["nodes"] == {"not_running": 5, "running": 1}
    shop.end(first)
    assert shop.store.day_counts(PROD, TODAY, 7)[1]["nodes"] == {"not_running": 5, "succeeded": 1}
    running = shop.store.in_status(PROD, TODAY - 7, TODAY, (Status.SUCCEEDED, Status.SUCCEEDED), 5)
    assert [(one["object"], one["node"]) for one in running] == [("shop.orders", "shop.orders/n0")]
    waiting = shop.store.in_status(PROD, TODAY - 7, TODAY, (Status.NOT_RUNNING, Status.WAITING_RESOURCES), 3)
    assert [one["data_day"] for one in waiting] == [TODAY - 1] * 3


def test_changes_are_told_from_any_place_on(shop: Shop) -> None:
    assert shop.store.changed_instances((0, 0)).instances == []
    ids = [firing.state.id for firing in shop.generate()]
    here = shop.store.newest_event()
    assert sorted(shop.store.changed_instances((0, 0)).instances) == [1, 2, 3]
    assert shop.store.changed_instances(here).instances == []
    shop.start(ids[0])
    shop.start(ids[2], at=AT + 2 * DAY)  # after midnights: another day's table
    changed = shop.store.changed_instances(here)
    assert (changed.instances, changed.more) == ([1, 2], False)
    assert shop.store.changed_instances(changed.place).instances == []
    assert shop.store.changed_instances(here, limit=1).more


def test_a_clock_that_goes_back_over_midnight_keeps_the_log_in_order(shop: Shop) -> None:
    number = shop.generate()[0].state.id
    shop.start(number, at=AT + DAY)
    shop.end(number, at=AT - DAY)
    assert [event.after for event in shop.store.events(1) if event.node_instance == number] == [0, 4, 5]


def test_readers_see_whole_commits_while_one_writes(tmp_path: Path) -> None:
    shop = opened(SqliteStore(tmp_path / "state.db"))
    ids = [firing.state.id for firing in shop.generate(slots=20)]
    done, seen = threading.Event(), []

    def read() -> None:
        while not done.is_set():
            rows = shop.store.instances({}, limit=500).items
            seen.append(
                {
                    item["status"]["nodes"].get("not_running", 0)
                    for item in rows
                    if item["object"] == "shop.orders"
                }
            )

    reader = threading.Thread(target=read)
    reader.start()
    for first in range(0, len(ids), 20):
        shop.start(*ids[first : first + 20])
    shop.end(*ids)
    done.set()
    reader.join()
    shop.store.close()
    assert seen
    assert set().union(*seen) <= {0, 1, 2}


# -- tidying


def test_what_was_created_before_the_retention_goes_and_what_is_open_stays(shop: Shop) -> None:
    old = [firing.state.id for firing in shop.generate(TODAY - 40)]
    shop.start(*old[:3])
    shop.end(*old[:2], at=AT)
    shop.end(old[2], at=AT, outcome=RunOutcome.FAILED)
    later = NOW + timedelta(days=31)
    shop.store.set_secret_free_setting(shop.epoch, "x", "y")
    batch = CommitBatch(AT + 31 * DAY)
    shop.store.commit(shop.epoch, batch)
    shop.generate(TODAY)
    assert shop.store.tidy(shop.epoch, later, 30) == 1
    left = {firing.state.id for firing in shop.store.window(PROD)}
    assert left.isdisjoint(old[:3])
    assert set(old[3:]) < left
    assert (shop.store.instance(1), shop.store.runs(1), shop.store.instance(2)) == (None, [], None)
    purged = shop.store.purged(PROD)
    assert purged("shop.orders", (TODAY - 39) * DAY)
    assert not purged("shop.clicks", (TODAY - 39) * DAY)  # it had failed
    assert not purged("shop.orders", TODAY * DAY)
    assert not purged("shop.users", (TODAY - 39) * DAY)


def test_ids_never_return(shop: Shop) -> None:
    ids = [firing.state.id for firing in shop.generate()]
    shop.start(*ids)
    shop.end(*ids)
    shop.store.tidy(shop.epoch, NOW + timedelta(days=100), 30)
    assert min(firing.state.id for firing in shop.generate(TODAY + 1)) > max(ids)


def test_a_paused_mark_is_kept_and_filtered(shop: Shop) -> None:
    firing = shop.generate()[0]
    state = firing.state._replace(marks=int(Mark.PAUSED))
    shop._commit(CommitBatch(AT, nodes=[state]), shop.states())
    assert [item["id"] for item in shop.store.instances({"paused": ["true"]}).items] == [1]
    assert len(shop.store.instances({"paused": ["false"]}).items) == 2
