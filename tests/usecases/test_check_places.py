"""What only the engine can refuse is said in one sentence, where the user wrote what it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldwise.wiring import check_folders

FILES = {
    "project.yml": "name: shop\nowner: ana\n",
    "sources/raw.yml": "schema: raw\ntables:\n  orders: {location: data/orders.csv, partition: ds}\n",
    "data/orders.csv": "order_id,name,ds\n1,x,2026-11-18\n",
}
HEADER = "/*\nkind: fact\nkey: [order_id]\n*/\n"


@pytest.mark.parametrize(
    ("select", "where", "words"),
    [
        ("SELECT order_id,\n  order_id + name AS odd\nFROM raw.orders WHERE ds = :data_date", (6, 12), "'+(BIGINT, VARCHAR)'"),
        ("SELECT order_id,\n  sum(name) AS all_of_it\nFROM raw.orders WHERE ds = :data_date GROUP BY 1", (6, 3), "'sum(VARCHAR)'"),
    ],
)  # fmt: skip
def test_an_engine_error_stands_where_its_cause_is(
    tmp_path: Path, select: str, where: tuple[int, int], words: str
) -> None:
    for name, text in (FILES | {"tables/t.sql": HEADER + select + "\n"}).items():
        (tmp_path / "shop" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "shop" / name).write_text(text)
    (problem,) = check_folders([tmp_path / "shop"]).problems
    assert (problem.line, problem.column) == where
    assert words in problem.message
    assert "\n" not in problem.message
    assert "LINE" not in problem.message
    assert not problem.message.startswith("Binder Error")
