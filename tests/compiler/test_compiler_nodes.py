"""Atoms and nodes: which fields fall together, what nodes are called, and what they wait for."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace

import pytest
from sqlcases import PROJECT, catalogue, compiled, grouping, task, upstream

from fieldwise.compiler import Catalogue, compile_task, cut, fuse, relocate
from fieldwise.model.definition import (
    FieldNote,
    ProjectDefinition,
    SourceFormat,
    SourceTable,
    Split,
    TaskDefinition,
    Visible,
)
from fieldwise.model.plan import CompiledTask, How
from fieldwise.model.schedule import Window
from fieldwise.model.status import TaskKind

SQL = """SELECT o.order_id, o.amount, c.region, o.status, c.lifetime, coalesce(r.refund, 0) AS refund
FROM raw.orders o
LEFT JOIN shop.dim_customer c ON c.customer_id = o.customer_id AND c.ds = :data_date
LEFT JOIN (SELECT order_id, sum(amount) AS refund FROM raw.refunds WHERE ds = :data_date GROUP BY order_id) r ON r.order_id = o.order_id
WHERE o.ds = :data_date"""


def by_field(found: CompiledTask, name: str):  # type: ignore[no-untyped-def]
    return next(node for node in found.nodes if name in node.fields)


def test_nodes_labels_and_ids() -> None:
    found = compiled(SQL)
    assert grouping(found) == "amount status | region | lifetime | refund"
    assert [node.label for node in found.nodes] == ["n1", "n2", "n3", "n4"]
    assert [node.row_node for node in found.nodes] == [True, False, False, False]
    assert found.nodes[0].id == "shop.t/" + hashlib.sha256(b"amount\nstatus").hexdigest()[:8]


def test_reading_a_field_never_waits_for_another_one() -> None:
    found = compiled(SQL)
    region, lifetime = by_field(found, "region"), by_field(found, "lifetime")
    dim = {node.fields: node.id for node in upstream("shop.dim_customer").nodes}
    assert [(one.task, one.fields, one.nodes) for one in region.upstream] == [
        ("shop.dim_customer", ("region",), (dim["region", "tier"],))
    ]
    assert [(one.task, one.fields, one.nodes) for one in lifetime.upstream] == [
        ("shop.dim_customer", ("lifetime",), (dim["lifetime",],))
    ]
    assert by_field(found, "amount").upstream == ()
    assert by_field(found, "refund").sources == ("raw.orders", "raw.refunds")


def test_reading_only_keys_waits_for_the_row_node() -> None:
    found = compiled(
        "SELECT o.order_id, o.amount FROM raw.orders o JOIN shop.dim_customer c ON c.customer_id = o.customer_id AND c.ds = :data_date WHERE o.ds = :data_date"
    )
    assert [(one.fields, one.nodes) for one in found.nodes[0].upstream] == [
        ((), (upstream("shop.dim_customer").row_node.id,))
    ]


def test_an_inner_joined_field_does_not_hold_the_others() -> None:
    found = compiled(
        "SELECT o.order_id, o.amount, f.amount AS qty, f.revenue FROM raw.orders o JOIN shop.fct_order f ON f.order_id = o.order_id AND f.ds = :data_date WHERE o.ds = :data_date"
    )
    assert grouping(found) == "amount qty | revenue"
    nodes = {node.fields: node.id for node in upstream("shop.fct_order").nodes}
    assert by_field(found, "qty").upstream[0].nodes == (nodes["customer_id", "amount"],)
    assert by_field(found, "revenue").upstream[0].nodes == (nodes["revenue",],)


def test_a_filter_column_is_waited_for_by_all() -> None:
    found = compiled(
        "SELECT c.customer_id, c.region, c.lifetime FROM shop.dim_customer c WHERE c.ds = :data_date AND c.tier > 1",
        ["customer_id"],
    )
    row = upstream("shop.dim_customer").row_node.id
    assert all(row in one.nodes for node in found.nodes for one in node.upstream)


def test_today_and_yesterday_are_two_occurrences() -> None:
    sql = """SELECT c.customer_id, c.lifetime, y.lifetime AS before FROM shop.dim_customer c
        LEFT JOIN shop.dim_customer y ON y.customer_id = c.customer_id AND y.ds = :data_date - INTERVAL 1 DAY WHERE c.ds = :data_date"""
    found = compiled(sql, ["customer_id"])
    assert grouping(found) == "lifetime | before"
    assert {one.window for one in by_field(found, "lifetime").upstream} == {Window.CURRENT}
    assert {one.window for one in by_field(found, "before").upstream} == {Window.CURRENT, Window.PREVIOUS}


def test_two_reads_of_a_common_table_are_two_occurrences() -> None:
    sql = """WITH c AS (SELECT id, name FROM raw.names) SELECT o.order_id, a.name AS x, b.name AS y FROM raw.orders o
        LEFT JOIN c a ON a.id = o.customer_id LEFT JOIN c b ON b.id = o.amount WHERE o.ds = :data_date"""
    assert grouping(compiled(sql)) == "x | y"


def test_the_row_node_is_the_one_with_the_fewest_atoms() -> None:
    sql = """SELECT o.order_id, a.name AS x, b.v + length(a.name) AS y FROM raw.orders o
        LEFT JOIN raw.names a ON a.id = o.customer_id LEFT JOIN raw.decimals b ON b.price = o.amount WHERE o.ds = :data_date"""
    found = compiled(sql)
    assert [(node.fields, node.row_node) for node in found.nodes] == [(("x",), True), (("y",), False)]
    assert "row node" in found.nodes[0].why


def test_a_table_of_keys_is_one_row_node() -> None:
    found = compiled("SELECT order_id FROM raw.orders WHERE ds = :data_date")
    assert [(node.fields, node.row_node) for node in found.nodes] == [((), True)]
    assert found.nodes[0].id == "shop.t/" + hashlib.sha256(b"").hexdigest()[:8]
    assert fuse(found, [found.nodes[0].id]).sql == found.nodes[0].sql


def test_header_regroups_and_never_splits() -> None:
    found = compiled(SQL, nodes=(("amount", "refund"), ("region",)))
    assert grouping(found) == "amount refund | region | status | lifetime"
    assert "header" in found.nodes[0].why
    whole = compiled(SQL, split=Split.NEVER)
    assert grouping(whole) == "amount region status lifetime refund"
    assert "split: never" in whole.nodes[0].why


def test_spelling_is_the_users() -> None:
    found = compiled(
        'SELECT o.Order_ID, o.AMOUNT, c.Region AS "My Region", status StAtUs FROM raw.orders o LEFT JOIN shop.dim_customer c ON c.customer_id = o.customer_id AND c.ds = :data_date WHERE o.ds = :data_date',
        ["order_id"],
    )
    assert [field.name for field in found.fields] == ["order_id", "AMOUNT", "My Region", "StAtUs"]
    assert by_field(found, "My Region").upstream[0].fields == ("region",)


def test_fields_carry_the_headers_notes() -> None:
    found = compiled(SQL, fields=(FieldNote("amount", "Paid", ("not_null", ">= 0")),))
    amount = next(field for field in found.fields if field.name == "amount")
    assert (amount.description, amount.checks, amount.type) == ("Paid", ("not_null", ">= 0"), "INTEGER")


def test_lineage_tells_values_from_rows() -> None:
    found = compiled(SQL)
    edges = {(one.field, f"{one.from_table}.{one.from_field}"): one.how for one in found.lineage}
    assert edges["refund", "raw.refunds.amount"] is How.VALUE
    assert edges["refund", "raw.refunds.order_id"] is How.ROWS
    assert edges["region", "shop.dim_customer.region"] is How.VALUE
    assert edges["region", "shop.dim_customer.customer_id"] is How.ROWS
    assert edges["region", "raw.orders.customer_id"] is How.ROWS
    assert edges["order_id", "raw.orders.order_id"] is How.VALUE
    assert edges["amount", "raw.orders.ds"] is How.ROWS
    assert ("amount", "raw.orders.customer_id") not in edges
    assert ("amount", "raw.refunds.amount") not in edges


def test_every_reader_of_a_complete_table_waits_for_all_its_nodes() -> None:
    dim = upstream("shop.dim_customer")
    whole = replace(dim, definition=replace(dim.definition, visible=Visible.COMPLETE))
    known = catalogue([whole])
    found, problems = compile_task(task(SQL, ["order_id"]), PROJECT, known)
    assert found is not None, problems
    assert grouping(found) == "amount status | region lifetime | refund"
    assert by_field(found, "region").upstream[0].nodes == tuple(node.id for node in dim.nodes)


def test_a_source_filled_by_a_task_waits_for_it() -> None:
    loader = TaskDefinition(
        "shop.load",
        "shop",
        TaskKind.INTEGRATION,
        "tasks/load.py",
        "",
        language="python",
        outputs=("raw.visits",),
    )
    filled = SourceTable(
        "raw.visits",
        "shop",
        SourceFormat.FROM_TASK,
        from_task="shop.load",
        columns=(("id", "BIGINT"), ("n", "INTEGER"), ("ds", "DATE")),
        key=("id",),
        partition="ds",
        ready="SELECT true",
    )
    project = ProjectDefinition("shop", ".", sources=(filled,))
    known = Catalogue([project])
    load, problems = compile_task(loader, project, known)
    assert load is not None, problems
    assert (len(load.nodes), load.nodes[0].fields, load.nodes[0].sql) == (1, (), "")
    known.add_task(load)
    for predicate, expected in [
        ("ds = :data_date", {(Window.CURRENT, None)}),
        ("ds = :data_date - 1", {(Window.PREVIOUS, None)}),
        ("ds BETWEEN :data_date - 6 AND :data_date", {(Window.LAST_N, 7)}),
        ("n > 0", {(Window.CURRENT, None)}),
    ]:
        found, problems = compile_task(
            task(f"SELECT id, n FROM raw.visits WHERE {predicate}", ["id"]), project, known
        )
        assert found is not None, problems
        assert {(one.window, one.n) for one in found.nodes[0].upstream} == expected
        assert found.nodes[0].upstream[0].nodes == (load.nodes[0].id,)
        assert found.nodes[0].waits_for == ("raw.visits",)


def test_scripts_depend_on_what_they_read() -> None:
    script = TaskDefinition(
        "shop.score",
        "shop",
        TaskKind.COMPUTING,
        "tasks/score.py",
        "",
        language="python",
        reads=("shop.dim_customer", "raw.orders"),
    )
    found, problems = compile_task(script, PROJECT, catalogue())
    assert found is not None, problems
    assert [(one.task, one.nodes) for one in found.nodes[0].upstream] == [
        ("shop.dim_customer", tuple(node.id for node in upstream("shop.dim_customer").nodes))
    ]
    assert found.nodes[0].sources == ("raw.orders",)


def test_a_sql_task_is_one_node_with_the_select_beside_it() -> None:
    sql = TaskDefinition(
        "shop.load",
        "shop",
        TaskKind.COMPUTING,
        "tasks/load.sql",
        "SELECT order_id, ds, amount FROM raw.orders WHERE ds = :data_date ORDER BY 1",
        outputs=("raw.copy",),
    )
    found, problems = compile_task(sql, PROJECT, catalogue())
    assert found is not None, problems
    assert (len(found.nodes), found.nodes[0].fields, found.nodes[0].sql) == (1, (), "")
    assert found.parameters == ("data_date",)
    assert [field.name for field in found.fields] == ["order_id", "ds", "amount"]


@pytest.mark.parametrize("seed", range(8))
def test_the_order_of_columns_and_joins_does_not_matter(seed: int) -> None:
    chance = random.Random(seed)
    columns = [
        "o.order_id",
        "o.amount",
        "c.region",
        "o.status",
        "c.lifetime",
        "coalesce(r.refund, 0) AS refund",
        "n.name",
    ]
    joins = [
        "LEFT JOIN shop.dim_customer c ON c.customer_id = o.customer_id AND c.ds = :data_date",
        "LEFT JOIN (SELECT order_id, sum(amount) AS refund FROM raw.refunds WHERE ds = :data_date GROUP BY order_id) r ON r.order_id = o.order_id",
        "LEFT JOIN raw.names n ON n.id = o.amount",
    ]
    chance.shuffle(columns)
    chance.shuffle(joins)
    found = compiled(
        f"SELECT {', '.join(columns)} FROM raw.orders o {' '.join(joins)} WHERE o.ds = :data_date"
    )
    assert {frozenset(node.fields) for node in found.nodes} == {
        frozenset(x) for x in (("amount", "status"), ("region",), ("lifetime",), ("refund",), ("name",))
    }
    assert {node.id for node in found.nodes} >= {node.id for node in compiled(SQL).nodes}
    assert by_field(found, "amount").row_node


def test_compiling_twice_gives_the_same() -> None:
    assert compiled(SQL) == compiled(SQL)


def test_what_is_left_of_a_node_can_be_cut() -> None:
    found = compiled(SQL)
    text, parameters = cut(found, ["status"])
    assert "amount" not in text
    assert parameters == ("data_date",)


def test_a_chain_of_common_tables_read_many_times_stays_quick() -> None:
    """Each reads the one before twice: 2^40 paths, analysed once per CTE instead."""
    chain = ["c0 AS (SELECT customer_id, region, ds FROM shop.dim_customer WHERE ds = :data_date)"]
    chain += [
        f"c{n} AS (SELECT a.customer_id, b.region FROM c{n - 1} a JOIN c{n - 1} b ON b.customer_id = a.customer_id)"
        for n in range(1, 41)
    ]
    found = compiled(f"WITH {', '.join(chain)} SELECT customer_id, region FROM c40", ["customer_id"])
    assert grouping(found) == "region"


def test_a_statement_can_be_moved_to_dev_tables() -> None:
    node = by_field(compiled(SQL), "region")
    moved = relocate(node.sql, {"shop.dim_customer": "shop_dev.dim_customer"})
    assert moved == node.sql.replace('"shop"."dim_customer"', '"shop_dev"."dim_customer"')
