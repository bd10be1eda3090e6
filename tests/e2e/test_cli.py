"""The command line from outside: contracts of --json, exit codes, and what a person reads when something is wrong."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine, table, wait_until, write

DAYS = "2025-01-01..2025-01-03"
ZEROS = {"instances": 0, "node_instances": 0, "succeeded": 0, "failed": 0, "blocked": 0}
ERROR = ["file", "line", "column", "code", "message", "hint"]
PLANNED_TABLE = {"table", "kind", "key", "fields", "nodes"}
PLANNED_NODE = {"node", "row_node", "fields", "sources", "upstream", "why", "sql"}
ITEM = {
    "id", "object", "kind", "status", "period", "data_timestamp", "scheduled_at", "start", "end", "run_seconds",
    "priorities", "owners", "projects", "marks", "runs",
}  # fmt: skip
SHOWN_FIELD = {"field", "status", "key", "nodes", "start", "end"}
SHOWN_NODE = {"id", "node", "fields", "status", "marks", "run", "start", "end", "upstream"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """What `fieldwise init shop` makes, run for three days."""
    fieldwise = CommandLine(tmp_path_factory.mktemp("shop"))
    fieldwise("init", "shop")
    ran = fieldwise("run", "shop", "--data", DAYS, "--json").json
    assert ran.pop("seconds") > 0
    assert ran == {"instances": 6, "node_instances": 12, "succeeded": 12, "failed": 0, "blocked": 0}
    return fieldwise


@pytest.fixture
def fieldwise(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


# -- check

MISTAKES = {
    # file -> its text, and where which mistake is
    "a_syntax": (table("SELECT order_id, amount +\nFROM raw.orders"), (6, 1, "syntax")),
    "b_table": (table("SELECT o.order_id, o.amount\nFROM raw.oders o"), (6, 6, "unknown_table")),
    "c_column": (table("SELECT\n  o.order_id,\n  o.amout AS amount\nFROM raw.orders o"), (7, 3, "unknown_column")),
    "d_key": (table("SELECT customer_id, amount FROM raw.orders"), (3, 7, "key_not_selected")),
    "e_twice": (table("SELECT order_id, amount, customer_id AS amount\nFROM raw.orders"), (5, 26, "duplicate_field")),
    "f_ds": (table("SELECT order_id, amount AS ds\nFROM raw.orders"), (5, 18, "reserved_field")),
    "g_dice": (table("SELECT order_id, random() AS dice\nFROM raw.orders"), (5, 18, "volatile")),
    "h_owner": (table("SELECT order_id FROM raw.orders", "owner: eve\n"), (4, 8, "unknown_owner")),
    "i_header": (table("SELECT order_id FROM raw.orders", "ower: ana\n"), (4, 1, "unknown_key")),
    "j_schedule": (
        table("SELECT order_id FROM raw.orders", 'schedule: {period: day, at: "25:30"}\n'),
        (4, 29, "bad_schedule"),
    ),
}  # fmt: skip


@pytest.fixture
def ten_mistakes(fieldwise: CommandLine) -> CommandLine:
    write(
        fieldwise.folder / "bad",
        {
            "project.yml": "name: bad\nowners: [ana]\nowner: ana\n",
            "sources/raw.yml": "schema: raw\ntables:\n  orders: {location: data/orders.csv}\n",
            "data/orders.csv": "order_id,customer_id,amount\n1,10,20.50\n",
            **{f"tables/{name}.sql": text for name, (text, _) in MISTAKES.items()},
        },
    )
    return fieldwise


def test_check_names_ten_mistakes_at_once_each_where_it_is(ten_mistakes: CommandLine) -> None:
    said = ten_mistakes("check", "bad", "--json", code=1).json
    assert list(said) == ["ok", "errors"]
    assert said["ok"] is False
    assert all(list(error) == ERROR for error in said["errors"])
    assert [(error["file"], error["line"], error["column"], error["code"]) for error in said["errors"]] == [
        (f"bad/tables/{name}.sql", *where) for name, (_, where) in MISTAKES.items()
    ]
    assert all(error["message"] and error["hint"] for error in said["errors"])
    hints = {Path(error["file"]).stem: error["hint"] for error in said["errors"]}
    assert "raw.orders" in hints["b_table"], "a misspelled name gets the right one as hint"
    assert "amount" in hints["c_column"]
    assert "owner" in hints["i_header"]
    assert "ana" in hints["h_owner"]
    assert [path.name for path in ten_mistakes.folder.iterdir()] == ["bad"], "check creates nothing on disk"


def test_check_reads_well_without_json(ten_mistakes: CommandLine) -> None:
    said = ten_mistakes("check", "bad", code=1)
    assert said.out == ""
    assert "bad/tables/b_table.sql:6:6 unknown_table there is no table raw.oders" in said.err
    assert 'hint: did you mean "raw.orders"?' in said.err
    assert "10 problem(s)" in said.err


def test_nothing_is_published_while_there_are_mistakes(ten_mistakes: CommandLine) -> None:
    assert "definitions_invalid" in ten_mistakes("run", "bad", "--data", "2025-01-01", "--json", code=1).out
    assert ten_mistakes("instances", "list", "--json").json["items"] == []


def test_a_good_project_has_no_errors(shop: CommandLine) -> None:
    assert shop("check", "shop", "--json").json == {"ok": True, "errors": []}


# -- plan


def test_plan_has_the_keys_of_its_contract(fieldwise: CommandLine) -> None:
    fieldwise("init", "shop")
    planned = fieldwise("plan", "shop", "--json").json
    assert list(planned) == ["tables", "changes"]
    assert all(set(one) == PLANNED_TABLE for one in planned["tables"])
    assert all(set(node) == PLANNED_NODE for one in planned["tables"] for node in one["nodes"])
    assert all(set(change) == {"table", "change", "detail"} for change in planned["changes"])
    (order,) = [one for one in planned["tables"] if one["table"] == "shop.fct_order"]
    assert (order["kind"], order["key"]) == ("fact", ["order_id"])
    assert order["fields"] == ["order_id", "amount", "region", "refund"]
    assert [(node["fields"], node["row_node"]) for node in order["nodes"]] == [
        (["amount"], True),
        (["region"], False),
        (["refund"], False),
    ]
    assert order["nodes"][1]["upstream"] == [
        {"table": "shop.dim_customer", "fields": ["region"], "window": "current", "n": None, "policy": "all"}
    ]
    assert {change["change"] for change in planned["changes"]} == {"table_added"}
    assert not (fieldwise.folder / ".fieldwise").exists(), "plan creates nothing on disk"


def test_plan_of_what_is_published_changes_nothing(shop: CommandLine) -> None:
    assert shop("plan", "shop", "--json").json["changes"] == []


# -- run


def test_a_second_run_prints_zeros(shop: CommandLine) -> None:
    again = shop("run", "shop", "--data", DAYS, "--json").json
    again.pop("seconds")
    assert again == ZEROS


def test_run_of_the_future_is_refused(shop: CommandLine) -> None:
    said = shop("run", "shop", "--data", "2999-01-01", "--json", code=1).json
    assert said["error"]["code"] == "bad_request"
    assert "after yesterday" in said["error"]["message"]
    assert said["error"]["hint"].startswith("the newest data timestamp that can run now is ")


def test_a_failed_check_fails_the_run_and_says_which_rows(fieldwise: CommandLine) -> None:
    fieldwise("init", "shop")
    write(
        fieldwise.folder / "shop",
        {"data/orders.csv": "order_id,customer_id,amount,ordered_on\n1,10,-5.00,2026-01-01\n"},
    )
    said = fieldwise("run", "shop", "--data", "2025-01-01", "--json", code=1).json
    assert (said["failed"], said["blocked"]) == (1, 0), "the two other nodes and the dimension succeed"
    again = fieldwise("run", "shop", "--data", "2025-01-01", code=1)
    assert "failed shop.fct_order 2025-01-01" in again.out
    assert "amount" in again.out
    assert fieldwise("sql", "SELECT amount, region FROM shop.fct_order", "--json").json == [
        {"amount": None, "region": "north"}
    ]


# -- reading


def test_instances_list_has_the_keys_of_its_contract(shop: CommandLine) -> None:
    listed = shop("instances", "list", "--json").json
    assert list(listed) == ["items", "cursor"]
    assert listed["cursor"] is None
    assert len(listed["items"]) == 6
    assert all(set(item) >= ITEM for item in listed["items"])
    (item,) = shop("instances", "list", "--table", "shop.fct_order", "--data", "2025-01-02", "--json").json[
        "items"
    ]
    assert (item["object"], item["data_timestamp"], item["kind"], item["period"]) == (
        "shop.fct_order", "2025-01-02", "modeling", "day",
    )  # fmt: skip
    assert item["scheduled_at"] == "2025-01-03T01:30:00Z"
    assert item["status"] == {"fields": {"succeeded": 4}, "nodes": {"succeeded": 3}}
    assert (item["priorities"], item["owners"], item["projects"], item["marks"], item["runs"]) == (
        ["medium"], ["you"], ["shop"], [], 3,
    )  # fmt: skip


def test_filters_of_the_list_are_and_between_and_or_within(shop: CommandLine) -> None:
    def count(*filters: str) -> int:
        return len(shop("instances", "list", *filters, "--json").json["items"])

    assert count("--data", "2025-01-02..2025-01-03") == 4
    assert count("--table", "shop.fct_order", "--table", "shop.dim_customer") == 6
    assert count("--table", "shop.fct_order", "--status", "failed") == 0
    assert count("--limit", "1") == 1


def test_instances_show_has_the_keys_of_its_contract(shop: CommandLine) -> None:
    shown = shop("instances", "show", "shop.fct_order", "--data", "2025-01-02", "--json").json
    assert set(shown) >= ITEM | {"fields", "nodes"}
    assert all(set(field) >= SHOWN_FIELD for field in shown["fields"])
    assert all(set(node) >= SHOWN_NODE for node in shown["nodes"])
    assert [(field["field"], field["key"], len(field["nodes"])) for field in shown["fields"]] == [
        ("order_id", True, 3), ("amount", False, 1), ("region", False, 1), ("refund", False, 1),
    ]  # fmt: skip
    assert [(node["run"], node["upstream"]) for node in shown["nodes"]] == [(1, 0), (1, 1), (1, 0)]
    assert shown == shop("instances", "show", str(shown["id"]), "--json").json, "by its id, the same"
    planned = {node["node"] for one in shop("plan", "shop", "--json").json["tables"] for node in one["nodes"]}
    assert {node["node"] for node in shown["nodes"]} <= planned


def test_what_does_not_exist_is_named_with_a_hint(shop: CommandLine) -> None:
    for arguments in (
        ("instances", "show", "shop.fct_oder", "--data", "2025-01-02"),
        ("lineage", "shop.fct_order.refnd", "--up"),
    ):
        error = shop(*arguments, "--json", code=1).json["error"]
        assert error["code"] == "not_found"
        assert error["hint"], arguments
    assert "hint:" in shop("instances", "show", "999999", code=1).err, "for people, on stderr"


def test_sql_prints_row_objects(shop: CommandLine) -> None:
    rows = shop(
        "sql", "SELECT * FROM shop.fct_order WHERE ds = '2025-01-02' ORDER BY order_id", "--json"
    ).json
    assert rows == [
        {"ds": "2025-01-02", "order_id": 1, "amount": 20.5, "region": "north", "refund": 0.0},
        {"ds": "2025-01-02", "order_id": 2, "amount": 7.25, "region": "south", "refund": 0.0},
        {"ds": "2025-01-02", "order_id": 3, "amount": 99.0, "region": "north", "refund": 10.0},
        {"ds": "2025-01-02", "order_id": 4, "amount": 15.0, "region": "north", "refund": 0.0},
    ]


def test_sql_takes_one_reading_statement_only(shop: CommandLine) -> None:
    for statement in (
        "DELETE FROM shop.fct_order",
        "SELECT 1; DROP TABLE shop.fct_order",
        "SELECT * FROM nowhere",
    ):
        assert shop("sql", statement, "--json", code=1).json["error"]["code"] == "engine_refused", statement
    assert shop("sql", "SELECT count(*) AS n FROM shop.fct_order", "--json").json == [{"n": 12}]


def test_lineage_goes_up_to_sources_and_down_to_fields(shop: CommandLine) -> None:
    up = shop("lineage", "shop.fct_order.refund", "--up", "--json").json
    assert list(up) == ["nodes", "edges"]
    assert all(set(node) >= {"table", "field", "node", "kind", "status"} for node in up["nodes"])
    assert {(edge["from"], edge["to"], edge["how"]) for edge in up["edges"]} == {
        ("raw.refunds.refund", "shop.fct_order.refund", "value"),
        ("raw.refunds.order_id", "shop.fct_order.refund", "rows"),
        ("raw.orders.order_id", "shop.fct_order.refund", "rows"),
    }
    assert {node["kind"] for node in up["nodes"] if node["table"].startswith("raw.")} == {"source"}
    down = shop("lineage", "shop.dim_customer.region", "--down", "--json").json
    assert [(edge["from"], edge["to"], edge["how"]) for edge in down["edges"]] == [
        ("shop.dim_customer.region", "shop.fct_order.region", "value")
    ]
    assert {node["status"] for node in down["nodes"]} == {"succeeded"}


# -- usage


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "shop", "--data", "yesterday"),
        ("run", "shop", "--data", "2025-01-03..2025-01-01"),
        ("check", "nowhere"),
        ("lineage", "shop.fct_order.refund", "--up", "--down"),
        ("check", "shop", "--jsno"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(shop: CommandLine, arguments: tuple[str, ...]) -> None:
    said = shop(*arguments, code=2)
    assert said.out == ""
    assert said.err


def test_init_refuses_a_folder_that_is_not_empty(shop: CommandLine) -> None:
    assert "not empty" in shop("init", "shop", code=1).err


# -- an early source and a late one


@pytest.fixture
def late(fieldwise: CommandLine) -> CommandLine:
    """A table joined from a source that is there and one whose delivery is not."""
    write(
        fieldwise.folder / "shop",
        {
            "project.yml": "name: shop\nowner: ana\n",
            "sources/raw.yml": (
                "schema: raw\n"
                "tables:\n"
                "  orders: {location: data/orders.csv, key: [order_id]}\n"
                "  deliveries: {location: data/deliveries.csv}\n"
                "  refunds:\n"
                "    location: data/refunds.csv\n"
                "    key: [order_id]\n"
                '    ready: "SELECT count(*) > 0 FROM raw.deliveries WHERE day = :data_date"\n'
            ),
            "data/orders.csv": "order_id,amount\n1,20.5\n2,7\n",
            "data/refunds.csv": "order_id,refund\n2,3\n",
            "data/deliveries.csv": "day\n2025-01-01\n",
            "tables/fct_order.sql": table(
                "SELECT o.order_id, o.amount, r.refund\nFROM raw.orders o\nLEFT JOIN raw.refunds r ON r.order_id = o.order_id"
            ),
            "tables/fct_report.sql": table(
                "SELECT f.order_id, f.amount, f.refund\nFROM shop.fct_order f\nWHERE f.ds = :data_date"
            ),
        },
    )
    return fieldwise


def statuses(fieldwise: CommandLine, name: str, day: str) -> dict[str, str]:
    shown: dict[str, Any] = fieldwise("instances", "show", name, "--data", day, "--json").json
    return {field["field"]: field["status"] for field in shown["fields"] if not field["key"]}


def test_early_fields_succeed_while_late_ones_wait(late: CommandLine) -> None:
    said = late("run", "shop", "--data", "2025-01-01..2025-01-02", "--json", code=1).json
    said.pop("seconds")
    assert said == {"instances": 4, "node_instances": 8, "succeeded": 6, "failed": 0, "blocked": 2}
    for name in ("shop.fct_order", "shop.fct_report"):
        assert set(statuses(late, name, "2025-01-01").values()) == {"succeeded"}
        second = statuses(late, name, "2025-01-02")
        assert second["amount"] == "succeeded"
        assert second["refund"] not in ("succeeded", "failed", "running")
    assert late("sql", "SELECT ds, amount, refund FROM shop.fct_report WHERE order_id = 2 ORDER BY ds", "--json").json == [
        {"ds": "2025-01-01", "amount": 7.0, "refund": 3},
        {"ds": "2025-01-02", "amount": 7.0, "refund": None},
    ]  # fmt: skip


def test_run_lists_what_is_blocked_with_the_reason_until_the_source_arrives(late: CommandLine) -> None:
    late("run", "shop", "--data", "2025-01-02", "--json", code=1)
    said = late("run", "shop", "--data", "2025-01-02", code=1).out
    blocked = [line.strip() for line in said.splitlines() if line.strip().startswith("blocked")]
    assert len(blocked) == 2
    assert any("shop.fct_order 2025-01-02" in line and "raw.refunds" in line for line in blocked)
    assert any("shop.fct_report 2025-01-02" in line and "shop.fct_order" in line for line in blocked)

    write(late.folder / "shop", {"data/deliveries.csv": "day\n2025-01-01\n2025-01-02\n"})
    arrived = late("run", "shop", "--data", "2025-01-02", "--json").json
    assert (arrived["node_instances"], arrived["succeeded"], arrived["blocked"]) == (2, 2, 0)


# -- two processes on one home


@pytest.fixture
def serving(shop: CommandLine) -> Iterator[subprocess.Popen[str]]:
    """A server on the home of `shop`."""
    process = shop.start("serve", "--port", "0")
    try:
        wait_until((shop.folder / ".fieldwise" / "server.json").exists, "the server is up")
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0, "SIGTERM ends it in order"


def test_the_command_line_is_the_client_of_a_running_server(
    shop: CommandLine, serving: subprocess.Popen[str]
) -> None:
    said = json.loads((shop.folder / ".fieldwise" / "server.json").read_text())
    assert (said["pid"], set(said)) == (serving.pid, {"url", "pid", "boot_id", "token"})
    assert (shop.folder / ".fieldwise" / "server.json").stat().st_mode & 0o777 == 0o600
    assert shop("sql", "SELECT count(*) AS n FROM shop.fct_order", "--json").json == [{"n": 12}]
    assert len(shop("instances", "list", "--data", DAYS, "--json").json["items"]) == 6
    assert shop("check", "shop", "--json").json == {"ok": True, "errors": []}
    refused = shop("run", "shop", "--data", DAYS, "--json", code=1).json
    assert "server" in refused["error"]["message"]


def test_a_second_process_on_the_home_is_refused_by_name(
    shop: CommandLine, serving: subprocess.Popen[str]
) -> None:
    """The home is in use, and no server says so: as while one starts or ends."""
    aside = shop.folder / "server.json.aside"
    (shop.folder / ".fieldwise" / "server.json").rename(aside)
    try:
        said = shop("run", "shop", "--data", DAYS, "--json", code=1).json
    finally:
        aside.rename(shop.folder / ".fieldwise" / "server.json")
    assert said["error"]["code"] == "home_in_use"
    assert said["error"]["message"] == f"home in use by pid {serving.pid}"
