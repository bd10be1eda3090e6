"""Check, plan, publish and run on real files with the real engine: what the command line stands on."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from fieldwise.model.errors import BadRequest, DefinitionsInvalid
from fieldwise.wiring import check_folders, open_home, plan_folders

DAY = date(2026, 11, 18)
HEADER = "/*\nkind: fact\nkey: [id]\n*/\n"
FILES = {
    "project.yml": "name: shop\ntimezone: UTC\nowner: ana\ndefaults: {retries: {times: 0}}\n",
    "sources/raw.yml": "schema: raw\ntables:\n  orders: {location: data/orders.csv, partition: ds}\n",
    "data/orders.csv": "id,amount,ds\n1,10,2026-11-18\n2,20,2026-11-18\n1,5,2026-11-17\n",
    "tables/orders.sql": HEADER
    + "SELECT o.id, o.amount, o.amount * 2 AS twice FROM raw.orders o WHERE o.ds = :data_date\n",
    "tables/totals.sql": HEADER
    + "SELECT o.id, o.amount + coalesce(t.total, 0) AS total FROM shop.orders o\n"
    + "LEFT JOIN shop.totals t ON t.id = o.id AND t.ds = :data_date - INTERVAL 1 DAY\n"
    + "WHERE o.ds = :data_date\n",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        write(tmp_path / "shop" / name, text)
    return tmp_path / "shop"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_check_and_plan_create_nothing_on_disk(shop: Path) -> None:
    before = sorted(shop.parent.rglob("*"))
    assert check_folders([shop]).problems == ()
    document = plan_folders([shop])
    assert [table["table"] for table in document["tables"]] == ["shop.orders", "shop.totals"]
    assert {change["change"] for change in document["changes"]} == {"table_added"}
    assert sorted(shop.parent.rglob("*")) == before


def test_types_come_from_the_engine_also_for_a_table_that_reads_itself(shop: Path) -> None:
    (publication,) = check_folders([shop]).candidates
    types = {field.name: field.type for task in publication.tasks for field in task.fields}
    assert types == {"id": "BIGINT", "amount": "BIGINT", "twice": "BIGINT", "total": "BIGINT"}


def test_a_type_error_is_located(shop: Path) -> None:
    write(
        shop / "tables" / "bad.sql", HEADER + "SELECT o.id, o.ds + 'x'::INTERVAL[] AS y FROM raw.orders o\n"
    )
    (problem,) = check_folders([shop]).problems
    assert problem.file.endswith("shop/tables/bad.sql")
    assert problem.line == 5


def test_a_source_that_is_not_there_is_located(shop: Path) -> None:
    (shop / "data" / "orders.csv").unlink()
    problems = check_folders([shop]).problems
    assert problems[0].code == "source_unreadable"
    assert problems[0].file.endswith("sources/raw.yml")
    with pytest.raises(DefinitionsInvalid):
        plan_folders([shop])


def test_days_run_in_order_and_a_second_run_starts_nothing(shop: Path, tmp_path: Path) -> None:
    with open_home(tmp_path / "home") as deployment:
        result = deployment.run([shop], DAY - timedelta(days=1), DAY)
        assert result.ok, (result.failures, result.blocks)
        assert (result.instances, result.succeeded) == (4, result.node_instances)
        rows = deployment.query("SELECT ds, id, total FROM shop.totals ORDER BY ds, id").rows
        assert rows == ((DAY - timedelta(days=1), 1, 5), (DAY, 1, 15), (DAY, 2, 20))
        again = deployment.run([shop], DAY - timedelta(days=1), DAY)
        assert again.document() | {"seconds": 0} == dict.fromkeys(again.document(), 0)


def test_publishing_the_same_again_changes_nothing(shop: Path, tmp_path: Path) -> None:
    with open_home(tmp_path / "home") as deployment:
        (first,) = deployment.publish([shop])
        (again,) = deployment.publish([f"{shop}/"])
        assert (first.changed, first.publication.version) == (True, 1)
        assert (again.changed, again.publication.version) == (False, 1)
        assert deployment.plan([shop])["changes"] == []


def test_a_changed_table_keeps_its_data_and_its_old_instances(shop: Path, tmp_path: Path) -> None:
    with open_home(tmp_path / "home") as deployment:
        deployment.run([shop], DAY, DAY)
        text = FILES["tables/orders.sql"].replace("AS twice", "AS twice, o.amount * 3 AS thrice")
        write(shop / "tables" / "orders.sql", text)
        changes = {(c["table"], c["change"]) for c in deployment.plan([shop])["changes"]}
        assert ("shop.orders", "field_added") in changes
        result = deployment.run([shop], DAY, DAY)
        assert (result.node_instances, result.ok) == (0, True)
        rows = deployment.query("SELECT id, twice, thrice FROM shop.orders ORDER BY id").rows
        assert rows == ((1, 20, None), (2, 40, None))
        assert deployment.run([shop], DAY - timedelta(days=1), DAY - timedelta(days=1)).ok
        assert deployment.query("SELECT thrice FROM shop.orders WHERE ds = '2026-11-17'").rows == ((15,),)


def test_what_waits_for_a_source_that_is_not_ready_is_blocked(shop: Path, tmp_path: Path) -> None:
    ready = '"SELECT count(*) > 1000 FROM raw.orders WHERE ds = :data_date"'
    write(
        shop / "sources" / "raw.yml",
        FILES["sources/raw.yml"].replace("partition: ds}", f"partition: ds, ready: {ready}}}"),
    )
    with open_home(tmp_path / "home") as deployment:
        result = deployment.run([shop], DAY, DAY)
        assert (result.succeeded, result.failed) == (0, 0)
        assert result.blocked == result.node_instances > 0
        codes = {reason["code"] for block in result.blocks for reason in block["reasons"]}
        assert "source_not_ready" in codes


def test_tomorrow_is_refused(shop: Path, tmp_path: Path) -> None:
    with open_home(tmp_path / "home") as deployment, pytest.raises(BadRequest, match="after yesterday"):
        deployment.run([shop], date(2999, 1, 1), date(2999, 1, 1))
