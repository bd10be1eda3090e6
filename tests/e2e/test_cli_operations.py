"""Operations from outside: the verbs of the command line, with and without a server, and the Python client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import CommandLine, wait_until

from fieldwise.client import Client, Refused

DAY = "2025-01-02"
PLAN = {"plan", "hash", "expires_at", "verb", "steps", "required", "conflicts", "skipped", "impact"}
STEP = {"node_instance", "table", "node", "fields", "data_timestamp", "action", "from", "to"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """What `fieldwise init shop` makes, run for three days."""
    fieldwise = CommandLine(tmp_path_factory.mktemp("operated"))
    fieldwise("init", "shop")
    fieldwise("run", "shop", "--data", "2025-01-01..2025-01-03", "--json")
    return fieldwise


@pytest.fixture
def table(shop: CommandLine) -> str:
    items = shop("instances", "list", "--data", DAY, "--json").json["items"]
    return str(next(item["object"] for item in items if item["kind"] == "modeling"))


@pytest.fixture
def client(shop: CommandLine) -> Iterator[Client]:
    server = shop.start("serve", "--port", "0")
    home = shop.folder / ".fieldwise"
    wait_until(lambda: (home / "server.json").exists(), "the server is up")
    yield Client.of_home(home)
    server.terminate()
    server.communicate(timeout=30)


def test_plan_only_prints_the_contract_and_changes_nothing(shop: CommandLine, table: str) -> None:
    said = shop("rerun", table, "--data", DAY, "--plan-only", "--json").json
    assert set(said) >= PLAN
    assert said["steps"]
    assert all(set(step) >= STEP for step in said["steps"])
    assert all(
        (step["from"], step["to"], step["action"]) == ("succeeded", "not_running", "run")
        for step in said["steps"]
    )
    assert shop("operations", "--verb", "rerun", "--json").json["items"] == []


def test_a_confirmed_rerun_runs_to_its_end_and_is_logged(shop: CommandLine, table: str) -> None:
    said = shop("force-rerun", table, "--data", DAY, "--yes", "--reason", "just so", "--json").json
    assert said["status"] == "applied"
    assert said["plan_body"]["verb"] == "force_rerun"
    assert said["runs"] == {"succeeded": said["total"], "failed": 0}
    (entry,) = shop("operations", "--verb", "force_rerun", "--json").json["items"]
    assert (entry["reason"], entry["source"], entry["actor"]) == ("just so", "cli", "local")
    shown = shop("operations", str(entry["operation"])).out
    assert "force rerun by local (cli)" in shown
    assert "succeeded" in shown


def test_a_query_chooses_instances(shop: CommandLine, table: str) -> None:
    said = shop("rerun", "--query", f"table:{table} status:succeeded", "--plan-only", "--json").json
    assert {step["data_timestamp"] for step in said["steps"]} == {"2025-01-01", DAY, "2025-01-03"}
    assert "no key stats" in shop("rerun", "--query", "stats:failed", "--plan-only", code=1).err


def test_what_cannot_be_done_is_said_with_its_reason(shop: CommandLine, table: str) -> None:
    said = shop("stop", table, "--data", DAY, "--yes", code=1)
    assert "is Succeeded; stop needs" in said.err
    refused = shop("stop", table, "--data", DAY, "--yes", "--json", code=1).json
    assert refused["error"]["code"] == "plan_refused"
    assert (
        "has no field nothing"
        in shop("rerun", table, "--data", DAY, "--fields", "nothing", "--yes", code=1).err
    )
    shop("pause", table, "--data", DAY, "--until", "soon", "--yes", code=1)
    shop("rerun", code=2)
    shop("set-priority", table, "--priority", "urgent", code=2)


def test_help_shows_an_example_of_every_verb(shop: CommandLine) -> None:
    for verb in ("rerun", "force-rerun-downstream", "set-success", "stop", "pause", "undo", "operations"):
        assert "Example: fieldwise" in " ".join(shop(verb, "--help").out.split())


def test_of_two_who_race_one_wins_and_the_other_hears_what_happened(
    client: Client, shop: CommandLine, table: str
) -> None:
    number = client.instances(table=table, data_from=DAY, data_to=DAY)["items"][0]["id"]
    upstream = {"priority": "high"}
    mine = client.plan("set_priority", [number], **upstream)
    theirs = client.plan("force_rerun", [number])
    later = client.plan("force_rerun", [number])
    assert client.confirm(mine)["status"] == "applied", "a priority is no part of what the others rest on"
    operation = client.confirm(theirs, "late orders")
    assert client.wait(operation["operation"])["status"] == "applied"
    pausing = client.plan("set_success", [number])
    assert pausing["refused"]
    done = client.confirm(later, "again")
    assert done["operation"] != operation["operation"], (
        "succeeded before, succeeded now: the plan still holds"
    )
    client.wait(done["operation"])
    with pytest.raises(Refused) as refused:
        client.confirm(later, "again")
    assert refused.value.code == "plan_expired"


def test_the_command_line_is_a_client_of_the_running_server(
    client: Client, shop: CommandLine, table: str
) -> None:
    said = shop("force-rerun", table, "--data", DAY, "--yes", "--wait", "--json").json
    assert said["runs"]["failed"] == 0
    assert client.operation(said["operation"])["source"] == "cli"
    undone = shop("set-priority", table, "--data", DAY, "--priority", "low", "--yes", "--json").json
    shop("undo", str(undone["operation"]), "--yes")
    assert client.operation(undone["operation"])["undone_by"]
    with pytest.raises(Refused) as refused:
        client.undo(undone["operation"])
    assert refused.value.code == "not_undoable"


def test_an_idempotency_key_makes_a_retry_harmless(client: Client, shop: CommandLine, table: str) -> None:
    number = client.instances(table=table, data_from=DAY, data_to=DAY)["items"][0]["id"]
    plan = client.plan("force_rerun", [number])
    first = client.confirm(plan, key="once")
    assert client.confirm(plan, key="once")["operation"] == first["operation"]
    client.wait(first["operation"])


def test_a_browser_that_leaves_leaves_no_traceback(shop: CommandLine) -> None:
    import httpx

    server = shop.start("serve", "--port", "0")
    home = Path(shop.folder) / ".fieldwise"
    wait_until(lambda: (home / "server.json").exists(), "the server is up")
    said = json.loads((home / "server.json").read_text())
    headers = {"Authorization": f"Bearer {said['token']}"}
    for _ in range(5):
        with httpx.stream("GET", f"{said['url']}/api/v1/events", headers=headers, trust_env=False) as answer:
            assert answer.status_code == 200
    server.terminate()
    _, errors = server.communicate(timeout=30)
    assert "Traceback" not in errors


def test_a_link_signs_one_browser_in_once(client: Client, shop: CommandLine) -> None:
    import httpx

    url = shop("link", "--json").json["url"]
    with httpx.Client(trust_env=False) as browser, httpx.Client(trust_env=False) as other:
        assert browser.get(url).status_code == 303
        assert browser.get(f"{client.url}/api/v1/overview").status_code == 200
        assert browser.get(url).status_code == 303, "the same browser may follow it again"
        assert other.get(url).status_code == 401
        assert other.get(f"{client.url}/login?token={client.token}").status_code == 401, (
            "the token is no link"
        )
        assert other.get(f"{client.url}/api/v1/overview").status_code == 401
