"""Force rerun across projects: three locked steps, every rule by its name, targets run again and others are passed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from fieldwise.model.access import Actor, Grant, Role
from fieldwise.model.errors import NotFound
from fieldwise.operations.across_projects import NotEligible
from fieldwise.wiring import Deployment, open_home

ANA = Actor("ana", "cli", (Grant(Role.SUPER_ADMINISTRATOR),))
DAYS = [date(2026, 11, day) for day in (14, 15, 16, 17)]
DAY = DAYS[2]
FILES = {
    "shop/project.yml": "name: shop\nowner: ana\n",
    "shop/sources/raw.yml": "schema: raw\ntables:\n  orders: {location: data/orders.csv, partition: ds}\n",
    "shop/data/orders.csv": "order_id,amount,ds\n"
    + "".join(f"{n},{n}.5,{day}\n" for day in DAYS for n in range(3)),
    "shop/tables/fct_order.sql": "/*\nkind: fact\nkey: [order_id]\n*/\n"
    "SELECT order_id, amount FROM raw.orders WHERE ds = :data_date\n",
    "shop/tables/late.sql": "/*\nkind: fact\nkey: [order_id]\nrerun: never\n*/\n"
    "SELECT order_id, amount AS late FROM shop.fct_order WHERE ds = :data_date\n",
    "growth/project.yml": "name: growth\nowner: bob\n",
    "growth/tables/agg.sql": "/*\nkind: aggregate\nkey: [size]\n*/\n"
    "SELECT round(amount) AS size, count(*) AS orders FROM shop.fct_order WHERE ds = :data_date GROUP BY round(amount)\n",
    "shop/tables/back.sql": "/*\nkind: aggregate\nkey: [size]\n*/\n"
    "SELECT size, orders + 1 AS more FROM growth.agg WHERE ds = :data_date\n",
}


class Noon:
    """The 18th of November at noon."""

    def now(self) -> datetime:
        return datetime(2026, 11, 18, 12, tzinfo=UTC)

    def monotonic(self) -> float:
        return time.monotonic()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Deployment]:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    with open_home(tmp_path / "home", clock=Noon()) as deployment:
        assert deployment.run([tmp_path / "shop", tmp_path / "growth"], DAYS[0], DAYS[-1]).ok
        yield deployment


def start(home: Deployment, day: date = DAY) -> int:
    return home.browse.find("shop.fct_order", day)


def code(refused: pytest.ExceptionInfo[NotEligible]) -> str:
    return refused.value.code


def runs(home: Deployment, table: str) -> int:
    return len(home.store.runs(home.browse.find(table, DAY)))


def test_only_yesterday_and_the_day_before_may_be_the_start(home: Deployment) -> None:
    with pytest.raises(NotEligible, match="must be 2026-11-17 or 2026-11-16, is 2026-11-15") as refused:
        home.emergency.begin(start(home, DAYS[1]), ANA)
    assert code(refused) == "data_timestamp_out_of_range"
    assert home.emergency.begin(start(home, DAYS[3]), ANA)["step"] == 1


def test_the_steps_are_locked_one_after_the_other(home: Deployment) -> None:
    wizard = home.emergency
    draft = wizard.begin(start(home), ANA)["id"]
    with pytest.raises(NotEligible) as refused:
        wizard.projects(draft, ["shop"], True, ANA)
    assert code(refused) == "projects_locked"
    with pytest.raises(NotEligible) as refused:
        wizard.basic(draft, False, True, False, ANA)
    assert code(refused) == "not_confirmed"
    projects = wizard.basic(draft, False, True, True, ANA)["projects"]
    assert [(one["project"], one["instances"]) for one in projects] == [("growth", 1), ("shop", 2)]
    with pytest.raises(NotEligible) as refused:
        wizard.basic(draft, True, True, True, ANA)
    assert code(refused) == "basic_locked"
    with pytest.raises(NotEligible) as refused:
        wizard.projects(draft, [], True, ANA)
    assert code(refused) == "no_project_selected"
    with pytest.raises(NotEligible) as refused:
        wizard.projects(draft, ["growth"], True, ANA)
    assert code(refused) == "start_project_not_selected"
    impact = wizard.projects(draft, ["shop"], True, ANA)
    assert (impact["force_rerun"], impact["dry_run"]) == (2, 1)
    assert [(one["object"], one["code"]) for one in impact["conflicts"]] == [
        ("shop.late 2026-11-16", "rerun_never")
    ]
    with pytest.raises(NotEligible) as refused:
        wizard.submit(draft, impact["hash"], " ", True, ANA)
    assert code(refused) == "reason_missing"
    with pytest.raises(NotEligible) as refused:
        wizard.submit(draft, impact["hash"], "late orders", False, ANA)
    assert code(refused) == "not_accepted"


def test_selected_projects_run_again_and_the_others_are_passed_by_a_dry_run(home: Deployment) -> None:
    wizard = home.emergency
    before = {
        table: runs(home, table) for table in ("shop.fct_order", "growth.agg", "shop.back", "shop.late")
    }
    draft = wizard.begin(start(home), ANA)["id"]
    wizard.basic(draft, False, True, True, ANA)
    impact = wizard.projects(draft, ["shop"], True, ANA)
    operation = wizard.submit(draft, impact["hash"], "late orders", True, ANA)
    after = {table: runs(home, table) for table in before}
    assert after["shop.fct_order"] > before["shop.fct_order"]
    assert after["shop.back"] > before["shop.back"], "it is reached through the other project"
    assert after["growth.agg"] == before["growth.agg"], "only a dry run"
    assert after["shop.late"] == before["shop.late"], "a task that may not be rerun stays as it is"
    assert "dry_run" in home.browse.instance(home.browse.find("growth.agg", DAY))["nodes"][0]["marks"]
    assert home.operate.operation(operation["operation"])["verb"] == "emergency_rerun"
    with pytest.raises(NotFound):
        wizard.submit(draft, impact["hash"], "again", True, ANA)


def test_with_children_the_start_is_left_as_it_is(home: Deployment) -> None:
    wizard = home.emergency
    before = runs(home, "shop.fct_order")
    draft = wizard.begin(start(home), ANA)["id"]
    wizard.basic(draft, True, True, True, ANA)
    impact = wizard.projects(draft, ["growth"], True, ANA)
    wizard.submit(draft, impact["hash"], "late orders", True, ANA)
    assert runs(home, "shop.fct_order") == before
    assert runs(home, "growth.agg") == 2


def test_only_an_administrator_may_begin_and_only_their_projects_run_again(home: Deployment) -> None:
    operator = Actor("eve", "ui", (Grant(Role.OPERATOR, "shop"), Grant(Role.OPERATOR, "growth")))
    with pytest.raises(NotEligible, match="you are not administrator of shop") as refused:
        home.emergency.begin(start(home), operator)
    assert code(refused) == "not_administrator"
    eve = Actor("eve", "ui", (Grant(Role.PROJECT_ADMINISTRATOR, "shop"),))
    draft = home.emergency.begin(start(home), eve)["id"]
    projects = home.emergency.basic(draft, False, True, True, eve)["projects"]
    assert [(one["project"], one["administrator"]) for one in projects] == [("growth", False), ("shop", True)]
    with pytest.raises(NotEligible) as refused:
        home.emergency.projects(draft, ["shop", "growth"], True, eve)
    assert code(refused) == "project_not_administered"
    impact = home.emergency.projects(draft, ["shop"], True, eve)
    home.emergency.submit(draft, impact["hash"], "late orders", True, eve)
