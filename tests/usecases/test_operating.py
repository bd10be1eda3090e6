"""Operations on a real home: plan, confirm, apply, log and undo, with DuckDB and SQLite underneath."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fieldwise.model.access import Actor, Grant, Role
from fieldwise.model.errors import BadRequest
from fieldwise.model.operation import OperationOptions, OperationRequest, Verb
from fieldwise.model.status import Environment, Priority
from fieldwise.operations.across_projects import NotEligible
from fieldwise.operations.undo import NotUndoable, Overtaken
from fieldwise.usecases.operate import KeyReused, PlanExpired, PlanRefused, PlanStale, ReasonMissing
from fieldwise.wiring import Deployment, open_home

DAYS = [date(2026, 11, day) for day in (15, 16, 17)]
ANA = Actor("ana", "cli", (Grant(Role.SUPER_ADMINISTRATOR),))
FILES = {
    "project.yml": "name: shop\nowner: ana\ndefaults: {retries: {times: 0}}\n",
    "sources/raw.yml": "schema: raw\ntables:\n  orders: {location: data/orders.csv, key: [order_id, ds], partition: ds}\n"
    "  refunds: {location: data/refunds.csv, key: [order_id, ds], partition: ds}\n",
    "tables/fct_order.sql": """/*
kind: fact
key: [order_id]
*/
SELECT o.order_id, o.amount, o.region, r.refund
FROM raw.orders o
LEFT JOIN raw.refunds r ON r.order_id = o.order_id AND r.ds = :data_date
WHERE o.ds = :data_date
""",
    "tables/agg_region.sql": """/*
kind: aggregate
key: [region]
*/
SELECT f.region, sum(f.amount) AS amount, sum(f.refund) AS refund
FROM shop.fct_order f
WHERE f.ds = :data_date
GROUP BY f.region
""",
    "tables/total.sql": """/*
kind: aggregate
key: [region]
columns: {region: VARCHAR, amount: DOUBLE}
*/
SELECT a.region, a.amount + coalesce(t.amount, 0) AS amount
FROM shop.agg_region a
LEFT JOIN shop.total t ON t.region = a.region AND t.ds = :data_date - INTERVAL 1 DAY
WHERE a.ds = :data_date
""",
    # Fails as long as an order costs nothing.
    "tables/fct_share.sql": """/*
kind: fact
key: [order_id]
*/
SELECT f.order_id, CASE WHEN f.amount = 0 THEN error('an order costs nothing') ELSE 100 / f.amount END AS share
FROM shop.fct_order f
WHERE f.ds = :data_date
""",
    "tables/agg_share.sql": """/*
kind: aggregate
key: [sign]
*/
SELECT sign(s.share) AS sign, count(*) AS orders
FROM shop.fct_share s
WHERE s.ds = :data_date
GROUP BY sign(s.share)
""",
}


def orders(changed: dict[int, str] | None = None) -> str:
    lines = ["order_id,amount,region,ds"]
    for day in DAYS:
        for number in range(1, 7):
            amount = (changed or {}).get(number, f"{number * day.day}.0") if day == DAYS[1] else f"{number}.0"
            lines.append(f"{number},{amount},r{number % 2},{day}")
    return "\n".join(lines) + "\n"


def project(folder: Path, changed: dict[int, str] | None = None) -> Path:
    refunds = ["order_id,refund,ds"] + [f"{n},{n}.25,{day}" for day in DAYS for n in (1, 3)]
    texts = FILES | {"data/orders.csv": orders(changed), "data/refunds.csv": "\n".join(refunds) + "\n"}
    for name, text in texts.items():
        path = folder / "shop" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "shop"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Deployment]:
    folder = project(tmp_path)
    with open_home(tmp_path / "home") as deployment:
        assert deployment.run([folder], DAYS[0], DAYS[-1]).ok
        yield deployment


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Deployment]:
    """On the second day an order costs nothing: fct_share failed, agg_share did not run."""
    folder = project(tmp_path, {4: "0"})
    with open_home(tmp_path / "home") as deployment:
        assert not deployment.run([folder], DAYS[0], DAYS[-1]).ok
        yield deployment


def instance(shop: Deployment, table: str, day: date = DAYS[1]) -> int:
    return shop.browse.find(f"shop.{table}", day)


def plan(
    shop: Deployment,
    verb: Verb,
    table: str,
    fields: tuple[str, ...] | None = None,
    day: date = DAYS[1],
    **options: Any,
) -> dict[str, Any]:
    request = OperationRequest(verb, (instance(shop, table, day),), fields, OperationOptions(**options))
    return shop.operate.plan(request, ANA)


def do(shop: Deployment, *asked: Any, reason: str = "because", **options: Any) -> dict[str, Any]:
    body = plan(shop, *asked, **options)
    assert body["refused"] == "", body
    operation = shop.operate.confirm(body["plan"], body["hash"], reason, ANA)
    return shop.operate.operation(operation["operation"])


def touched(body: dict[str, Any]) -> set[tuple[str, str, str]]:
    """(table, fields, day) of every step."""
    steps = body.get("steps") or body["items"]
    return {
        (step["table"].removeprefix("shop."), ",".join(step["fields"]), step["data_timestamp"][-2:])
        for step in steps
    }


def results(operation: dict[str, Any]) -> set[str]:
    return {item["result"] for item in operation["items"]}


def status(shop: Deployment, table: str, day: date = DAYS[1]) -> dict[str, str]:
    return {one["field"]: one["status"] for one in shop.browse.instance(instance(shop, table, day))["fields"]}


def rows(shop: Deployment, table: str) -> list[tuple[object, ...]]:
    return sorted(shop.query(f"SELECT * FROM shop.{table}").rows, key=str)


# -- rerun and downstream


def test_a_rerun_of_one_field_runs_its_node_alone(shop: Deployment) -> None:
    operation = do(shop, Verb.RERUN, "fct_order", ("refund",))
    assert touched(operation) == {("fct_order", "refund", "16")}
    assert results(operation) == {"succeeded"}


def test_what_shares_a_node_goes_along_and_says_why(shop: Deployment) -> None:
    body = plan(shop, Verb.RERUN, "fct_order", ("amount",))
    said = [(one["field"], one["cause"], one["because"]) for one in body["required"]]
    assert said == [("region", "SAME_NODE", "shares node n1 with amount")]


def test_a_key_means_the_whole_table(shop: Deployment) -> None:
    body = plan(shop, Verb.RERUN, "fct_order", ("order_id",))
    assert {one["cause"] for one in body["required"]} == {"KEY"}
    assert touched(body) == {("fct_order", "amount,region", "16"), ("fct_order", "refund", "16")}


def test_downstream_of_a_field_follows_its_lineage_and_never_the_whole_table(shop: Deployment) -> None:
    operation = do(shop, Verb.RERUN_DOWNSTREAM, "fct_order", ("refund",))
    assert touched(operation) == {("fct_order", "refund", "16"), ("agg_region", "refund", "16")}
    assert results(operation) == {"succeeded"}


def test_downstream_crosses_days_unless_told_not_to(shop: Deployment) -> None:
    across = touched(plan(shop, Verb.FORCE_RERUN_DOWNSTREAM, "agg_region", ("amount",)))
    assert {day for table, _, day in across if table == "total"} == {"16", "17"}
    same = touched(plan(shop, Verb.FORCE_RERUN_DOWNSTREAM, "agg_region", ("amount",), cross_day=False))
    assert {day for table, _, day in same if table == "total"} == {"16"}


def test_a_wrong_value_is_repaired_by_the_nodes_that_read_it(tmp_path: Path) -> None:
    folder = project(tmp_path, {2: "999.0"})
    with open_home(tmp_path / "home") as shop, open_home(tmp_path / "other") as right:
        assert shop.run([folder], DAYS[0], DAYS[-1]).ok
        project(tmp_path)
        assert right.run([folder], DAYS[0], DAYS[-1]).ok
        assert rows(shop, "total") != rows(right, "total")
        operation = do(shop, Verb.FORCE_RERUN_DOWNSTREAM, "fct_order", ("amount",))
        assert results(operation) == {"succeeded"}
        assert ("fct_order", "refund", "16") not in touched(operation)
        for table in ("fct_order", "agg_region", "total", "fct_share", "agg_share"):
            assert rows(shop, table) == rows(right, table)


def test_a_failed_table_and_what_is_below_are_rerun_after_the_repair(
    broken: Deployment, tmp_path: Path
) -> None:
    assert status(broken, "fct_share")["share"] == "failed"
    project(tmp_path)
    do(broken, Verb.FORCE_RERUN, "fct_order", ("amount",))
    operation = do(broken, Verb.RERUN, "fct_share")
    assert results(operation) == {"succeeded"}
    assert status(broken, "agg_share")["orders"] == "succeeded", "what waited for it runs by itself"


def test_a_dry_run_start_succeeds_without_a_run_and_what_is_below_runs(shop: Deployment) -> None:
    from fieldwise.model.operation import StartMode

    start = instance(shop, "agg_region")
    before = len(shop.store.runs(start))
    do(shop, Verb.RERUN_DOWNSTREAM, "agg_region", ("amount",), start_mode=StartMode.DRY_RUN)
    assert len(shop.store.runs(start)) == before
    assert status(shop, "total")["amount"] == "succeeded"
    assert len(shop.store.runs(instance(shop, "total"))) == 2


# -- what is not eligible


def test_what_is_not_eligible_is_listed_with_its_reason_and_what_to_do_instead(broken: Deployment) -> None:
    body = plan(broken, Verb.RERUN, "agg_share")
    assert body["refused"].startswith("nothing is eligible")
    assert [(one["code"], one["instead"]) for one in body["skipped"]] == [("status", "force_rerun")]
    with pytest.raises(PlanRefused):
        broken.operate.confirm(body["plan"], body["hash"], "", ANA)


def test_an_unknown_field_is_named(shop: Deployment) -> None:
    with pytest.raises(BadRequest, match=r"shop\.fct_order has no field amout"):
        plan(shop, Verb.RERUN, "fct_order", ("amout",))


def test_dangerous_ones_need_a_reason(shop: Deployment) -> None:
    body = plan(shop, Verb.FORCE_RERUN_DOWNSTREAM, "fct_order")
    assert body["reason_required"]
    with pytest.raises(ReasonMissing):
        shop.operate.confirm(body["plan"], body["hash"], " ", ANA)


def test_the_last_upstream_cannot_go(shop: Deployment) -> None:
    body = plan(shop, Verb.REMOVE_UPSTREAM, "agg_region", upstream=(instance(shop, "fct_order"),))
    assert [one["code"] for one in body["conflicts"]] == ["last_upstream"]


# -- confirm


def test_of_two_plans_on_one_instance_the_second_is_stale_and_says_what_happened(shop: Deployment) -> None:
    shop.serve()
    first = plan(shop, Verb.PAUSE, "fct_order")
    assert first["refused"], "it has succeeded: nothing to pause"
    one = plan(shop, Verb.SET_PRIORITY, "fct_order", ("refund",), priority=Priority.HIGH)
    two = plan(shop, Verb.REMOVE_UPSTREAM, "total", upstream=(instance(shop, "agg_region"),))
    three = plan(shop, Verb.REMOVE_UPSTREAM, "total", upstream=(instance(shop, "agg_region"),))
    shop.operate.confirm(one["plan"], one["hash"], "", ANA)
    shop.operate.confirm(two["plan"], two["hash"], "gone", ANA)
    with pytest.raises(PlanStale) as stale:
        shop.operate.confirm(three["plan"], three["hash"], "gone", ANA)
    assert stale.value.difference
    assert stale.value.fresh["plan"] != three["plan"]


def test_a_retry_with_its_key_does_nothing_twice(shop: Deployment) -> None:
    body = plan(shop, Verb.RERUN, "fct_order", ("refund",))
    first = shop.operate.confirm(body["plan"], body["hash"], "", ANA, "key-1")
    again = shop.operate.confirm(body["plan"], body["hash"], "", ANA, "key-1")
    assert again["operation"] == first["operation"]
    with pytest.raises(KeyReused):
        shop.operate.confirm("other", body["hash"], "", ANA, "key-1")
    with pytest.raises(PlanExpired):
        shop.operate.confirm(body["plan"], body["hash"], "", ANA)


# -- set success, stop


def test_set_success_lets_descendants_go_on_and_can_be_taken_back(broken: Deployment) -> None:
    operation = do(broken, Verb.SET_SUCCESS, "fct_share")
    assert status(broken, "fct_share")["share"] == "succeeded"
    assert "forced_success" in broken.browse.instance(instance(broken, "fct_share"))["nodes"][0]["marks"]
    assert status(broken, "agg_share")["orders"] == "succeeded"
    undo = broken.operate.plan_undo(operation["operation"], ANA)
    broken.operate.confirm(undo["plan"], undo["hash"], "", ANA)
    assert status(broken, "fct_share")["share"] == "failed"
    assert broken.operate.operation(operation["operation"])["undone_by"]


# -- undo


def test_priority_and_its_undo(shop: Deployment) -> None:
    first = do(shop, Verb.SET_PRIORITY, "fct_order", ("refund",), priority=Priority.LOW)
    second = do(shop, Verb.SET_PRIORITY, "fct_order", ("refund",), priority=Priority.HIGH)
    node = next(
        n for n in shop.browse.instance(instance(shop, "fct_order"))["nodes"] if "refund" in n["fields"]
    )

    def chosen() -> int | None:
        firing = next(f for f in shop.store.window(Environment.PROD) if f.state.id == node["id"])
        return firing.priority

    assert chosen() == Priority.HIGH
    with pytest.raises(Overtaken):
        shop.operate.plan_undo(first["operation"], ANA)
    undo = shop.operate.plan_undo(second["operation"], ANA)
    shop.operate.confirm(undo["plan"], undo["hash"], "", ANA)
    assert chosen() == Priority.LOW


def test_a_removed_dependency_stays_removed_over_a_restart_and_comes_back_by_undo(
    shop: Deployment, tmp_path: Path
) -> None:
    upstream = instance(shop, "agg_region")
    operation = do(shop, Verb.REMOVE_UPSTREAM, "total", upstream=(upstream,))
    total = instance(shop, "total")
    assert shop.browse.instance(total)["nodes"][0]["upstream"] == 1, "only its own day before is left"
    undo = shop.operate.plan_undo(operation["operation"], ANA)
    shop.operate.confirm(undo["plan"], undo["hash"], "", ANA)
    assert shop.browse.instance(total)["nodes"][0]["upstream"] == 2


def test_a_rerun_of_many_has_no_way_back(shop: Deployment) -> None:
    operation = do(shop, Verb.RERUN_DOWNSTREAM, "fct_order", ("refund",))
    with pytest.raises(NotUndoable):
        shop.operate.plan_undo(operation["operation"], ANA)


# -- the log


def test_the_log_says_who_what_why_and_what_came_of_it(shop: Deployment) -> None:
    operation = do(shop, Verb.RERUN, "fct_order", ("refund",), reason="late refunds")
    (entry,) = shop.operate.operations({"instance": instance(shop, "fct_order")})["items"]
    assert entry["operation"] == operation["operation"]
    assert (entry["actor"], entry["source"], entry["verb"]) == ("ana", "cli", "rerun")
    assert (entry["reason"], entry["fields"], entry["applied"]) == ("late refunds", ["refund"], 1)
    assert shop.operate.operations({"verb": "stop"})["items"] == []


# -- the emergency wizard


def test_the_wizard_names_the_rule_that_is_not_met(shop: Deployment) -> None:
    with pytest.raises(NotEligible) as refused:
        shop.emergency.begin(instance(shop, "fct_order"), ANA)
    assert refused.value.code == "data_timestamp_out_of_range"


# -- rights


def test_what_the_actor_may_not_operate_is_left_out_or_refuses_the_plan(shop: Deployment) -> None:
    fields = OperationRequest(Verb.RERUN, (instance(shop, "fct_order"),), ("refund",))
    visitor = Actor("eve", "api", (Grant(Role.VISITOR, "shop"),))
    body = shop.operate.plan(fields, visitor)
    assert [one["code"] for one in body["skipped"]] == ["no_permission"]
    assert "owner ana" in body["skipped"][0]["message"]
    metric = Actor("eve", "api", (Grant(Role.OPERATOR, "shop", "shop.fct_order", "amount"),))
    body = shop.operate.plan(
        OperationRequest(Verb.RERUN, (instance(shop, "fct_order"),), ("amount",)), metric
    )
    assert [one["code"] for one in body["conflicts"]] == ["required_without_permission"]
    assert "region must go along (shares node n1 with amount)" in body["refused"]


# -- code that was published since


def test_a_rerun_runs_the_code_in_force_and_says_that_it_changed(shop: Deployment, tmp_path: Path) -> None:
    path = tmp_path / "shop" / "tables" / "fct_order.sql"
    path.write_text(path.read_text().replace("o.amount, o.region", "o.amount * 2 AS amount, o.region"))
    shop.publish([tmp_path / "shop"])
    before = rows(shop, "fct_order")
    body = plan(shop, Verb.RERUN, "fct_order", ("refund",))
    assert {(one["field"], one["cause"]) for one in body["required"]} == {
        ("amount", "MODEL_REFRESH"),
        ("region", "MODEL_REFRESH"),
    }
    operation = do(shop, Verb.RERUN_DOWNSTREAM, "fct_order", ("refund",))
    assert results(operation) == {"succeeded"}
    assert rows(shop, "fct_order") != before
    doubled = dict(shop.query("SELECT order_id, amount FROM shop.fct_order WHERE ds = '2026-11-16'").rows)
    assert doubled[1] == 32.0
    assert {run["version"] for run in shop.store.runs(instance(shop, "fct_order")) if run["number"] == 2} == {
        2
    }
    assert shop.query("SELECT sum(amount) FROM shop.agg_region WHERE ds = '2026-11-16'").rows == ((672.0,),)


def test_rights_are_those_of_who_confirms_and_not_of_who_planned(shop: Deployment) -> None:
    body = plan(shop, Verb.RERUN, "fct_order", ("refund",))
    visitor = Actor("eve", "api", (Grant(Role.VISITOR, "shop"),))
    with pytest.raises(PlanStale):
        shop.operate.confirm(body["plan"], body["hash"], "", visitor)
    assert shop.operate.operations({})["items"] == []


def test_only_its_author_or_an_administrator_takes_an_operation_back_and_with_the_right_to_operate(
    shop: Deployment,
) -> None:
    done = do(shop, Verb.SET_PRIORITY, "fct_order", ("refund",), priority=Priority.LOW)
    other = Actor("eve", "api", (Grant(Role.OPERATOR, "shop"),))
    with pytest.raises(NotUndoable, match="is ana's"):
        shop.operate.plan_undo(done["operation"], other)
    no_longer = Actor("ana", "api", (Grant(Role.DEVELOPER, "growth"),))
    body = shop.operate.plan_undo(done["operation"], no_longer)
    assert "you may not operate" not in body["refused"], "the owner of an object may operate it"
    administrator = Actor("eve", "api", (Grant(Role.PROJECT_ADMINISTRATOR, "shop"),))
    body = shop.operate.plan_undo(done["operation"], administrator)
    shop.operate.confirm(body["plan"], body["hash"], "", administrator)


def test_an_undo_asks_for_the_right_on_what_it_touches(shop: Deployment) -> None:
    eve = Actor("eve", "api", (Grant(Role.OPERATOR, "shop"),))
    request = OperationRequest(
        Verb.SET_PRIORITY,
        (instance(shop, "fct_order"),),
        ("refund",),
        OperationOptions(priority=Priority.LOW),
    )
    body = shop.operate.plan(request, eve)
    done = shop.operate.confirm(body["plan"], body["hash"], "", eve)
    dismissed = Actor("eve", "api", ())
    undo = shop.operate.plan_undo(done["operation"], dismissed)
    assert [one["code"] for one in undo["conflicts"]] == ["no_permission"]
    with pytest.raises(PlanRefused):
        shop.operate.confirm(undo["plan"], undo["hash"], "", dismissed)
