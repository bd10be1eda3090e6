"""A day that was computed before an earlier one it sums over had arrived."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from oracle import difference, partitions

from fieldwise.wiring import open_home

FILES = {
    "project.yml": "name: shop\nowner: ana\n",
    "sources/raw.yml": (
        "schema: raw\n"
        "tables:\n"
        "  deliveries: {location: data/deliveries.csv}\n"
        "  orders:\n"
        "    location: data/orders.csv\n"
        "    partition: ds\n"
        '    ready: "SELECT count(*) > 0 FROM raw.deliveries WHERE day = :data_date"\n'
    ),
    "data/orders.csv": "order_id,channel,ds\n1,web,2025-06-03\n2,web,2025-06-04\n3,web,2025-06-04\n",
    "tables/fct_order.sql": (
        "/*\nkind: fact\nkey: [order_id]\n*/\nSELECT order_id, channel FROM raw.orders WHERE ds = :data_date\n"
    ),
    "tables/agg_channel.yml": (
        "kind: aggregate\n"
        "key: [channel]\n"
        "atomic: {orders: {from: shop.fct_order, value: count(*)}}\n"
        "metrics:\n"
        "  orders_so_far: {atomic: orders, period: td}\n"
    ),
}
FIRST, SECOND = date(2025, 6, 3), date(2025, 6, 4)


def test_a_sum_over_all_days_is_right_when_an_earlier_day_comes_last(tmp_path: Path) -> None:
    project = tmp_path / "shop"
    for name, text in (FILES | {"data/deliveries.csv": f"day\n{SECOND}\n"}).items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    with open_home(tmp_path / "home") as deployment:
        deployment.run([project], FIRST, SECOND)
        (project / "data" / "deliveries.csv").write_text(f"day\n{FIRST}\n{SECOND}\n")
        assert deployment.run([project], FIRST, SECOND).ok
        assert [said for one in partitions(deployment) if (said := difference(deployment, one))] == []
