"""The sample warehouse is right as plain SQL, before Fieldwise plans, splits or runs any of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from plain_warehouse import Item, PlainWarehouse

from fieldwise.cli.sample import generate, query_pairs

EXAMPLES = Path(__file__).parents[2] / "examples"
PROJECTS = ("tpch", "tpch_growth")
YESTERDAY = date(2026, 11, 19)
DAYS = [date(2026, 11, 17), date(2026, 11, 18), YESTERDAY]
TABLES = sorted(
    f"{project}.{path.stem}" for project in PROJECTS for path in (EXAMPLES / project / "tables").iterdir()
)
QUERIES = [f"q{number:02}" for number in range(1, 23)]
EMPTY_WHEN_TINY = {"q17"}  # a NULL at scale factor 0.01, as in TPC-H itself


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainWarehouse]:
    folder = tmp_path_factory.mktemp("sample")
    for project in PROJECTS:
        shutil.copytree(
            EXAMPLES / project, folder / project, ignore=shutil.ignore_patterns("data", ".data-*")
        )
    generate(folder / "tpch", 0.01, YESTERDAY)
    built = PlainWarehouse([folder / project for project in PROJECTS])
    built.run(DAYS)
    yield built
    built.db.close()


def rows(warehouse: PlainWarehouse, sql: str) -> list[tuple[Any, ...]]:
    return warehouse.db.execute(sql).fetchall()


def fields(warehouse: PlainWarehouse, item: Item) -> list[str]:
    return [
        name for name, *_ in rows(warehouse, f"DESCRIBE {item.name}") if name != "ds" and name not in item.key
    ]


def test_all_eight_tables_of_tpch_and_enough_of_ours() -> None:
    assert len(TABLES) >= 14
    text = "".join(path.read_text() for path in (EXAMPLES / "tpch" / "tables").iterdir())
    for table in ("region", "nation", "customer", "supplier", "part", "partsupp", "orders", "lineitem"):
        assert f"raw.{table}" in text


@pytest.mark.parametrize("table", TABLES)
def test_keys_checks_and_bounds_hold(warehouse: PlainWarehouse, table: str) -> None:
    item = warehouse.items[table]
    key = ", ".join(item.key)
    assert not rows(warehouse, f"SELECT ds, {key} FROM {table} GROUP BY ALL HAVING count(*) > 1"), (
        "the key is unique in a partition"
    )
    assert rows(
        warehouse,
        f"SELECT count(*) FROM {table} WHERE ({key}) IS NULL OR {' OR '.join(f'{k} IS NULL' for k in item.key)}",
    ) == [(0,)]
    noted = item.header.get("fields", {}) | item.header.get("metrics", {})
    assert set(noted) <= set(fields(warehouse, item)), "every field that is described exists"
    for name, note in noted.items():
        for check in [note["checks"]] if isinstance(note.get("checks"), str) else note.get("checks", []):
            condition = f"{name} IS NOT NULL" if check == "not_null" else f"{name} {check}"
            assert rows(warehouse, f"SELECT count(*) FROM {table} WHERE NOT ({condition})") == [(0,)], (
                f"{name} {check}"
            )
    counts = dict(rows(warehouse, f"SELECT ds, count(*) FROM {table} GROUP BY ds"))
    if item.header.get("rows", {}).get("min"):
        assert all(counts.get(day) for day in DAYS)


@pytest.mark.parametrize(
    "table", [table for table in TABLES if table not in ("tpch.dim_region", "tpch.agg_order_hour")]
)
def test_every_day_brings_something_else(warehouse: PlainWarehouse, table: str) -> None:
    first, second, third = (
        sorted(map(repr, rows(warehouse, f"SELECT * EXCLUDE (ds) FROM {table} WHERE ds = DATE '{day}'")))
        for day in DAYS
    )
    assert first != second != third
    if table != "tpch.agg_order_day":  # on the first day only the hour before midnight has run
        assert first
    assert second
    assert third


def test_history_comes_with_the_first_day(warehouse: PlainWarehouse) -> None:
    for table, column in (("raw.orders", "o_orderdate"), ("tpch.fct_line", "order_date")):
        assert rows(warehouse, f"SELECT count(*) FROM {table} WHERE {column} > ds") == [(0,)]
        found = rows(warehouse, f"SELECT ds, count(*), max({column}) FROM {table} GROUP BY ds ORDER BY ds")
        assert [(ds, newest) for ds, _, newest in found] == [(day, day) for day in DAYS]
        assert found[0][1] > 100 * found[1][1] > 0
    assert rows(
        warehouse, "SELECT count(*) FROM (SELECT o_orderkey FROM raw.orders GROUP BY 1 HAVING count(*) > 1)"
    ) == [(0,)]


def test_the_day_is_the_sum_of_its_hours_and_of_its_orders(warehouse: PlainWarehouse) -> None:
    for day in DAYS[1:]:
        live = rows(
            warehouse,
            f"SELECT channel, order_count, order_amount FROM tpch.agg_order_day WHERE ds = '{day}' ORDER BY 1",
        )
        batch = rows(
            warehouse,
            f"SELECT channel, count(*), sum(total_price) FROM tpch.fct_order WHERE ds = '{day}' AND order_date = ds GROUP BY 1 ORDER BY 1",
        )
        assert live == batch != []


def test_supply_cost_remembers_its_lowest(warehouse: PlainWarehouse) -> None:
    """The self dependency: equal to the minimum over all days, computed from yesterday alone."""
    wrong = """
        SELECT * FROM tpch.fct_supply f
        WHERE lowest_supply_cost <> (SELECT min(supply_cost) FROM tpch.fct_supply g
                                     WHERE g.part_key = f.part_key AND g.supplier_key = f.supplier_key AND g.ds <= f.ds)"""
    assert not rows(warehouse, wrong)
    assert rows(
        warehouse, "SELECT count(*) > 0 FROM tpch.fct_supply WHERE lowest_supply_cost < supply_cost"
    ) == [(True,)]


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("query", QUERIES)
def test_logical_tables_answer_as_raw_ones(warehouse: PlainWarehouse, query: str, day: date) -> None:
    folder = warehouse.items["tpch.fct_line"].folder
    pair = next(pair for pair in query_pairs(folder, day) if pair.name == query)
    logical, raw = rows(warehouse, pair.logical), rows(warehouse, pair.raw)
    assert logical == raw
    assert raw
    assert query in EMPTY_WHEN_TINY or any(value is not None for value in raw[0])


def test_there_are_22_queries_on_both_sides() -> None:
    folder = EXAMPLES / "tpch" / "queries"
    assert [path.stem for path in sorted(folder.glob("q*.sql"))] == QUERIES
    assert [path.stem for path in sorted((folder / "raw").glob("q*.sql"))] == QUERIES
    for path in folder.glob("q*.sql"):
        assert "raw." not in path.read_text(), "a logical query knows no raw table"


def test_expected_nodes_name_every_field_once(warehouse: PlainWarehouse) -> None:
    expected = yaml.safe_load((Path(__file__).parent / "expected_nodes.yml").read_text())
    assert sorted(expected) == TABLES
    for table, nodes in expected.items():
        found = [name for node in nodes for name in node]
        assert sorted(found) == sorted(fields(warehouse, warehouse.items[table])), table


def test_the_sample_reads_well() -> None:
    """One language, no tabs, no lines that run on, a description everywhere."""
    for project in PROJECTS:
        for path in (EXAMPLES / project).rglob("*.*"):
            if "data" in path.parts or not path.is_file():
                continue
            text = path.read_text()
            assert "\t" not in text
            assert text.endswith("\n")
            assert max(map(len, text.splitlines())) <= 150, path
            assert not re.search(r"\bTODO\b", text)
        for path in (*(EXAMPLES / project / "tables").iterdir(), *(EXAMPLES / project).glob("tasks/*")):
            assert "description:" in path.read_text(), path
