"""Generated queries: every node, every pair of nodes and all of them fused equal the query in one piece, on real DuckDB."""

from __future__ import annotations

from functools import cache

import duckdb
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from sqlcases import PROJECT, catalogue, connect, differences, task

from fieldwise.compiler import compile_task

JOINS = [
    # (relation with {a} as its alias, ON, a column of it that is a number)
    ("shop.dim_customer {a}", "{a}.customer_id = {n} AND {a}.ds = :data_date", "tier"),
    ("shop.dim_customer {a}", "{a}.customer_id = {n} AND {a}.ds = o.ds AND {a}.tier > 2", "lifetime"),
    ("shop.dim_customer {a}", "{a}.customer_id = {n} AND {a}.ds <= :data_date", "tier"),
    ("shop.fct_order {a}", "{a}.order_id = {n} AND {a}.ds = :data_date - INTERVAL 1 DAY", "revenue"),
    ("shop.dim_month {a}", "{a}.k = {n} AND {a}.ds = (SELECT max(ds) FROM shop.dim_month WHERE ds <= :data_date)", "w"),
    ("raw.lines {a}", "{a}.order_id = {n} AND {a}.line_no = 1 AND {a}.ds = :data_date", "qty"),
    ("raw.lines {a}", "{a}.order_id = {n} AND {a}.ds = :data_date", "qty"),
    ("raw.lines {a}", "{a}.order_id = {n} AND {a}.line_no = 1", "qty"),
    ("raw.names {a}", "{a}.id = {n}", "id"),
    ("raw.names {a}", "{a}.id = {n} OR {a}.id = 1", "id"),
    ("raw.names {a}", "{a}.id IS NOT DISTINCT FROM {n}", "id"),
    ("raw.names {a}", "{a}.id % 3 = {n}", "id"),
    ("raw.names {a}", "{a}.id = {n} + {a}.id - {a}.id", "id"),
    ("raw.codes {a}", "try_cast({a}.digits AS INTEGER) = {n}", "v"),
    ("raw.decimals {a}", "{a}.price = {n}", "v"),
    ("raw.decimals {a}", "{a}.price = {n}::DOUBLE", "v"),
    ("(SELECT order_id AS k, sum(amount) AS v FROM raw.refunds WHERE ds = :data_date GROUP BY order_id) {a}", "{a}.k = {n}", "v"),
    ("(SELECT order_id AS k, sum(amount) AS v FROM raw.refunds GROUP BY order_id, reason) {a}", "{a}.k = {n}", "v"),
    ("(SELECT order_id AS k, sum(amount) AS v FROM raw.refunds GROUP BY ROLLUP (order_id)) {a}", "{a}.k IS NOT DISTINCT FROM {n}", "v"),
    ("(SELECT order_id AS k, max(amount) AS v, unnest([1, 2]) AS u FROM raw.refunds GROUP BY order_id) {a}", "{a}.k = {n}", "v"),
    ("(SELECT DISTINCT order_id AS k, 1 AS v FROM raw.lines) {a}", "{a}.k = {n} AND {a}.v = 1", "v"),
    ("(SELECT DISTINCT order_id AS k, qty AS v FROM raw.lines) {a}", "{a}.k = {n}", "v"),
    ("(SELECT DISTINCT ON (order_id) order_id AS k, qty AS v FROM raw.lines WHERE ds = :data_date ORDER BY order_id, line_no) {a}", "{a}.k = {n}", "v"),
    ("(SELECT order_id AS k, qty AS v FROM raw.lines WHERE ds = :data_date QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY line_no) = 1) {a}", "{a}.k = {n}", "v"),
    ("(SELECT order_id AS k, qty AS v FROM raw.lines WHERE ds = :data_date QUALIFY rank() OVER (PARTITION BY order_id ORDER BY qty) = 1) {a}", "{a}.k = {n}", "v"),
    ("(SELECT n.id AS k, x.v FROM raw.names n LEFT JOIN raw.decimals x ON x.price = n.id) {a}", "{a}.k = {n}", "v"),
    ("(SELECT n.id AS k, x.qty AS v FROM raw.names n LEFT JOIN raw.lines x ON x.order_id = n.id AND x.ds = :data_date) {a}", "{a}.k = {n}", "v"),
    ("(SELECT n.id AS k, n.id AS v FROM raw.names n SEMI JOIN raw.lines x ON x.order_id = n.id) {a}", "{a}.k = {n}", "v"),
    ("(SELECT id AS k, 1 AS v FROM raw.names UNION SELECT order_id, 1 FROM raw.lines) {a}", "{a}.k = {n} AND {a}.v = 1", "v"),
    ("(SELECT id AS k, 1 AS v FROM raw.names UNION ALL SELECT order_id, 2 FROM raw.lines WHERE ds = :data_date) {a}", "{a}.k = {n}", "v"),
    ("(SELECT max(id) AS k, count(*) AS v FROM raw.names) {a}", "{a}.k >= {n}", "v"),
    ("(SELECT id AS k, id AS v FROM raw.names ORDER BY id LIMIT 1) {a}", "true", "v"),
    ("(SELECT id AS k, id AS v FROM raw.names ORDER BY id LIMIT 2) {a}", "{a}.k > 0", "v"),
    ("w1 {a}", "{a}.k = {n}", "v"),
    ("w2 {a}", "{a}.k = {n}", "v"),
    ("w3 {a}", "{a}.k = {n}", "v"),
]  # fmt: skip
WITH = """WITH w1 AS (SELECT order_id AS k, sum(qty) AS v, max(price) AS p FROM raw.lines WHERE ds = :data_date GROUP BY order_id),
 w2 AS (SELECT a.k, b.v + a.v AS v FROM w1 a LEFT JOIN w1 b ON b.k = a.v),
 w3 AS (SELECT customer_id AS k, lifetime AS v FROM shop.dim_customer WHERE ds = :data_date)"""
BASES = [
    "raw.orders o",
    "(SELECT * FROM raw.orders WHERE amount > 1) o",
    "(SELECT r.*, 1 AS one FROM raw.orders r LEFT JOIN raw.names n0 ON n0.id = r.customer_id) o",
    "(SELECT order_id, customer_id, amount, status, ds FROM raw.orders UNION ALL SELECT order_id, customer_id, amount + 1, status, ds FROM raw.orders WHERE amount > 6) o",
]  # fmt: skip
SIDES = ["LEFT", "LEFT", "LEFT", "LEFT", "INNER", "FULL", "RIGHT"]


@st.composite
def queries(draw: st.DrawFn) -> str:
    """A SELECT over one base with up to four joins, plain, grouped, windowed or a UNION ALL of two."""
    aliases, joins = [("o", "amount")], []
    # RIGHT and FULL joins fill `o` with NULLs, so the base's day is fixed inside them.
    base = draw(st.sampled_from(BASES))
    for number in range(draw(st.integers(1, 4))):
        relation, on, column = draw(st.sampled_from(JOINS))
        alias = f"t{number}"
        left_alias, left_column = draw(st.sampled_from([("o", "customer_id"), ("o", "amount"), *aliases]))
        side = draw(st.sampled_from(SIDES))
        if side in ("FULL", "RIGHT") and ("ds" in on or on == "true"):
            side = "LEFT"
        extra = draw(
            st.sampled_from(
                ["", "", f" AND {alias}.{column} > o.amount", f" AND {alias}.{column} IS NOT NULL"]
            )
        )
        joins.append(
            f"{side} JOIN {relation.format(a=alias)} ON {on.format(a=alias, n=f'{left_alias}.{left_column}')}{extra}"
        )
        aliases.append((alias, column))
    kind = draw(st.sampled_from(["plain", "plain", "plain", "grouped", "grouped", "union"]))
    fields = [draw(_field(alias, column, kind == "grouped")) for alias, column in aliases]
    fields += [
        draw(_field(*draw(st.sampled_from(aliases)), kind == "grouped"))
        for _ in range(draw(st.integers(0, 2)))
    ]
    named = ", ".join(f"{one} AS f{number}" for number, one in enumerate(fields))
    where = "o.ds = :data_date" + draw(
        st.sampled_from(
            ["", " AND o.amount > 2", " AND EXISTS (SELECT 1 FROM raw.names e WHERE e.id = o.amount)"]
        )
    )
    select = f"SELECT o.order_id, {named} FROM {base} {' '.join(joins)} WHERE {where}"
    if kind == "grouped":
        select += draw(
            st.sampled_from(
                [" GROUP BY o.order_id", " GROUP BY ALL", " GROUP BY o.order_id HAVING count(*) > 1"]
            )
        )
    if kind == "union":
        select += " UNION ALL SELECT id, " + ", ".join(["id"] * len(fields)) + " FROM raw.names"
    return f"{WITH}\n{select}"


def _field(alias: str, column: str, grouped: bool) -> st.SearchStrategy[str]:
    value = f"{alias}.{column}"
    if grouped:
        return st.sampled_from(
            [
                f"sum({value})",
                "count(*)",
                f"count(DISTINCT {value})",
                f"max({value}) FILTER (o.amount > 3)",
                f"min({value}) + count(o.amount)",
            ]
        )
    return st.sampled_from(
        [value, f"coalesce({value}, 0) + coalesce(o.amount, 0)", f"sum({value}) OVER ()", f"rank() OVER (ORDER BY {value})",
         f"CASE WHEN {value} > 3 THEN o.status END", f"(SELECT count(*) FROM raw.names q WHERE q.id = {value})",
         f"count(*) OVER (PARTITION BY {value})"]
    )  # fmt: skip


@cache
def warehouse(seed: int) -> duckdb.DuckDBPyConnection:
    return connect(seed, rows=14)


def check(sql: str, seeds: tuple[int, ...]) -> None:
    definition = task(sql, ["order_id"])
    found, problems = compile_task(definition, PROJECT, catalogue())
    assert found is not None, (sql, problems)
    for seed in seeds:
        try:
            said = differences(warehouse(seed), found, sql, most=4)
        except duckdb.InternalException:
            # DuckDB 2.0 sometimes fails over its own plan (often for the user's text too): nothing to compare.
            warehouse.cache_clear()
            reject()
        assert not said, (sql, [node.fields for node in found.nodes], said)


@given(queries())
@settings(max_examples=120)
def test_generated_queries(sql: str) -> None:
    check(sql, (31, 32))


@pytest.mark.prove
@given(queries())
def test_many_generated_queries(sql: str) -> None:
    check(sql, (31, 32, 33, 34))
