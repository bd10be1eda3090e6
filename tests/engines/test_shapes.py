"""Publishing definitions changes tables and destroys nothing (spec 2, "Publish")."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fieldwise.engines.duckdb import InMemoryEngine, Warehouse
from fieldwise.model.errors import EngineRefused
from fieldwise.ports.engine import ShapeChange, TableShape

NAME = "shop.orders"
SHAPE = TableShape(NAME, "DATE", (("id", "INTEGER"), ("amount", "INTEGER")), ("id",))
WIDER = TableShape(NAME, "DATE", (*SHAPE.columns, ("note", "VARCHAR")), ("id",))
VERSION = "prod/shop/2"


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    made = Warehouse(str(tmp_path / "warehouse.duckdb"))
    made.change_shapes([ShapeChange("create", SHAPE)], "prod/shop/1")
    made.cursor().execute(f"INSERT INTO {NAME} VALUES ('2026-11-18', 1, 10)")
    yield made
    made.close()


def columns(warehouse: Warehouse) -> list[str]:
    return [name for name, _ in warehouse.describe(f"SELECT * FROM {NAME}")]


def test_a_table_is_created_with_its_partition_first(warehouse: Warehouse) -> None:
    assert warehouse.describe(f"SELECT * FROM {NAME}") == (("ds", "DATE"), *SHAPE.columns)


def test_an_added_column_is_empty(warehouse: Warehouse) -> None:
    warehouse.change_shapes([ShapeChange("add_columns", WIDER, (("note", "VARCHAR"),))], VERSION)
    assert warehouse.query(f"SELECT id, amount, note FROM {NAME}").rows == ((1, 10, None),)


def test_a_dropped_column_is_kept_with_its_keys(warehouse: Warehouse) -> None:
    narrower = TableShape(NAME, "DATE", (("id", "INTEGER"),), ("id",))
    for _ in range(2):
        warehouse.change_shapes([ShapeChange("drop_columns", narrower, (("amount", "INTEGER"),))], VERSION)
    assert columns(warehouse) == ["ds", "id"]
    assert warehouse.query(f'SELECT id, amount FROM fieldwise_dropped."{NAME}@{VERSION}"').rows == ((1, 10),)


@pytest.mark.parametrize("action", ["replace", "remove"])
def test_a_replaced_or_removed_table_is_kept(warehouse: Warehouse, action: str) -> None:
    warehouse.change_shapes([ShapeChange(action, WIDER)], VERSION)
    assert warehouse.query(f'SELECT id, amount FROM fieldwise_dropped."{NAME}@{VERSION}"').rows == ((1, 10),)
    if action == "replace":
        assert warehouse.query(f"SELECT count(*) FROM {NAME}").rows == ((0,),)
    else:
        with pytest.raises(EngineRefused):
            warehouse.query(f"SELECT count(*) FROM {NAME}")


def test_creating_a_table_of_the_same_shape_again_keeps_its_rows(warehouse: Warehouse) -> None:
    warehouse.change_shapes([ShapeChange("create", SHAPE)], "prod/shop/9")
    assert warehouse.query(f"SELECT count(*) FROM {NAME}").rows == ((1,),)
    warehouse.change_shapes([ShapeChange("create", WIDER)], "prod/shop/10")
    assert warehouse.query(f"SELECT count(*) FROM {NAME}").rows == ((0,),)


def test_the_same_version_twice_is_harmless_and_other_changes_under_its_name_are_made(
    warehouse: Warehouse,
) -> None:
    """A store that was made anew counts its versions from 1 again."""
    change = ShapeChange("replace", WIDER)
    warehouse.change_shapes([change], VERSION)
    warehouse.cursor().execute(f"INSERT INTO {NAME} VALUES ('2026-11-18', 5, 5, 'x')")
    warehouse.change_shapes([change], VERSION)
    assert warehouse.query(f"SELECT id FROM {NAME}").rows == ((5,),)
    warehouse.change_shapes([ShapeChange("remove", WIDER)], VERSION)
    with pytest.raises(EngineRefused):
        warehouse.query(f"SELECT id FROM {NAME}")


def test_all_changes_or_none(warehouse: Warehouse) -> None:
    bad = TableShape("shop.other", "DATE", (("id", "NO_SUCH_TYPE"),), ("id",))
    with pytest.raises(EngineRefused):
        warehouse.change_shapes([ShapeChange("remove", SHAPE), ShapeChange("create", bad)], VERSION)
    assert warehouse.query(f"SELECT id FROM {NAME}").rows == ((1,),)
    assert warehouse.query("SELECT version FROM fieldwise.shape_change").rows == (("prod/shop/1",),)


def test_names_with_quotes_and_spaces_are_names(warehouse: Warehouse) -> None:
    odd = TableShape('shop.a "b" c', "TIMESTAMP", (('k "1"', "INTEGER"),), ('k "1"',))
    warehouse.change_shapes([ShapeChange("create", odd)], VERSION)
    assert warehouse.describe('SELECT * FROM shop."a ""b"" c"') == (("ds", "TIMESTAMP"), ('k "1"', "INTEGER"))


def test_an_engine_in_memory_describes_over_empty_tables() -> None:
    engine = InMemoryEngine()
    engine.create_empty(WIDER)
    engine.create_empty(SHAPE)
    assert engine.describe(
        f"SELECT sum(amount) AS total, ds FROM {NAME} WHERE id > $least GROUP BY ds", {"least": 1}
    ) == (
        ("total", "HUGEINT"),
        ("ds", "DATE"),
    )
    with pytest.raises(EngineRefused, match="nope"):
        engine.describe(f"SELECT nope FROM {NAME}")
    with pytest.raises(EngineRefused, match="one reading statement"):
        engine.describe("DROP TABLE shop.orders")
    engine.close()
