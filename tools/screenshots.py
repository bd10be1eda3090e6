"""Pictures of every page of a running server, in both themes and both languages: tools/screenshots.py HOME OUT.

Start `fieldwise serve --home HOME` first. The pictures are 1440x900, named page-language-theme.png.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))
from browser import Tab, chromium, signed_in
from playwright.sync_api import expect

LANGUAGES = ("en", "zh")
THEMES = ("light", "dark")
TABS = ("graph", "fields", "runs", "code", "lineage", "operations")
QUERY = "SELECT * FROM {table} ORDER BY ALL LIMIT 20"


def pages(example: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and address of every page; `example` is the instance shown."""
    yield "overview", "/"
    yield "instances", "/instances?kind=all&from=any"
    for tab in TABS:
        yield f"instance-{tab}", f"/instances/{example['id']}?tab={tab}"
    yield "operations", "/operations"
    yield "dialog", f"/instances/{example['id']}?tab=fields"
    yield "tables", f"/tables?table={example['object']}"
    yield "sql", "/sql"


def richest(tab: Tab) -> dict[str, Any]:
    """The newest instance with the most nodes: it shows most."""
    answer = tab.page.request.get(f"{tab.url}/api/v1/instances?kind=modeling&limit=200")
    items: list[dict[str, Any]] = answer.json()["items"]
    if not items:
        raise SystemExit("this home has no instances yet: fieldwise run PROJECT --data D --home HOME")
    return max(items, key=lambda item: (sum(item["status"]["nodes"].values()), item["data_timestamp"]))


def take(tab: Tab, name: str, address: str, example: dict[str, Any], picture: Path) -> None:
    page = tab.open(address)
    if name == "sql":
        page.locator(".cm-content").click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(QUERY.format(table=example["object"]))
        page.keyboard.press("Control+Enter")
        page.locator("tbody tr.ant-table-row").first.wait_for()
    if name == "dialog":
        page.locator(".verbs button:enabled").first.click()
        page.locator(".operation [data-confirm]").wait_for()
        page.locator(".operation .impact, .operation .ant-alert, .operation .ant-result").first.wait_for()
    if name == "instance-graph":
        page.locator(".box.centre").wait_for()
    page.wait_for_load_state("load")
    expect(page.locator("#content h1").first).to_be_visible()
    expect(page.locator(".ant-skeleton, .ant-spin-spinning, [aria-busy=true]")).to_have_count(0)
    page.screenshot(path=picture, animations="disabled")


def main(home: Path, out: Path) -> int:
    out.mkdir(parents=True, exist_ok=True)
    trouble: list[str] = []
    with chromium() as browser:
        for language in LANGUAGES:
            for theme in THEMES:
                with signed_in(browser, home, language, theme) as tab:
                    example = richest(tab)
                    for name, address in pages(example):
                        take(tab, name, address, example, out / f"{name}-{language}-{theme}.png")
                    trouble += tab.trouble
    sys.stdout.write(f"{len(list(out.glob('*.png')))} pictures in {out}\n")
    for said in trouble:
        sys.stderr.write(said + "\n")
    return 1 if trouble else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2])))
