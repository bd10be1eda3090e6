"""Operating in a real browser: dialogs, fields, history and wizard, on a real server's pages with the contract answered from memory."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from browser import Tab, chromium, signed_in
from command_line import CommandLine, wait_until
from contract import Contract
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on the PATH"),
]

YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    fieldwise = CommandLine(tmp_path_factory.mktemp("operated"))
    fieldwise("init", "shop")
    fieldwise("run", "shop", "--data", f"{YESTERDAY}")
    home = fieldwise.folder / ".fieldwise"
    process: subprocess.Popen[str] = fieldwise.start("serve", "--port", "0")
    try:
        wait_until((home / "server.json").exists, "the server is up")
        yield home
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def tab(browser: Browser, home: Path) -> Iterator[Tab]:
    with signed_in(browser, home) as tab:
        yield tab
        expected = re.compile(r"409")
        assert [said for said in tab.trouble if not expected.search(said)] == []


@pytest.fixture
def contract(tab: Tab) -> Contract:
    """The instance of yesterday's fact table, and a contract laid over the pages."""
    answer = tab.page.request.get(f"{tab.url}/api/v1/instances?q=fct_order").json()
    contract = Contract(day=str(YESTERDAY), instance=answer["items"][0]["id"])
    contract.over(tab.page)
    return contract


def instance_page(tab: Tab, contract: Contract, part: str = "fields") -> Page:
    page = tab.open(f"/instances/{contract.instance}?tab={part}")
    expect(page.get_by_role("heading", name="shop.fct_order", level=1)).to_be_visible()
    return page


def open_wizard(page: Page) -> None:
    page.get_by_role("menuitem", name="Emergency operations").click()
    page.get_by_role("menuitem", name="Force rerun downstream across projects").click()


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def confirm_button(page: Page) -> Locator:
    return dialog(page).locator("[data-confirm]")


def row_menu(page: Page, name: str, verb: str) -> None:
    page.get_by_role("button", name=f"Actions of {name}").first.click()
    page.get_by_role("menuitem", name=verb, exact=True).click()


# -- fields


def test_two_fields_are_chosen_and_their_descendants_run_again(tab: Tab, contract: Contract) -> None:
    page = instance_page(tab, contract)
    page.get_by_role("checkbox", name="Select amount").check()
    page.get_by_role("checkbox", name="Select refund").check()
    bar = page.get_by_role("toolbar")
    expect(bar).to_contain_text("2 fields selected")
    expect(page.get_by_text("shares node n1 with amount")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Select region")).to_be_disabled()
    bar.get_by_role("button", name="Rerun downstream", exact=True).click()
    expect(confirm_button(page)).to_have_text("Rerun downstream 3 instances")
    confirm_button(page).click()
    expect(dialog(page)).to_contain_text("3 of 3 applied")
    assert contract.plans[-1]["fields"] == ["amount", "refund"]
    assert contract.plans[-1]["options"]["range"] == "all_failed"
    assert contract.confirmed[-1] == {"plan": "p1", "hash": "h1", "reason": ""}
    assert len(contract.keys[-1]) == 32


def test_required_fields_stand_first_with_their_cause_before_the_button_is_active(
    tab: Tab, contract: Contract
) -> None:
    page = instance_page(tab, contract)
    row_menu(page, "amount", "Rerun")
    required = page.get_by_role("region", name="Required fields: 2 go along")
    expect(required).to_contain_text("shares node n1 with amount")
    expect(required).to_contain_text("raw.orders.customer_id changed after its last run")
    expect(required).to_be_in_viewport()
    expect(confirm_button(page)).to_be_enabled()


def test_the_button_waits_until_the_required_fields_were_on_screen(tab: Tab, contract: Contract) -> None:
    tab.page.set_viewport_size({"width": 1100, "height": 420})
    page = instance_page(tab, contract)
    row_menu(page, "amount", "Force rerun downstream")
    required = page.get_by_role("region", name="Required fields: 2 go along")
    expect(required).to_be_attached()
    expect(confirm_button(page)).to_be_disabled()
    expect(dialog(page)).to_contain_text("Look at the required fields first.")
    required.locator(".sentinel").scroll_into_view_if_needed()
    expect(dialog(page)).to_contain_text("Write a reason.")
    dialog(page).get_by_role("textbox", name="Reason").fill("source repaired")
    expect(confirm_button(page)).to_be_enabled()


def test_what_was_left_out_offers_the_verb_that_would_take_it(tab: Tab, contract: Contract) -> None:
    page = instance_page(tab, contract)
    row_menu(page, "refund", "Rerun")
    dialog(page).get_by_role("button", name="Force rerun instead").click()
    expect(confirm_button(page)).to_have_text("Force rerun 1 instance")
    expect(dialog(page)).to_contain_text(
        "Neither upstream results nor the scheduled time are checked for the start."
    )
    expect(dialog(page)).to_contain_text("Will be older than their input (1)")
    assert contract.plans[-1]["verb"] == "force_rerun"


# -- choices of the dialogs


def test_descendants_are_picked_by_level_and_field(tab: Tab, contract: Contract) -> None:
    page = instance_page(tab, contract, "graph")
    page.get_by_role("button", name="Rerun downstream", exact=True).click()
    dialog(page).get_by_role("radio", name="Custom", exact=True).check()
    expect(confirm_button(page)).to_be_disabled()
    expect(dialog(page)).to_contain_text("Choose the descendants that go along.")
    dialog(page).get_by_role("row", name=re.compile("mart.ads_board")).get_by_role("checkbox").check()
    expect(confirm_button(page)).to_have_text("Rerun downstream 2 instances")
    assert contract.plans[-1]["options"]["pick"] == [{"instance": 902, "fields": ["gmv_rate"]}]


def test_force_rerun_downstream_is_quick_or_custom_and_asks_for_a_reason(
    tab: Tab, contract: Contract
) -> None:
    page = instance_page(tab, contract, "graph")
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Force rerun downstream", exact=True).click()
    expect(confirm_button(page)).to_have_text("Force rerun downstream 3 instances")
    expect(dialog(page)).to_contain_text(
        "All 3 instances are set to Not Running first; only the start skips the checks."
    )
    expect(confirm_button(page)).to_be_disabled()
    dialog(page).get_by_role("radio", name="Custom", exact=True).first.check()
    dialog(page).get_by_role("radio", name="Specific fields").check()
    dialog(page).get_by_role("checkbox", name="refund", exact=True).check()
    dialog(page).get_by_role("radio", name="Dry run", exact=True).check()
    dialog(page).get_by_role("textbox", name="Reason").fill("repaired")
    expect(confirm_button(page)).to_be_enabled()
    confirm_button(page).click()
    expect(dialog(page).get_by_role("link", name="Open operation 1 in the history")).to_be_visible()
    assert contract.plans[-1]["fields"] == ["refund"]
    assert contract.plans[-1]["options"]["start_mode"] == "dry_run"
    assert contract.confirmed[-1]["reason"] == "repaired"


def test_a_pause_ends_by_itself_tomorrow_morning(tab: Tab, contract: Contract) -> None:
    page = instance_page(tab, contract)
    page.get_by_role("button", name="More actions").click()
    expect(page.get_by_role("menuitem", name="Pause", exact=True)).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Escape")
    page = tab.open("/instances")
    page.get_by_role("checkbox", name="Select shop.fct_order").check()
    bar = page.get_by_role("toolbar", name="1 instance selected")
    expect(bar.get_by_role("button", name="Pause", exact=True)).to_be_disabled()
    expect(bar.get_by_role("button", name="Stop", exact=True)).to_be_disabled()
    bar.get_by_role("button", name="Set priority").click()
    expect(dialog(page)).to_contain_text("Choose a priority.")
    dialog(page).get_by_role("radio", name="Highest").check()
    expect(confirm_button(page)).to_have_text("Set priority 1 instance")
    assert contract.plans[-1]["options"] == {"priority": "highest"}


# -- two at once


def test_a_plan_overtaken_by_another_user_shows_the_difference_and_the_new_plan(
    tab: Tab, contract: Contract
) -> None:
    page = instance_page(tab, contract, "graph")
    contract.stale = ["shop.fct_order n1 is Running, was Succeeded"]
    page.get_by_role("button", name="Rerun", exact=True).click()
    confirm_button(page).click()
    expect(dialog(page)).to_contain_text("Things changed since this plan was made.")
    expect(dialog(page)).to_contain_text("shop.fct_order n1 is Running, was Succeeded")
    assert contract.confirmed == []
    confirm_button(page).click()
    expect(dialog(page)).to_contain_text("1 of 1 applied")
    assert contract.confirmed[0]["hash"] == "h2"


def test_a_refused_plan_says_why_and_cannot_be_confirmed(tab: Tab, contract: Contract) -> None:
    contract.refused = "customer_id is required, and you may not operate it: ask its owner ann"
    page = instance_page(tab, contract, "graph")
    page.get_by_role("button", name="Rerun", exact=True).click()
    expect(dialog(page)).to_contain_text("ask its owner ann")
    expect(confirm_button(page)).to_be_disabled()


def test_a_plan_of_thousands_stays_fluid(tab: Tab, contract: Contract) -> None:
    contract.many = 5000
    page = instance_page(tab, contract, "graph")
    page.get_by_role("button", name="Rerun", exact=True).click()
    expect(confirm_button(page)).to_have_text("Rerun 5001 instances")
    assert dialog(page).locator(".ant-table-row").count() < 60
    dialog(page).get_by_role("textbox", name="Name, field or id").fill("table_07")
    expect(dialog(page)).to_contain_text("125 / 5001")


# -- list


def test_everything_a_filter_finds_is_selected_by_query(tab: Tab, contract: Contract) -> None:
    page = tab.open("/instances?q=shop")
    page.get_by_role("button", name="Actions of shop.fct_order").click()
    expect(page.get_by_role("menuitem", name="Rerun", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("checkbox", name="Select shop.fct_order").check()
    expect(page.get_by_role("button", name="Actions of shop.fct_order")).to_be_disabled()
    page.get_by_role("button", name="Select all 2 of this filter").click()
    page.get_by_role("toolbar").get_by_role("button", name="Rerun all in final state").click()
    expect(confirm_button(page)).to_be_enabled()
    assert contract.plans[-1]["scope"] == {"query": f"q:shop kind:modeling data:{YESTERDAY}"}
    assert contract.plans[-1]["options"]["range"] == "all_final"


# -- history


def test_a_pause_is_undone_from_the_history_with_its_plan_shown(tab: Tab, contract: Contract) -> None:
    contract.operation(contract.plan({"verb": "stop"}), "hung")
    contract.operation(contract.plan({"verb": "pause"}), "low priority")
    page = tab.open("/operations")
    expect(page.locator("tbody tr.ant-table-row")).to_have_count(2)
    page.get_by_role("button", name="Stop #1").click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("button", name="Undo")).to_be_disabled()
    expect(page).to_have_url(re.compile("operation=1"))
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Pause #2").click()
    expect(drawer).to_contain_text("low priority")
    drawer.get_by_role("button", name="Undo").click()
    undo = page.get_by_role("dialog", name="Undo")
    expect(undo.locator("[data-confirm]")).to_have_text("Undo 1 instance")
    undo.get_by_role("textbox", name="Reason").fill("enough slots")
    undo.locator("[data-confirm]").click()
    undo.get_by_role("link", name="Open operation 3 in the history").click()
    expect(page).to_have_url(re.compile("operation=3"))
    expect(drawer).to_contain_text("undo of #2")
    assert contract.operations[2]["reason"] == "enough slots"


def test_the_history_is_filtered_by_the_url(tab: Tab, contract: Contract) -> None:
    contract.operation(contract.plan({"verb": "stop"}), "hung")
    contract.operation(contract.plan({"verb": "pause"}), "low priority")
    page = tab.open("/operations?verb=stop")
    expect(page.locator("tbody tr.ant-table-row")).to_have_count(1)
    page.get_by_role("button", name="Clear all filters").click()
    expect(page.locator("tbody tr.ant-table-row")).to_have_count(2)
    page = instance_page(tab, contract, "operations")
    expect(page.locator("tbody tr.ant-table-row")).to_have_count(2)


# -- the wizard


def test_the_wizard_locks_each_step_once_it_is_confirmed(tab: Tab, contract: Contract) -> None:
    page = tab.open("/instances")
    page.get_by_role("button", name="Actions of shop.fct_order").click()
    open_wizard(page)
    expect(page).to_have_url(re.compile(f"/emergency/{contract.instance}"))
    page.get_by_role("button", name="Next").click()
    note = page.get_by_role("dialog")
    expect(note).to_contain_text("These settings cannot be changed afterwards.")
    note.get_by_role("button", name="Confirm", exact=True).click()
    expect(page.get_by_text("These settings are locked.")).to_be_visible()
    expect(page.get_by_role("radio", name="This instance")).to_be_disabled()

    expect(page.get_by_role("checkbox", name="bank (Bank)")).to_be_disabled()
    page.get_by_role("checkbox", name="mart (Mart)").check()
    page.get_by_role("button", name="Select", exact=True).click()
    expect(page.get_by_text("The start's project shop must be selected.")).to_be_visible()
    page.get_by_role("checkbox", name="shop (Shop)").check()
    page.get_by_role("button", name="Select", exact=True).click()
    page.get_by_role("button", name="Next").click()
    expect(note).to_contain_text(
        "Instances of 2 selected projects will be run again; instances of 1 other projects will be dry-run only."
    )
    note.get_by_role("button", name="Confirm", exact=True).click()

    confirm = page.get_by_role("button", name="Confirm rerun of 3 instances")
    expect(confirm).to_be_disabled()
    page.get_by_role("textbox", name="Reason").fill("broken source of yesterday")
    expect(confirm).to_be_disabled()
    page.get_by_role("checkbox", name="I have checked the impact").check()
    confirm.click()
    expect(page.get_by_role("button", name="Open operation 1 in the history")).to_be_visible()
    assert [path for path, _ in contract.drafts] == [
        "emergency-drafts",
        "emergency-drafts/d1/basic",
        "emergency-drafts/d1/projects",
        "emergency-drafts/d1/submit",
    ]
    assert contract.drafts[1][1] == {"start": "self", "cross_day": True, "confirmed": True}
    assert contract.drafts[3][1] == {"hash": "h", "reason": "broken source of yesterday", "accepted": True}


def test_an_old_day_dims_the_wizard_with_the_rule_in_words(tab: Tab, contract: Contract, home: Path) -> None:
    page = instance_page(tab, contract, "graph")
    page.clock.set_fixed_time(datetime.now(UTC) + timedelta(days=5))
    page.reload()
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Emergency operations").click()
    item = page.get_by_role("menuitem", name="Force rerun downstream across projects")
    expect(item).to_have_attribute("aria-disabled", "true")
    item.locator("span").first.hover()
    expect(page.get_by_role("tooltip").filter(has_text="data timestamp must be")).to_contain_text(
        f"is {YESTERDAY}"
    )
