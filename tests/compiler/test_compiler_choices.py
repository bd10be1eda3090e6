"""Rule 3.4: fields that depend on a choice without a total order share a node, say so, and are left out of equivalence."""

from __future__ import annotations

import pytest
from sqlcases import compiled, connect, differences, grouping

BASE = "SELECT o.order_id, o.amount, {fields} FROM raw.orders o LEFT JOIN ({inner}) t ON t.order_id = o.order_id {more} WHERE o.ds = :data_date"
LINES = "FROM raw.lines WHERE ds = :data_date"


def grouped(inner: str, fields: str = "t.a, t.b", more: str = "") -> tuple[str, set[str], int]:
    sql = BASE.format(fields=fields, inner=inner, more=more)
    found = compiled(sql)
    assert differences(connect(5), found, sql) == []
    return (
        grouping(found),
        {field.name for field in found.fields if not field.comparable},
        len(found.warnings),
    )


JOINED = "LEFT JOIN shop.dim_customer c ON c.customer_id = t.a AND c.ds = :data_date"

CHOICES = [
    ("row_number", f"SELECT order_id, qty AS a, price AS b {LINES} QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY qty) = 1"),
    ("distinct on", f"SELECT DISTINCT ON (order_id) order_id, qty AS a, price AS b {LINES} ORDER BY order_id, qty"),
    ("arg_max", f"SELECT order_id, arg_max(qty, price) AS a, arg_max(price, price) AS b {LINES} GROUP BY order_id"),
    ("first", f"SELECT order_id, first(qty) AS a, first(price) AS b {LINES} GROUP BY order_id"),
    ("any_value", f"SELECT order_id, any_value(qty) AS a, any_value(price) AS b {LINES} GROUP BY order_id"),
    ("list", f"SELECT order_id, list(qty) AS a, list(price) AS b {LINES} GROUP BY order_id"),
    ("string_agg", f"SELECT order_id, string_agg(qty::VARCHAR, ',') AS a, string_agg(price::VARCHAR, ',') AS b {LINES} GROUP BY order_id"),
]  # fmt: skip


@pytest.mark.parametrize(("word", "inner"), CHOICES, ids=[word for word, _ in CHOICES])
def test_a_choice_without_a_total_order_is_said(word: str, inner: str) -> None:
    nodes, fickle, warnings = grouped(inner)
    assert nodes == "amount | a b"
    assert fickle == {"a", "b"}
    assert warnings >= 1


TOTAL = [
    ("row_number", f"SELECT order_id, qty AS a, price AS b {LINES} QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY qty, line_no) = 1"),
    ("distinct on", f"SELECT DISTINCT ON (order_id) order_id, qty AS a, price AS b {LINES} ORDER BY order_id, line_no"),
    ("arg_max", f"SELECT order_id, arg_max(qty, line_no) AS a, arg_max(price, line_no) AS b {LINES} GROUP BY order_id"),
    ("first", f"SELECT order_id, first(qty ORDER BY line_no) AS a, last(price ORDER BY line_no) AS b {LINES} GROUP BY order_id"),
    ("list", f"SELECT order_id, list(qty ORDER BY qty) AS a, list(price ORDER BY line_no) AS b {LINES} GROUP BY order_id"),
    ("string_agg", f"SELECT order_id, string_agg(qty::VARCHAR, ',' ORDER BY line_no) AS a, max(price) AS b {LINES} GROUP BY order_id"),
    ("sum", f"SELECT order_id, sum(qty) AS a, max(price) AS b {LINES} GROUP BY order_id"),
]  # fmt: skip


@pytest.mark.parametrize(("word", "inner"), TOTAL, ids=[word for word, _ in TOTAL])
def test_a_total_order_is_no_choice(word: str, inner: str) -> None:
    nodes, fickle, warnings = grouped(inner)
    assert (nodes, fickle, warnings) == ("amount | a b", set(), 0)


def test_fields_of_different_sources_fall_together_by_a_shared_choice() -> None:
    """Without the choice they would be two nodes; apart, the region could belong to another row than the quantity."""
    inner = f"SELECT order_id, qty AS a, price AS b {LINES} QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY qty) = 1"
    sql = BASE.format(fields="t.b, c.region, c.lifetime", inner=inner, more=JOINED)
    found = compiled(sql)
    assert grouping(found) == "amount | b region lifetime"
    assert "choice among rows" in found.nodes[1].why
    total = compiled(sql.replace("ORDER BY qty)", "ORDER BY line_no)"))
    assert grouping(total) == "amount | b | region | lifetime"


@pytest.mark.parametrize(
    ("projection", "fickle"),
    [
        ("row_number() OVER (ORDER BY status) AS x", True),
        ("row_number() OVER (ORDER BY status, order_id) AS x", False),
        ("rank() OVER (ORDER BY status) AS x", False),
        ("lag(amount) OVER (ORDER BY status) AS x", True),
        ("lag(amount) OVER (PARTITION BY status ORDER BY order_id) AS x", False),
        ("first_value(amount) OVER (ORDER BY status) AS x", True),
        ("ntile(3) OVER (ORDER BY amount) AS x", True),
        ("sum(amount) OVER (ORDER BY status) AS x", False),
        ("sum(amount) OVER (ORDER BY status ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS x", True),
        ("sum(amount) OVER (ORDER BY order_id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS x", False),
        (
            "sum(amount) OVER (ORDER BY status ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS x",
            False,
        ),
        ("list(amount) OVER (PARTITION BY status) AS x", True),
    ],
)
def test_windows_that_choose(projection: str, fickle: bool) -> None:
    found = compiled(f"SELECT order_id, amount, {projection} FROM raw.orders WHERE ds = :data_date")
    assert [not field.comparable for field in found.fields] == [False, False, fickle]


def test_a_limit_inside_decides_the_rows_of_all() -> None:
    sql = "SELECT o.order_id, o.amount, c.region FROM (SELECT * FROM raw.orders WHERE ds = :data_date ORDER BY status LIMIT 5) o LEFT JOIN shop.dim_customer c ON c.customer_id = o.customer_id AND c.ds = :data_date"
    found = compiled(sql)
    assert grouping(found) == "amount region"
    assert not any(field.comparable for field in found.fields if not field.key)
    total = compiled(sql.replace("ORDER BY status", "ORDER BY order_id"))
    assert grouping(total) == "amount | region"
    assert differences(connect(6), total, sql.replace("ORDER BY status", "ORDER BY order_id")) == []


def test_a_sample_is_a_choice() -> None:
    found = compiled("SELECT order_id, amount FROM raw.orders TABLESAMPLE 50% WHERE ds = :data_date")
    assert not found.fields[1].comparable


@pytest.mark.parametrize(
    ("order", "fickle"), [("", True), ("ORDER BY n.name", False), ("ORDER BY n.id % 2", True)]
)
def test_an_array_of_rows_is_in_their_order(order: str, fickle: bool) -> None:
    found = compiled(
        f"SELECT order_id, array(SELECT n.name FROM raw.names n WHERE n.id > o.amount {order}) AS x FROM raw.orders o WHERE ds = :data_date"
    )
    assert found.fields[1].comparable is not fickle
