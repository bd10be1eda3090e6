"""One publish after the other: what is inserted, updated, kept and refused (spec 2, "Rows differ"; spec 7, "Publish")."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rig import ALL_NODES, DAY, NODES, SHAPE, TABLE, Bench, node, request, rows_sql

from fieldwise.engines.base import KEPT, beside, kept_name
from fieldwise.engines.system_tables import KEY_SET
from fieldwise.model.attempt import AttemptRequest, OutputField, Report, Target
from fieldwise.model.status import RunOutcome
from fieldwise.ports.engine import ShapeChange, TableShape
from fieldwise.workers import publish as publishing

EVERY = tuple(NODES)
TWO_ROWS = {
    1: {"amount": 10, "region": "north", "tags": [1], "note": "a"},
    2: {"amount": 20, "region": "south"},
}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.warehouse.close()


def version(bench: Bench, partition: str = DAY) -> dict[str, int]:
    """As stored, not as remembered."""
    return dict(bench.warehouse.ledger.stored(bench.warehouse.cursor(), TABLE, partition).version)


def kept(fields: list[str]) -> str:
    return beside(KEPT, kept_name(TABLE, fields))


def test_the_first_node_inserts_the_others_update_by_key(bench: Bench) -> None:
    first = bench.run(request(["n1"], rows_sql(["n1"], TWO_ROWS)))
    second = bench.run(request(["n2"], rows_sql(["n2"], TWO_ROWS)))
    assert (first.outcome, second.outcome) == (RunOutcome.SUCCEEDED, RunOutcome.SUCCEEDED)
    assert (first.rows, first.members[0].rows_added) == (2, 2)
    assert second.members[0].rows_changed == 2
    assert second.members[0].rows_differ == ()
    assert bench.rows(f"SELECT id, amount, region, tags, note FROM {TABLE} ORDER BY id") == [
        (1, 10, "north", [1], None),
        (2, 20, "south", None, None),
    ]


def test_a_fused_set_inserts_once_and_reports_each_member(bench: Bench) -> None:
    made = request(EVERY, rows_sql(EVERY, TWO_ROWS))
    report = bench.run(made)
    assert dict(report.timings).keys() == {"inputs", "check", "compute and publish"}
    assert [result.changed_fields for result in report.members] == list(NODES.values())
    assert version(bench) == {
        **{name: member.attempt for member in made.members for name in member.fields},
        KEY_SET: made.members[-1].attempt,
    }


def test_a_run_that_changes_nothing_keeps_the_versions(bench: Bench) -> None:
    bench.run(request(EVERY, rows_sql(EVERY, TWO_ROWS)))
    before = version(bench)
    report = bench.run(request(["n2"], rows_sql(["n2"], TWO_ROWS)))
    assert report.outcome is RunOutcome.SUCCEEDED
    assert report.members[0].changed_fields == ()
    assert version(bench) == before


def test_only_the_column_that_changed_gets_a_version_and_only_its_rows_are_kept(bench: Bench) -> None:
    bench.run(request(EVERY, rows_sql(EVERY, TWO_ROWS)))
    before = version(bench)
    changed = {1: {"region": "west", "tags": [1]}, 2: {"region": "south"}}
    made = request(["n2"], rows_sql(["n2"], changed))
    report = bench.run(made)
    attempt = made.members[0].attempt
    assert report.members[0].changed_fields == ("region",)
    assert version(bench) == before | {"region": attempt}
    assert bench.rows(f"FROM {kept(['region'])}") == [(attempt, "changed", date(2026, 11, 18), 1, "north")]
    replaced = bench.rows("SELECT attempt, field, version FROM fieldwise.replaced_version")
    assert replaced == [(attempt, "region", before["region"])]


def test_rows_that_differ_are_inserted_and_removed_and_the_other_nodes_named(bench: Bench) -> None:
    bench.run(request(EVERY, rows_sql(EVERY, TWO_ROWS)))
    made = request(["n1"], rows_sql(["n1"], {2: {"amount": 20}, 3: {"amount": 30}}))
    (result,) = bench.run(made).members
    assert (result.rows_added, result.rows_removed, result.rows_changed) == (1, 1, 0)
    assert result.rows_differ == (node("n2"), node("n3"))
    assert bench.rows(f"SELECT id, amount, region FROM {TABLE} ORDER BY id") == [
        (2, 20, "south"),
        (3, 30, None),
    ]
    assert version(bench)[KEY_SET] == made.members[0].attempt
    assert bench.rows(f'SELECT "@change", id, amount, region FROM {beside(KEPT, TABLE)}') == [
        ("removed", 1, 10, "north")
    ]
    assert bench.rows(f'SELECT "@change", id FROM {kept([])}') == [("added", 3)]


def test_other_partitions_are_not_touched(bench: Bench) -> None:
    bench.run(request(EVERY, rows_sql(EVERY, TWO_ROWS), "2026-11-17"))
    bench.run(request(EVERY, rows_sql(EVERY, TWO_ROWS)))
    bench.run(request(["n1"], rows_sql(["n1"], {})))
    assert bench.rows(f"SELECT ds::VARCHAR, count(*) FROM {TABLE} GROUP BY ds") == [("2026-11-17", 2)]


def test_an_older_attempt_is_refused_by_ledger_and_fence(bench: Bench) -> None:
    bench.run(request(["n1"], rows_sql(["n1"], TWO_ROWS), attempts=[1000]))
    older = bench.run(request(["n1"], rows_sql(["n1"], {}), attempts=[999]))
    again = bench.run(request(["n1"], rows_sql(["n1"], {}), attempts=[1000]))
    target = Target("prod", TABLE, node("n1"), DAY)
    assert bench.warehouse.raise_fence([(target, 1001)]) == {}
    fenced = bench.run(request(["n1"], rows_sql(["n1"], {}), attempts=[1001]))
    for report in (older, again, fenced):
        assert (report.outcome, report.code) == (RunOutcome.STOPPED, "fenced")
    assert bench.rows(f"SELECT count(*) FROM {TABLE}") == [(2,)]
    assert bench.run(request(["n1"], rows_sql(["n1"], {}), attempts=[1002])).outcome is RunOutcome.SUCCEEDED
    assert bench.warehouse.greatest_attempt() == 1002


def test_the_fence_says_what_the_ledger_has_already(bench: Bench) -> None:
    made = request(["n1"], rows_sql(["n1"], TWO_ROWS))
    bench.run(made)
    (member,) = made.members
    assert bench.warehouse.raise_fence([(member.target, member.attempt)]) == {member.target: member.attempt}
    assert bench.warehouse.published([member.target]) == {member.target: member.attempt}


def test_one_fenced_member_keeps_its_whole_set_out(bench: Bench) -> None:
    made = request(EVERY, rows_sql(EVERY, TWO_ROWS))
    bench.warehouse.raise_fence([(made.members[1].target, made.members[1].attempt)])
    assert bench.run(made).outcome is RunOutcome.STOPPED
    assert bench.rows(f"SELECT count(*) FROM {TABLE}") == [(0,)]


def test_list_columns_lose_no_update_between_two_publishers(bench: Bench) -> None:
    """DuckDB commits both of two such transactions and loses one (planner rules 5.1); the guard row forbids it."""
    bench.run(request(EVERY, rows_sql(EVERY, TWO_ROWS)))
    own_locks = [threading.Lock(), threading.Lock()]  # as if in two processes: only the guard row protects
    for turn in range(20):
        lists = request(["n2"], rows_sql(["n2"], {k: {"region": f"r{turn}", "tags": [turn]} for k in (1, 2)}))
        numbers = request(["n1"], rows_sql(["n1"], {k: {"amount": turn} for k in (1, 2)}))
        attempts = [bench.attempt(made) for made in (lists, numbers)]
        for attempt, lock in zip(attempts, own_locks, strict=True):
            attempt.locks = lambda _, lock=lock: lock
        threads = [threading.Thread(target=attempt.run) for attempt in attempts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert bench.rows(f"SELECT amount, region, tags FROM {TABLE}") == [(turn, f"r{turn}", [turn])] * 2


def test_two_first_inserts_at_once_double_nothing(bench: Bench) -> None:
    locks = [threading.Lock(), threading.Lock()]
    for turn in range(200):
        day = f"2027-{turn // 28 + 1:02}-{turn % 28 + 1:02}"
        attempts = [
            bench.attempt(request([label], rows_sql([label], TWO_ROWS), day)) for label in ("n1", "n2")
        ]
        outcomes: list[Report] = []
        for attempt, lock in zip(attempts, locks, strict=True):
            attempt.locks = lambda _, lock=lock: lock
        threads = [threading.Thread(target=lambda a=a, into=outcomes: into.append(a.run())) for a in attempts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [report.message for report in outcomes] == ["", ""]
    found = bench.rows(
        f"SELECT count(*), count(DISTINCT (ds, id)), count(amount), count(region) FROM {TABLE}"
    )
    assert found == [(400, 400, 400, 400)]


def test_a_publish_that_loses_its_guard_row_is_repeated_without_computing_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run(request(["n1"], rows_sql(["n1"], TWO_ROWS)))
    made = request(["n2"], rows_sql(["n2"], TWO_ROWS))
    original, disturbed = publishing._write_rows, []

    def disturb(*arguments: Any) -> Any:
        if not disturbed:
            disturbed.append(bench.warehouse.ledger.forget_all())
            target = Target("prod", TABLE, node("n3"), DAY)
            with pytest.raises(Exception, match=r"onflict|does not end"):
                bench.warehouse._fence(bench.warehouse.cursor(), TABLE, DAY, [(target, 1)])
        return original(*arguments)

    monkeypatch.setattr(publishing, "_write_rows", disturb)
    assert bench.run(made).outcome is RunOutcome.SUCCEEDED
    assert disturbed == [None]


def test_definitions_published_under_a_run_start_it_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, changed = publishing.insert_all, []

    def change_first(*arguments: Any) -> int:
        rows = original(*arguments)
        if not changed:
            changed.append(1)
            bench.warehouse.change_shapes(
                [ShapeChange("add_columns", SHAPE, (("extra", "INTEGER"),))], "prod/shop/2"
            )
        return rows

    monkeypatch.setattr(publishing, "insert_all", change_first)
    assert bench.run(request(EVERY, rows_sql(EVERY, TWO_ROWS))).outcome is RunOutcome.SUCCEEDED
    assert bench.rows(f"SELECT count(*), count(extra) FROM {TABLE}") == [(2, 0)]


def test_a_partition_that_is_to_be_complete_appears_in_one_piece(bench: Bench) -> None:
    def made(label: str, rows: dict[int, dict[str, Any]]) -> AttemptRequest:
        return request([label], rows_sql([label], rows), visible_complete=True)

    for label in ("n2", "n1"):
        assert bench.run(made(label, TWO_ROWS)).outcome is RunOutcome.SUCCEEDED
        assert bench.rows(f"SELECT count(*) FROM {TABLE}") == [(0,)]
    bench.run(made("n3", TWO_ROWS))
    assert bench.rows(f"SELECT id, amount, region, note FROM {TABLE} ORDER BY id") == [
        (1, 10, "north", "a"),
        (2, 20, "south", None),
    ]
    bench.run(made("n1", {1: {"amount": 11}, 2: {"amount": 20}}))
    assert bench.rows(f"SELECT sum(amount) FROM {TABLE}") == [(31,)]
    assert bench.rows(f'SELECT count(*) FROM fieldwise_staging."{TABLE}"') == [(0,)]


def test_a_forced_success_lets_the_partition_appear(bench: Bench) -> None:
    bench.run(request(["n1"], rows_sql(["n1"], TWO_ROWS), visible_complete=True))
    bench.warehouse.show_partition(TABLE, DAY, "DATE")
    bench.warehouse.show_partition(TABLE, DAY, "DATE")
    assert bench.rows(f"SELECT id, amount FROM {TABLE} ORDER BY id") == [(1, 10), (2, 20)]


def test_replaced_values_are_forgotten_by_attempt(bench: Bench) -> None:
    bench.run(request(["n1"], rows_sql(["n1"], TWO_ROWS)))
    made = request(["n1"], rows_sql(["n1"], {1: {"amount": 11}, 2: {"amount": 20}}))
    bench.run(made)
    bench.warehouse.forget_replaced(made.members[0].attempt)
    assert bench.rows(f"SELECT count(*) FROM {kept(['amount'])}") == [(1,)]
    bench.warehouse.forget_replaced(made.members[0].attempt + 1)
    assert bench.rows(f"SELECT count(*) FROM {kept(['amount'])}") == [(0,)]
    assert bench.rows("SELECT count(*) FROM fieldwise.replaced_version") == [(0,)]


def test_a_replaced_table_is_built_anew_and_old_attempts_stay_refused(bench: Bench) -> None:
    made = request(["n1"], rows_sql(["n1"], TWO_ROWS))
    bench.run(made)
    wider = TableShape(TABLE, "DATE", (("id", "INTEGER"), ("amount", "BIGINT")), ("id",))
    bench.warehouse.change_shapes([ShapeChange("replace", wider)], "prod/shop/2")
    assert bench.run(made).code == "fenced"
    newer = request(
        ["n1"],
        "SELECT 1::INTEGER AS id, 5::BIGINT AS amount",
        fields=(OutputField("amount", "BIGINT"),),
        all_nodes=(node("n1"),),
    )
    assert bench.run(newer).members[0].rows_added == 1
    assert bench.rows(f"SELECT id, amount FROM {TABLE}") == [(1, 5)]
    assert bench.rows(f'SELECT count(*) FROM fieldwise_dropped."{TABLE}@prod/shop/2"') == [(2,)]


def test_all_nodes_are_those_of_the_table() -> None:
    assert set(ALL_NODES) == {node(label) for label in NODES}
