"""Metrics tables: nodes by source, span and project; composites; counts are 0 and sums NULL where a node has no row."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pytest
from sqlcases import DAY, PROJECT, bound, catalogue, compiled, connect, multiset, rows_of, task, windows

from fieldwise.compiler import compile_task, cut
from fieldwise.model.definition import Atomic, Metric, MetricsDefinition, ProjectDefinition, TaskDefinition
from fieldwise.model.errors import Problem, ProblemCode
from fieldwise.model.plan import CompiledTask
from fieldwise.model.schedule import Period, Schedule, TaskDefaults, Window
from fieldwise.model.status import Priority

GROWTH = ProjectDefinition("growth", ".", defaults=TaskDefaults(resource_group="light"))
ATOMICS = (
    Atomic("pay", "shop.fct_order", "sum(amount)", 3, 3),
    Atomic("orders", "shop.fct_order", "count(*)", 4, 3),
    Atomic("refund", "raw.orders", "sum(amount)", 5, 3),
    Atomic("rate", "shop.fct_order", "sum(revenue) / sum(amount)", 6, 3),
)
FILTERS = (("big", "amount > :lowest"),)
METRICS = (
    Metric("pay_1d", "pay", span="1d"),
    Metric("orders_1d", "orders", span="1d"),
    Metric("big_pay_1d", "pay", "big", "1d"),
    Metric("big_rate_1d", "rate", "big", "1d"),
    Metric("pay_7d", "pay", "big", "7d", project="growth", owner="li", priority=Priority.HIGH),
    Metric("orders_7d", "orders", span="7d", project="growth", owner="li", priority=Priority.LOW),
    Metric("pay_td", "pay", span="td"),
    Metric("refund_1d", "refund", span="1d"),
    Metric("average_1d", expression="pay_1d / orders_1d"),
    Metric("share", expression="100 * average_1d / pay_td"),
    Metric("share_7d", expression="pay_7d / pay_td", project="growth"),
)


def definition(
    metrics: tuple[Metric, ...] = METRICS, atomics: tuple[Atomic, ...] = ATOMICS, **header: object
) -> TaskDefinition:
    return replace(
        task("", ["customer_id"], "shop.agg", **header),
        metrics=MetricsDefinition(atomics, FILTERS, metrics),
        language="yaml",
    )


def made(**header: object) -> CompiledTask:
    found, problems = compile_task(
        definition(**header), PROJECT, catalogue(), {"growth": GROWTH, "shop": PROJECT}
    )
    assert found is not None, problems
    return found


def problems_of(*metrics: Metric, atomics: tuple[Atomic, ...] = ATOMICS) -> list[Problem]:
    return list(compile_task(definition(metrics, atomics), PROJECT, catalogue(), {"growth": GROWTH})[1])


def test_nodes_by_source_span_and_project() -> None:
    found = made()
    assert [(node.label, node.fields, node.project, node.composite) for node in found.nodes] == [
        ("n1", ("pay_1d", "orders_1d", "big_pay_1d", "big_rate_1d", "average_1d"), "shop", False),
        ("n2", ("pay_7d", "orders_7d"), "growth", False),
        ("n3", ("pay_td",), "shop", False),
        ("n4", ("refund_1d",), "shop", False),
        ("n5", ("share",), "shop", True),
        ("n6", ("share_7d",), "growth", True),
    ]
    assert [node.row_node for node in found.nodes] == [True, False, False, False, False, False]


def test_a_node_takes_project_owner_and_highest_priority_of_its_metrics() -> None:
    node = made(owner="bo").nodes[1]
    assert (node.project, node.owner, node.priority, node.resource_group) == (
        "growth",
        "li",
        Priority.HIGH,
        "light",
    )
    first = made(owner="bo", resource_group="heavy", priority=Priority.LOW).nodes[0]
    assert (first.project, first.owner, first.priority, first.resource_group) == (
        "shop",
        "bo",
        Priority.LOW,
        "heavy",
    )


def test_spans_become_windows() -> None:
    by_fields = {
        node.fields[0]: {(one.window.value, one.n) for one in node.upstream} for node in made().nodes
    }
    assert by_fields["pay_1d"] == {("current", None)}
    assert by_fields["pay_7d"] == {("last_n", 7)}
    assert by_fields["pay_td"] == {("current", None)}


@pytest.mark.parametrize(
    ("span", "window"),
    [
        ("1d", ("current", None)),
        ("30d", ("last_n", 30)),
        ("14d", ("last_n", 14)),
        ("mtd", ("last_n", 31)),
        ("qtd", ("last_n", 92)),
        ("ytd", ("last_n", 366)),
        ("td", ("current", None)),
    ],
)
def test_day_spans(span: str, window: tuple[str, int | None]) -> None:
    found, problems = compile_task(definition((Metric("m", "pay", span=span),)), PROJECT, catalogue())
    assert found is not None, problems
    assert windows(found) == {"shop.fct_order": {window}}


@pytest.mark.parametrize(
    ("span", "window"),
    [
        ("1h", {("last_24_hours", None)}),
        ("24h", {("last_24_hours", None)}),
        ("1d", {("slots_of_day", None)}),
        ("2d", {("slots_of_day", None), ("previous", None), ("days_before", 2)}),
    ],
)
def test_spans_over_hours(span: str, window: set[tuple[str, int | None]]) -> None:
    hourly = replace(
        definition((Metric("m", "a", span=span),), (Atomic("a", "shop.fct_hour", "sum(v)"),)),
        key=("k",),
        schedule=Schedule(period=Period.HOUR),
    )
    found, problems = compile_task(hourly, PROJECT, catalogue())
    assert found is not None, problems
    assert windows(found) == {"shop.fct_hour": window}


def test_a_node_waits_only_for_the_fields_of_its_metrics() -> None:
    found = made()
    assert [one.fields for one in found.nodes[2].upstream] == [("customer_id", "amount")]
    assert found.nodes[3].sources == ("raw.orders",)


def test_a_composite_over_several_nodes_waits_for_them() -> None:
    found = made()
    share = found.nodes[4]
    assert [(one.task, one.fields, one.window) for one in share.upstream] == [
        ("shop.agg", ("pay_1d", "orders_1d", "pay_td"), Window.CURRENT)
    ]
    assert share.upstream[0].nodes == (found.nodes[0].id, found.nodes[2].id)


def test_a_reader_of_the_rows_waits_for_every_node_that_brings_rows() -> None:
    known = catalogue([made()])
    text = "SELECT a.customer_id, a.pay_1d FROM shop.agg a WHERE a.ds = :data_date"
    found, problems = compile_task(task(text, ["customer_id"]), PROJECT, known)
    assert found is not None, problems
    assert set(found.nodes[0].upstream[0].nodes) == {node.id for node in made().nodes if not node.composite}


def test_counts_are_zero_where_a_node_has_no_row() -> None:
    assert [field.name for field in made().fields if field.zero_when_absent] == ["orders_1d", "orders_7d"]


@pytest.fixture(scope="module")
def warehouse() -> duckdb.DuckDBPyConnection:
    return connect(21)


def test_nodes_together_are_the_table_in_one_piece(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Published as a worker does it: the union of the nodes' keys, then composites read the table."""
    found = made()
    names, whole = rows_of(warehouse, found.sql, found.parameters)
    assert names == [field.name for field in found.fields]
    rows: dict[object, dict[str, object]] = {}
    blank = {field.name: 0 if field.zero_when_absent else None for field in found.fields}
    for node in found.nodes[:4]:
        columns, got = rows_of(warehouse, node.sql, node.parameters)
        for row in got:
            assert row[0] is not None
            rows.setdefault(row[0], dict(blank)).update(zip(columns, row, strict=True))
    types = {"customer_id": "BIGINT"}
    warehouse.execute("DROP TABLE IF EXISTS shop.agg")
    warehouse.execute(
        f"CREATE TABLE shop.agg (ds DATE, {', '.join(f'{name} {types.get(name, chr(68) + chr(79) + chr(85) + chr(66) + chr(76) + chr(69))}' for name in names)})"
    )
    for values in rows.values():
        warehouse.execute(
            f"INSERT INTO shop.agg VALUES ({', '.join('?' * (len(names) + 1))})",
            [DAY, *(values[name] for name in names)],
        )
    for node in found.nodes[4:]:
        columns, got = rows_of(warehouse, node.sql, node.parameters)
        for row in got:
            rows[row[0]].update(zip(columns, row, strict=True))
    here = multiset([_number(values[name]) for name in names] for values in rows.values())
    assert here == multiset([_number(value) for value in row] for row in whole)


def _number(value: object) -> object:
    return float(value) if value is not None else None  # type: ignore[arg-type]


def test_a_filtered_metric_is_the_aggregate_of_the_filtered_rows(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    node = made().nodes[0]
    columns, got = rows_of(warehouse, node.sql, node.parameters)
    wanted = warehouse.execute(
        "SELECT customer_id, sum(revenue) FILTER (amount > $lowest) / sum(amount) FILTER (amount > $lowest) FROM shop.fct_order "
        "WHERE ds = $data_date AND customer_id IS NOT NULL GROUP BY 1",
        bound(["lowest", "data_date"]),
    ).fetchall()
    at = columns.index("big_rate_1d")
    assert multiset((row[0], row[at]) for row in got) == multiset(wanted)


def test_some_metrics_of_a_node_can_be_cut_out(warehouse: duckdb.DuckDBPyConnection) -> None:
    sql, parameters = cut(made(), ["orders_1d"])
    assert rows_of(warehouse, sql, parameters)[0] == ["customer_id", "orders_1d"]


def test_lineage_goes_through_the_nodes_and_composites() -> None:
    edges = {(one.field, one.from_table, one.from_field, one.how.value) for one in made().lineage}
    assert ("pay_1d", "shop.fct_order", "amount", "value") in edges
    assert ("pay_1d", "shop.fct_order", "ds", "rows") in edges
    assert ("share", "shop.agg", "pay_td", "value") in edges


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ((Metric("m", "nope", span="1d", line=9, column=3),), [(ProblemCode.UNKNOWN_KEY, 9, 3)]),
        ((Metric("m", "pay", "nope", "1d", line=9, column=3),), [(ProblemCode.UNKNOWN_KEY, 9, 3)]),
        (
            (Metric("m", "pay", span="1d", project="nope", line=9, column=3),),
            [(ProblemCode.UNKNOWN_TABLE, 9, 3)],
        ),
        ((Metric("m", "pay", span="1h", line=9, column=3),), [(ProblemCode.MISSING_PARTITION, 9, 3)]),
        ((Metric("m", expression="a + b", line=9, column=3),), [(ProblemCode.UNKNOWN_COLUMN, 9, 3)] * 2),
        ((Metric("m", expression="1 +", line=9, column=3),), [(ProblemCode.SYNTAX, 9, 3)]),
        ((Metric("m", expression="random()", line=9, column=3),), [(ProblemCode.VOLATILE, 9, 3)]),
        (
            (Metric("a", expression="b", line=8, column=3), Metric("b", expression="a", line=9, column=3)),
            [(ProblemCode.CYCLE, 8, 3), (ProblemCode.CYCLE, 9, 3)],
        ),
        (
            (Metric("m", "pay", span="1d"), Metric("M", "pay", span="7d", line=9, column=3)),
            [(ProblemCode.DUPLICATE_FIELD, 9, 3)],
        ),
    ],
)
def test_mistakes_are_located(
    metrics: tuple[Metric, ...], expected: list[tuple[ProblemCode, int, int]]
) -> None:
    assert [(one.code, one.line, one.column) for one in problems_of(*metrics)] == expected


@pytest.mark.parametrize(
    ("atomic", "code"),
    [
        (Atomic("a", "shop.fct_orde", "sum(amount)", 3, 3), ProblemCode.UNKNOWN_TABLE),
        (Atomic("a", "shop.fct_order", "sum(amonut)", 3, 3), ProblemCode.UNKNOWN_COLUMN),
        (Atomic("a", "shop.fct_order", "amount", 3, 3), ProblemCode.UNSUPPORTED),
        (Atomic("a", "shop.fct_order", "sum(", 3, 3), ProblemCode.SYNTAX),
        (Atomic("a", "raw.names", "count(*)", 3, 3), ProblemCode.KEY_NOT_SELECTED),
        (Atomic("a", "shop.dim_month", "sum(v)", 3, 3), ProblemCode.KEY_NOT_SELECTED),
    ],
)
def test_mistakes_of_atomics_are_located(atomic: Atomic, code: ProblemCode) -> None:
    found = problems_of(Metric("m", "a", span="td", line=9, column=3), atomics=(atomic,))
    assert [one.code for one in found] == [code]
    assert found[0].hint


def test_a_metrics_table_is_read_like_any_other() -> None:
    assert compiled(
        "SELECT customer_id, region FROM shop.dim_customer WHERE ds = :data_date", ["customer_id"]
    ).nodes
