"""Operating in a real browser on a real server: what is pressed happens, is logged and can be undone."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from browser import Tab, chromium, signed_in
from command_line import CommandLine, wait_until
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on the PATH"),
]

YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
BEFORE = YESTERDAY - timedelta(days=1)
SLOW = 40_000


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Two days ago has succeeded; yesterday waits for its time, which comes at the end of today."""
    fieldwise = CommandLine(tmp_path)
    fieldwise("init", "shop")
    for sql in (tmp_path / "shop" / "tables").glob("*.sql"):
        sql.write_text(re.sub(r'at: "01:(\d)0"', r'at: "23:5\1"', sql.read_text()))
    fieldwise("run", "shop", "--data", f"{BEFORE}")
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
        wait_until(lambda: len(instances(tab, YESTERDAY)) == 2, "yesterday is generated")
        yield tab
        assert [said for said in tab.trouble if "409" not in said] == []


def instances(tab: Tab, day: object) -> dict[str, dict[str, Any]]:
    answer = tab.page.request.get(f"{tab.url}/api/v1/instances?data_from={day}&data_to={day}").json()
    return {item["object"]: item for item in answer["items"]}


def runs(tab: Tab, table: str, day: object) -> list[int]:
    """The run number of each node."""
    detail = tab.page.request.get(f"{tab.url}/api/v1/instances/{instances(tab, day)[table]['id']}").json()
    return sorted(node["run"] for node in detail["nodes"])


def show(tab: Tab, table: str, day: object, part: str = "fields") -> Page:
    page = tab.open(f"/instances/{instances(tab, day)[table]['id']}?tab={part}")
    expect(page.get_by_role("heading", name=table, level=1)).to_be_visible()
    return page


def open_wizard(page: Page) -> None:
    page.get_by_role("menuitem", name="Emergency operations").click()
    page.get_by_role("menuitem", name="Force rerun downstream across projects").click()


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def confirm(page: Page, words: str) -> None:
    button = dialog(page).locator("[data-confirm]")
    expect(button).to_have_text(words)
    button.click()
    expect(dialog(page)).to_contain_text(re.compile(r"(\d+) of \1 applied"), timeout=SLOW)


def press(page: Page, verb: str) -> None:
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name=verb, exact=True).click()


def close(page: Page) -> None:
    dialog(page).get_by_role("button", name="Close", exact=True).last.click()


def test_two_fields_are_rerun_with_what_reads_them_and_nothing_else(tab: Tab) -> None:
    page = show(tab, "shop.dim_customer", BEFORE)
    page.get_by_role("checkbox", name="Select name").check()
    page.get_by_role("checkbox", name="Select region").check()
    page.get_by_role("toolbar").get_by_role("button", name="Rerun downstream", exact=True).click()
    dialog(page).get_by_role("radio", name="All in final state").check()
    confirm(page, "Rerun downstream 2 instances")
    dialog(page).get_by_role("link", name=re.compile("Open operation")).click()
    drawer = dialog(page)
    expect(drawer.locator("tbody tr.ant-table-row")).to_have_count(2)
    expect(drawer).to_contain_text("shop.fct_order")
    expect(drawer).to_contain_text("Browser")

    wait_until(
        lambda: runs(tab, "shop.fct_order", BEFORE) == [1, 1, 2],
        "only the node that reads the region has run again",
    )


def test_a_pause_is_lifted_and_another_one_undone_from_the_history(tab: Tab) -> None:
    page = show(tab, "shop.fct_order", YESTERDAY, "graph")
    press(page, "Pause")
    dialog(page).get_by_role("radio", name="Tomorrow 08:00").check()
    confirm(page, "Pause 1 instance")
    close(page)
    head = page.locator(".page-head").first
    expect(head.get_by_text("Paused", exact=True)).to_be_visible(timeout=SLOW)
    press(page, "Resume")
    confirm(page, "Resume 1 instance")
    close(page)
    expect(head.get_by_text("Paused", exact=True)).to_be_hidden(timeout=SLOW)
    press(page, "Pause")
    confirm(page, "Pause 1 instance")
    dialog(page).get_by_role("link", name=re.compile("Open operation")).click()
    dialog(page).get_by_role("button", name="Undo", exact=True).click()
    undo = page.get_by_role("dialog", name="Undo")
    undo.locator("[data-confirm]").click()
    expect(undo).to_contain_text("Applied")
    undo.get_by_role("link", name=re.compile("Open operation")).click()
    expect(page.get_by_text(re.compile("undo of #"))).not_to_have_count(0)
    wait_until(
        lambda: "paused" not in instances(tab, YESTERDAY)["shop.fct_order"]["marks"], "the pause is undone"
    )


def test_what_waits_is_stopped_and_what_was_stopped_is_forced(tab: Tab) -> None:
    page = show(tab, "shop.dim_customer", YESTERDAY, "graph")
    page.get_by_role("button", name="Stop", exact=True).click()
    confirm(page, "Stop 1 instance")
    close(page)
    expect(page.locator("header").get_by_text("1 Failed", exact=False).first).to_be_visible(timeout=SLOW)
    press(page, "Force rerun")
    expect(dialog(page)).to_contain_text("Neither upstream results nor the scheduled time are checked")
    confirm(page, "Force rerun 1 instance")
    close(page)
    wait_until(
        lambda: instances(tab, YESTERDAY)["shop.dim_customer"]["status"]["nodes"] == {"succeeded": 1},
        "the forced run succeeded",
    )
    page = show(tab, "shop.dim_customer", YESTERDAY, "operations")
    expect(page.locator("tbody tr.ant-table-row")).to_have_count(2)


def test_of_two_users_at_once_the_second_sees_the_difference(tab: Tab, browser: Browser, home: Path) -> None:
    page = show(tab, "shop.dim_customer", YESTERDAY, "graph")
    press(page, "Pause")
    button = dialog(page).locator("[data-confirm]")
    expect(button).to_have_text("Pause 1 instance")
    with signed_in(browser, home) as other:
        there = show(other, "shop.dim_customer", YESTERDAY, "graph")
        there.get_by_role("button", name="Stop", exact=True).click()
        confirm(there, "Stop 1 instance")
    button.click()
    expect(dialog(page)).to_contain_text("Things changed since this plan was made.", timeout=SLOW)
    expect(dialog(page).locator("[data-confirm]")).to_be_disabled()
    expect(dialog(page)).to_contain_text("Left out (1)")


def test_the_wizard_reruns_two_days_ago_in_three_locked_steps(tab: Tab) -> None:
    page = show(tab, "shop.dim_customer", BEFORE, "graph")
    page.locator(".box.centre .head").click(button="right")
    open_wizard(page)
    page.get_by_role("button", name="Next").click()
    dialog(page).get_by_role("button", name="Confirm", exact=True).click()
    page.get_by_role("checkbox", name="shop").check()
    page.get_by_role("button", name="Select", exact=True).click()
    page.get_by_role("button", name="Next").click()
    expect(dialog(page)).to_contain_text(
        "Instances of 1 selected projects will be run again; instances of 0 other projects"
    )
    dialog(page).get_by_role("button", name="Confirm", exact=True).click()
    page.get_by_role("textbox", name="Reason").fill("the customers of that day were broken")
    page.get_by_role("checkbox", name="I have checked the impact").check()
    page.get_by_role("button", name=re.compile("Confirm rerun of")).click()
    page.get_by_role("button", name=re.compile("Open operation")).click()
    expect(dialog(page)).to_contain_text("the customers of that day were broken")
    expect(dialog(page)).to_contain_text("shop.fct_order")
    wait_until(lambda: runs(tab, "shop.dim_customer", BEFORE) == [2], "the start has run again")
    wait_until(lambda: max(runs(tab, "shop.fct_order", BEFORE)) == 2, "what is below has run again")
