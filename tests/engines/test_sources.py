"""Sources of every format: columns, views, keys, digests, and what a changed file does to a run (spec 2)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fieldwise.engines.duckdb import Warehouse
from fieldwise.engines.sources import folders_of
from fieldwise.model.attempt import InputRead
from fieldwise.model.definition import SourceFormat, SourceTable
from fieldwise.model.errors import EngineRefused

CSV = SourceTable("raw.orders", "shop", SourceFormat.CSV, "data/orders.csv")
PARQUET = replace(CSV, format=SourceFormat.PARQUET, location="data/*.parquet", partition="ds")
JSON = replace(CSV, format=SourceFormat.JSON, location="data/orders.json")


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    made = Warehouse(str(tmp_path / "warehouse.duckdb"))
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "project" / "data").mkdir(parents=True)
    return tmp_path / "project"


def parquet(warehouse: Warehouse, folder: Path, select: str, name: str = "a") -> None:
    path = folder / "data" / f"{name}.parquet"
    warehouse.cursor().execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    os.utime(path, ns=(os.stat(path).st_mtime_ns + len(select), os.stat(path).st_mtime_ns + len(select)))


def register(warehouse: Warehouse, folder: Path, source: SourceTable) -> SourceTable:
    """As a publish does: with the columns that were read."""
    filled = replace(source, columns=warehouse.source_columns(str(folder), source))
    warehouse.register_sources(str(folder), [filled])
    return filled


def test_columns_are_read_and_declared_ones_win(warehouse: Warehouse, folder: Path) -> None:
    (folder / "data/orders.csv").write_text("id,amount\n1,5\n")
    (folder / "data/orders.json").write_text('{"id": 1, "amount": 5.5}\n')
    assert warehouse.source_columns(str(folder), CSV) == (("id", "BIGINT"), ("amount", "BIGINT"))
    declared = replace(CSV, columns=(("amount", "DECIMAL(12,2)"),))
    assert warehouse.source_columns(str(folder), declared) == (("id", "BIGINT"), ("amount", "DECIMAL(12,2)"))
    assert warehouse.source_columns(str(folder), JSON) == (("id", "BIGINT"), ("amount", "DOUBLE"))
    filled = register(warehouse, folder, declared)
    assert warehouse.describe(f"SELECT * FROM {filled.name}") == filled.columns
    with pytest.raises(EngineRefused, match="has no column total; it has id, amount"):
        warehouse.source_columns(str(folder), replace(CSV, columns=(("total", "INTEGER"),)))


def test_a_source_that_cannot_be_read_is_refused_in_the_engines_words(
    warehouse: Warehouse, folder: Path
) -> None:
    with pytest.raises(EngineRefused, match="No files found"):
        warehouse.source_columns(str(folder), CSV)


def test_a_text_file_keeps_the_types_it_was_published_with(warehouse: Warehouse, folder: Path) -> None:
    (folder / "data/orders.csv").write_text("id,amount\n1,5\n")
    register(warehouse, folder, CSV)
    (folder / "data/orders.csv").write_text("id,amount\n1,\n2,7\n")
    assert warehouse.query("SELECT * FROM raw.orders ORDER BY id").rows == ((1, None), (2, 7))
    (folder / "data/orders.csv").write_text("id,amount\n1,five\n")
    with pytest.raises(EngineRefused, match="five"):
        warehouse.query("SELECT * FROM raw.orders")


def test_a_changed_or_missing_column_is_named(warehouse: Warehouse, folder: Path) -> None:
    parquet(warehouse, folder, "SELECT 1 AS id, 5 AS amount")
    register(warehouse, folder, PARQUET)
    cursor = warehouse.cursor()
    assert warehouse.facts.changed_columns(cursor, "raw.orders", ["id", "amount"]) == []
    parquet(warehouse, folder, "SELECT 1 AS id, 'five' AS amount, 3 AS more")
    assert warehouse.facts.changed_columns(cursor, "raw.orders", ["id", "amount"]) == [
        "amount: INTEGER -> VARCHAR"
    ]
    assert warehouse.facts.changed_columns(cursor, "raw.orders", ["id"]) == []
    parquet(warehouse, folder, "SELECT 1 AS id, 3 AS more, 4 AS others")
    assert warehouse.facts.changed_columns(cursor, "raw.orders", ["id", "amount"]) == [
        "amount: INTEGER -> missing"
    ]


def test_a_digest_ignores_order_and_sees_values_per_column_and_partition(
    warehouse: Warehouse, folder: Path
) -> None:
    rows = "SELECT * FROM (VALUES (DATE '2026-11-17', 1, 5), (DATE '2026-11-18', 2, 6), (DATE '2026-11-18', 3, 7)) t(ds, id, amount)"
    parquet(warehouse, folder, rows + " ORDER BY id")
    register(warehouse, folder, PARQUET)
    read = InputRead("raw.orders", ("id", "amount"), ("2026-11-18",), source=True)
    first = dict(warehouse.input_versions([read]))
    assert first.keys() == {"raw.orders.id@2026-11-18", "raw.orders.amount@2026-11-18"}
    parquet(warehouse, folder, rows + " ORDER BY id DESC")
    assert dict(warehouse.input_versions([read])) == first
    parquet(warehouse, folder, rows.replace("1, 5", "1, 50"))
    assert dict(warehouse.input_versions([read])) == first
    parquet(warehouse, folder, rows.replace("3, 7", "3, 700"))
    changed = dict(warehouse.input_versions([read]))
    assert {name for name in first if first[name] != changed[name]} == {"raw.orders.amount@2026-11-18"}


def test_a_declared_key_is_looked_at_within_the_partition(warehouse: Warehouse, folder: Path) -> None:
    rows = "SELECT * FROM (VALUES (DATE '2026-11-17', 1), (DATE '2026-11-18', 1), (DATE '2026-11-19', 2), (DATE '2026-11-19', 2)) t(ds, id)"
    parquet(warehouse, folder, rows)
    register(warehouse, folder, PARQUET)
    item, cursor = '"raw"."orders"', warehouse.cursor()
    assert warehouse.facts.duplicates(cursor, item, ["id"], "ds", "2026-11-18") == ""
    assert warehouse.facts.duplicates(cursor, item, ["id"], "ds", "2026-11-19") == "(2)"
    assert warehouse.facts.duplicates(cursor, item, ["ds", "id"], "", "") == "(2026-11-19, 2)"


def test_facts_are_looked_up_again_only_when_the_files_change(
    warehouse: Warehouse, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet(warehouse, folder, "SELECT DATE '2026-11-18' AS ds, 1 AS id")
    register(warehouse, folder, PARQUET)
    read = InputRead("raw.orders", ("id",), ("2026-11-18",), source=True)
    original, looked = warehouse.facts._digest, []
    monkeypatch.setattr(warehouse.facts, "_digest", lambda *given: looked.append(1) or original(*given))
    for _ in range(3):
        warehouse.input_versions([read])
    assert len(looked) == 1
    parquet(warehouse, folder, "SELECT DATE '2026-11-18' AS ds, 12 AS id")
    warehouse.input_versions([read])
    assert len(looked) == 2


def test_a_file_added_to_a_glob_is_read(warehouse: Warehouse, folder: Path) -> None:
    parquet(warehouse, folder, "SELECT DATE '2026-11-18' AS ds, 1 AS id")
    register(warehouse, folder, PARQUET)
    parquet(warehouse, folder, "SELECT DATE '2026-11-19' AS ds, 2 AS id", "b")
    assert warehouse.query("SELECT count(*) FROM raw.orders").rows == ((2,),)


def test_two_projects_may_not_mean_different_files_by_one_name(warehouse: Warehouse, folder: Path) -> None:
    (folder / "data/orders.csv").write_text("id\n1\n")
    (folder / "data/other.csv").write_text("id\n1\n")
    register(warehouse, folder, CSV)
    register(warehouse, folder, replace(CSV, project="crm"))
    with pytest.raises(EngineRefused, match="is a source of project"):
        register(warehouse, folder, replace(CSV, project="web", location="data/other.csv"))


def test_a_table_that_a_task_fills_is_empty_first_and_keeps_its_rows(
    warehouse: Warehouse, folder: Path
) -> None:
    visits = SourceTable(
        "raw.visits", "shop", SourceFormat.FROM_TASK, from_task="shop.load", columns=(("id", "INTEGER"),)
    )
    assert warehouse.source_columns(str(folder), visits) == (("ds", "DATE"), ("id", "INTEGER"))
    warehouse.register_sources(str(folder), [visits])
    warehouse.cursor().execute("INSERT INTO raw.visits VALUES ('2026-11-18', 1)")
    warehouse.register_sources(str(folder), [visits])
    assert warehouse.query("SELECT count(*) FROM raw.visits").rows == ((1,),)
    undeclared = replace(visits, name="raw.clicks", columns=())
    warehouse.register_sources(str(folder), [undeclared])
    with pytest.raises(EngineRefused):
        warehouse.source_columns(str(folder), undeclared)


def test_a_view_does_not_take_the_place_of_a_table(warehouse: Warehouse, folder: Path) -> None:
    (folder / "data/orders.csv").write_text("id\n1\n")
    warehouse.cursor().execute("CREATE SCHEMA raw; CREATE TABLE raw.orders (id INTEGER)")
    with pytest.raises(EngineRefused):
        register(warehouse, folder, CSV)


def test_folders_outside_the_project_are_named(tmp_path: Path) -> None:
    home = str(tmp_path / "shop")
    outside = replace(CSV, location="../lake/orders/*.csv")
    far = replace(CSV, location=str(tmp_path / "far" / "x.csv"))
    assert folders_of(home, [CSV, outside, far]) == sorted(
        [home, str(tmp_path / "far"), str(tmp_path / "lake" / "orders")]
    )
