"""The operations centre in a real browser, against a real server on a small project that ran three days."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from browser import Tab, chromium, signed_in
from command_line import CommandLine, wait_until
from playwright.sync_api import Browser, Page, expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on the PATH"),
]

YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Served, three days after the first."""
    fieldwise = CommandLine(tmp_path_factory.mktemp("served"))
    fieldwise("init", "shop")
    fieldwise("run", "shop", "--data", f"{YESTERDAY - timedelta(days=2)}..{YESTERDAY}")
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
    """Whatever a test does: no console error, no failed request, no violation of the content policy."""
    with signed_in(browser, home) as tab:
        yield tab
        assert tab.trouble == []


def newest_order(tab: Tab) -> Page:
    """The page of yesterday's instance of the fact table."""
    page = tab.open("/instances?q=fct_order")
    page.get_by_role("link", name="shop.fct_order").click()
    expect(page.get_by_role("heading", name="shop.fct_order", level=1)).to_be_visible()
    return page


def rows(page: Page) -> list[str]:
    return page.locator("tbody tr.ant-table-row .object a").all_inner_texts()


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.locator(".ant-select-dropdown:not(.ant-select-dropdown-hidden) .ant-select-item-option").filter(
        has_text=re.compile(f"^{option}$")
    ).click()


# -- overview


def test_the_overview_counts_the_newest_day_and_the_days_before(tab: Tab) -> None:
    page = tab.open("/")
    expect(page.get_by_text(f"Data timestamp {YESTERDAY}")).to_be_visible()
    nodes = page.locator("section.panel").filter(has_text="Materialization nodes by status")
    expect(nodes).to_contain_text("4 nodes")
    expect(nodes).to_contain_text("4 Succeeded")
    fields = page.locator("section.panel").filter(has_text="Fields by status")
    expect(fields).to_contain_text("7 Succeeded")
    days = page.locator("section.panel").filter(has_text="Last seven data timestamps")
    for back in range(3):
        expect(days).to_contain_text(str(YESTERDAY - timedelta(days=back)))
    expect(page.get_by_text("Nothing failed.")).to_be_visible()


def test_a_day_of_the_overview_opens_its_list(tab: Tab) -> None:
    before = YESTERDAY - timedelta(days=1)
    page = tab.open("/")
    page.get_by_role("link", name=str(before)).click()
    expect(page.get_by_text("2 instances")).to_be_visible()
    assert parse_qs(urlsplit(page.url).query)["from"] == [str(before)]


# -- the list


def test_filters_stand_in_the_url_and_survive_a_reload(tab: Tab) -> None:
    page = tab.open("/instances")
    expect(page.get_by_text("2 instances")).to_be_visible()
    page.get_by_role("searchbox", name="Name or id").or_(page.get_by_placeholder("Name or id")).first.fill(
        "fct"
    )
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 instances")).to_be_visible()
    choose(page, "Status", "Succeeded")
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("status="))
    assert rows(page) == ["shop.fct_order"]

    page.reload()
    expect(page.get_by_text("1 instances")).to_be_visible()
    query = parse_qs(urlsplit(page.url).query)
    assert query["q"] == ["fct"]
    assert "succeeded" in query["status"][0]
    expect(page.locator(".ant-tag", has_text="fct")).to_be_visible()
    expect(page.locator(".ant-tag", has_text="Succeeded")).to_be_visible()
    assert rows(page) == ["shop.fct_order"]

    page.get_by_role("button", name="Clear all filters").click()
    expect(page.get_by_text("2 instances")).to_be_visible()
    assert "q" not in parse_qs(urlsplit(page.url).query)


def test_a_filter_that_matches_nothing_says_so(tab: Tab) -> None:
    page = tab.open("/instances?status=failed")
    expect(page.get_by_text("No instance matches these filters")).to_be_visible()


# -- the instance


def test_the_graph_opens_a_table_into_nodes_and_a_node_into_fields(tab: Tab) -> None:
    page = newest_order(tab)
    box = page.locator(".box.centre")
    expect(box).to_contain_text("shop.fct_order")
    expect(page.locator(".box").filter(has_text="shop.dim_customer")).to_be_visible()
    expect(box.locator("button.inner")).to_have_count(3)
    box.locator("button.inner").filter(has_text="region").click()
    expect(box.locator(".field").filter(has_text="region")).to_be_visible()
    expect(box.locator(".field").filter(has_text="order_id")).to_be_visible()
    expect(page.locator(".react-flow__edge.highlighted")).not_to_have_count(0)
    box.get_by_role("button", name="Hide nodes").click()
    expect(box.locator("button.inner")).to_have_count(0)
    box.get_by_role("button", name="Show nodes").click()
    expect(box.locator("button.inner")).to_have_count(3)


def test_the_graph_is_also_a_list(tab: Tab) -> None:
    page = newest_order(tab)
    page.get_by_text("As a list").click()
    expect(page.get_by_role("cell", name="shop.dim_customer")).to_be_visible()


def test_the_fields_tab_shows_fields_and_nodes_and_searches(tab: Tab) -> None:
    page = newest_order(tab)
    page.get_by_role("tab", name="Fields").click()
    expect(page).to_have_url(re.compile("tab=fields"))
    for field in ("order_id", "amount", "region", "refund"):
        expect(page.get_by_role("button", name=field, exact=True)).to_be_visible()
    expect(page.get_by_text("row node", exact=True)).to_have_count(1)
    page.get_by_placeholder("Search fields").fill("reg")
    expect(page.get_by_text("1 / 4")).to_be_visible()
    expect(page.get_by_role("button", name="amount", exact=True)).to_have_count(0)


def test_the_runs_tab_shows_the_log_of_the_chosen_run(tab: Tab) -> None:
    page = newest_order(tab)
    page.get_by_role("tab", name="Runs & log").click()
    expect(page.locator("button.run-row")).to_have_count(3)
    page.locator("button.run-row").filter(has_text="n2").click()
    log = page.locator("pre.log")
    expect(log).to_contain_text(f"computing region of shop.fct_order, ds {YESTERDAY}")
    expect(log).to_contain_text("succeeded: 4 rows")
    expect(page.get_by_text("End of log")).to_be_visible()


def test_the_code_tab_shows_what_was_written_and_each_node(tab: Tab) -> None:
    page = newest_order(tab)
    page.get_by_role("tab", name="Code").click()
    expect(page.locator(".cm-content").first).to_contain_text("coalesce(r.refund, 0) AS refund")
    page.get_by_role("tab", name="Node n2").click()
    expect(page.get_by_text(f"data_date = {YESTERDAY}")).to_be_visible()


def test_the_lineage_tab_goes_both_ways_and_takes_another_field(tab: Tab) -> None:
    page = newest_order(tab)
    page.get_by_role("tab", name="Lineage").click()
    choose(page, "Choose a field", "region")
    expect(page).to_have_url(re.compile("field=region"))
    made_from = page.locator("section.panel").filter(has_text="Made from")
    expect(made_from).to_contain_text("shop.dim_customer.region")
    expect(made_from).to_contain_text("raw.customers.region")
    expect(page.locator("section.panel").filter(has_text="Used by")).to_contain_text(
        "Nothing reads this field."
    )


# -- tables and SQL


def test_the_tables_page_lists_what_is_published(tab: Tab) -> None:
    page = tab.open("/tables?table=shop.fct_order&field=refund")
    expect(page.get_by_text("raw.refunds").first).to_be_visible()


def test_the_sql_page_answers_and_shows_an_error_as_one(tab: Tab) -> None:
    page = tab.open("/sql")
    editor = page.locator(".cm-content")
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(
        f"SELECT order_id, region FROM shop.fct_order WHERE ds = '{YESTERDAY}' ORDER BY 1"
    )
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("columnheader", name="region")).to_be_visible()
    expect(page.locator("tbody tr.ant-table-row")).to_have_count(4)
    assert tab.trouble == []

    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("SELECT nothing FROM nowhere")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("nowhere does not exist").first).to_be_visible()
    refused = [said for said in tab.trouble if "422" in said]
    assert refused == tab.trouble != [], "the browser itself notes the refusal, and nothing else"
    tab.trouble.clear()


# -- settings


def test_the_page_speaks_chinese_when_asked_and_remembers(tab: Tab, browser: Browser, home: Path) -> None:
    page = tab.open("/")
    choose(page, "Language", "中文")
    expect(page.get_by_role("heading", name="概览")).to_be_visible()
    page.get_by_role("link", name="周期实例").click()
    expect(page.get_by_role("heading", name="周期实例")).to_be_visible()
    expect(page.get_by_text("共 2 个实例")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "zh"
    assert page.evaluate("localStorage.getItem('fieldwise.language')") == "zh"
    with signed_in(browser, home, language="zh") as other:
        expect(other.open("/sql").get_by_role("heading", name="SQL 查询")).to_be_visible()


def test_the_dark_theme_is_dark(tab: Tab) -> None:
    page = tab.open("/")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()

    def brightness() -> float:
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(float, re.findall(r"[\d.]+", colour)[:3])) / 3

    assert brightness() > 200
    choose(page, "System theme", "Dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert brightness() < 60


def test_an_unknown_address_says_so_and_leads_home(tab: Tab) -> None:
    page = tab.open("/no/such/page")
    expect(page.get_by_text("This page does not exist")).to_be_visible()
    page.get_by_role("link", name="To the overview").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_without_the_link_nothing_is_shown(browser: Browser, tab: Tab) -> None:
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(tab.url + "/instances")
        expect(page.get_by_text("Your session has ended").first).to_be_visible()
        assert rows(page) == []
    finally:
        context.close()
