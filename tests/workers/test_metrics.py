"""Metrics tables: rows are the union over the nodes, counts are 0 where a node has no row (spec 2)."""

from __future__ import annotations

import tempfile
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from rig import DAY, Bench

from fieldwise.model.attempt import AttemptKind, AttemptRequest, Member, OutputField, Target
from fieldwise.model.status import RunOutcome
from fieldwise.ports.engine import ShapeChange, TableShape

TABLE = "shop.by_customer"
FIELDS = {"one": "spend", "two": "visits", "three": "clicks"}
ZERO = {"visits", "clicks"}
SHAPE = TableShape(
    TABLE, "DATE", (("id", "INTEGER"), *((name, "INTEGER") for name in FIELDS.values())), ("id",)
)

Rows = dict[int, int]


def metrics_request(label: str, rows: Rows, attempt: int) -> AttemptRequest:
    field = FIELDS[label]
    node = f"{TABLE}/{label}"
    values = ", ".join(f"({key}, {value})" for key, value in rows.items()) or "(0, 0)"
    sql = f"SELECT CAST(k AS INTEGER) AS id, CAST(v AS INTEGER) AS {field} FROM (VALUES {values}) x(k, v) WHERE k > 0"
    return AttemptRequest(
        AttemptKind.SQL, (Member(attempt, attempt, 1, Target("prod", TABLE, node, DAY), (field,)),), TABLE, DAY, "DATE", sql,
        key=(OutputField("id", "INTEGER"),), fields=(OutputField(field, "INTEGER", zero_when_absent=field in ZERO),),
        metrics=True, all_nodes=tuple(f"{TABLE}/{name}" for name in FIELDS),
    )  # fmt: skip


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(FIELDS)), st.dictionaries(st.integers(1, 4), st.integers(1, 3))),
        max_size=7,
    )
)
@settings(max_examples=60)
def test_rows_are_the_union_over_the_nodes(publishes: list[tuple[str, Rows]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        bench.warehouse.change_shapes([ShapeChange("create", SHAPE)], "prod/shop/metrics")
        nodes: dict[str, Rows] = {}
        attempts = count(1)
        for label, rows in publishes:
            report = bench.run(metrics_request(label, rows, next(attempts)))
            assert report.outcome is RunOutcome.SUCCEEDED, report.message
            assert report.members[0].rows_differ == ()
            nodes[label] = rows
            found = bench.rows(f"SELECT id, {', '.join(FIELDS.values())} FROM {TABLE} ORDER BY id")
            assert found == [
                _row(key, nodes) for key in sorted({key for rows in nodes.values() for key in rows})
            ]
        bench.warehouse.close()


def _row(key: int, nodes: dict[str, Rows]) -> tuple[Any, ...]:
    def cell(label: str, field: str) -> int | None:
        if label not in nodes:
            return None
        return nodes[label].get(key, 0 if field in ZERO else None)

    return (key, *(cell(label, field) for label, field in FIELDS.items()))


def test_keys_of_nodes_that_are_no_more_do_not_hold_rows(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.warehouse.change_shapes([ShapeChange("create", SHAPE)], "prod/shop/metrics")
    bench.run(metrics_request("one", {1: 1, 2: 2}, 1))
    from dataclasses import replace

    later = replace(metrics_request("two", {2: 5}, 2), all_nodes=(f"{TABLE}/two",))
    bench.run(later)
    assert bench.rows(f"SELECT id, visits FROM {TABLE}") == [(2, 5)]
