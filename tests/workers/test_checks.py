"""What keeps a result out of its table, and that the message names rows (spec 2)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rig import DAY, TABLE, Bench, request

from fieldwise.engines.duckdb import InMemoryEngine
from fieldwise.model.attempt import InputRead, OutputField
from fieldwise.model.status import RunOutcome
from fieldwise.workers import checks
from fieldwise.workers.outcomes import CheckFailed


@pytest.fixture(params=["in few rows", "in many rows", "in scratch"])
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    made = Bench(tmp_path)
    monkeypatch.setattr(checks, "FEW_ROWS", 0 if request.param == "in many rows" else 1000)
    if request.param == "in scratch":
        made.run(make("SELECT 0::INTEGER AS id, 0::INTEGER AS amount", all_nodes=()))
    yield made
    made.warehouse.close()


AMOUNT = OutputField("amount", "INTEGER")


def make(sql: str, field: OutputField = AMOUNT, **more: Any) -> Any:
    return request(["n1"], sql, **({"fields": (field,), "all_nodes": ()} | more))


@pytest.mark.parametrize(
    ("sql", "more", "words"),
    [
        (
            "SELECT 1::INTEGER AS id, range::INTEGER AS amount FROM range(3)",
            {},
            "the key (id) is not unique: (1) 3 times",
        ),
        (
            "SELECT NULL::INTEGER AS id, 5::INTEGER AS amount",
            {},
            "1 row(s) fail key (id) not_null, for example (None)",
        ),
        (
            "SELECT range::INTEGER AS id, -range::INTEGER AS amount FROM range(3)",
            {"field": OutputField("amount", "INTEGER", (">= 0",))},
            "2 row(s) fail amount >= 0, for example (1); (2)",
        ),
        (
            "SELECT range::INTEGER AS id, nullif(range, 1)::INTEGER AS amount FROM range(3)",
            {"field": OutputField("amount", "INTEGER", ("not_null", "in (0, 2)"))},
            "1 row(s) fail amount not_null, for example (1)",
        ),
        (
            "SELECT range::INTEGER AS id, 1::INTEGER AS amount FROM range(3)",
            {"rows_maximum": 2},
            "3 rows, at most 2",
        ),
        (
            "SELECT range::INTEGER AS id, 1::INTEGER AS amount FROM range(3)",
            {"rows_minimum": 4},
            "3 rows, at least 4",
        ),
        (
            "SELECT range::INTEGER AS id, 1::INTEGER AS amount FROM range(0)",
            {"refuse_empty": True},
            "0 rows where each",
        ),
        ("SELECT 1::INTEGER AS id, 'x' AS amount", {}, "amount: INTEGER -> VARCHAR"),
        ("SELECT 1::INTEGER AS id, 1 AS other", {}, "the result has no column amount"),
    ],
)
def test_a_failed_check_publishes_nothing_and_says_which_rows(
    bench: Bench, sql: str, more: dict[str, Any], words: str
) -> None:
    before = bench.rows(f"FROM {TABLE}")
    state = bench.rows("FROM fieldwise.partition")
    report = bench.run(make(sql, **more))
    assert report.outcome is RunOutcome.FAILED
    assert words in report.message
    assert bench.rows(f"FROM {TABLE}") == before
    assert bench.rows("FROM fieldwise.partition") == state


def test_the_guards_of_good_rows_pass(bench: Bench) -> None:
    field = OutputField(
        "amount", "INTEGER", ("not_null", ">= 0", "in (1, 2)", "between 1 and 2", "amount < 3")
    )
    report = bench.run(make("SELECT range::INTEGER AS id, 1::INTEGER AS amount FROM range(5)", field))
    assert report.outcome is RunOutcome.SUCCEEDED, report.message


KEYS = {
    "close integers": (("a", "INTEGER"), st.integers(0, 20)),
    "far integers": (("a", "BIGINT"), st.integers(-(2**63), 2**63 - 1)),
    "text": (("a", "VARCHAR"), st.sampled_from(["x", "y", "x y", "'"])),
}


@given(st.data(), st.sampled_from(sorted(KEYS)), st.sampled_from(sorted(KEYS)))
@settings(max_examples=150)
def test_keys_are_unique_exactly_when_they_are(data: st.DataObject, first: str, second: str) -> None:
    """By bitmap, by hash and in Python: all say the same as a set."""
    (_, kind_a), values_a = KEYS[first]
    (_, kind_b), values_b = KEYS[second]
    rows = data.draw(st.lists(st.tuples(values_a, values_b), min_size=1, max_size=12))
    engine = InMemoryEngine()
    cursor = engine.cursor()
    cursor.execute(f"CREATE TEMP TABLE s (a {kind_a}, b {kind_b})")
    cursor.executemany("INSERT INTO s VALUES (?, ?)", rows)
    made = request(["n1"], "", key=(OutputField("a", kind_a), OutputField("b", kind_b)), fields=())
    unique = len(set(rows)) == len(rows)
    for few in (0, 1000):
        checks.FEW_ROWS = few
        try:
            checks.check_rows(cursor, "s", made, len(rows))
            assert unique
        except CheckFailed:
            assert not unique
    checks.FEW_ROWS = 1000
    engine.close()


def test_other_projects_tables_may_change_a_type_after_publishing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    sql = "SELECT 1::INTEGER AS id, 'x' AS amount"
    foreign = InputRead("crm.customer", ("name",), (DAY,))
    assert bench.run(make(sql, inputs=(foreign,))).code == "columns_changed"
    bench.warehouse.close()
