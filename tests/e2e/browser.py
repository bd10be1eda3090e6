"""A Chromium that tells on the page: console errors, exceptions, failed requests and broken content policy."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, Response, sync_playwright

from fieldwise.client import Client

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SIZE = {"width": 1440, "height": 900}
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`content policy: ${event.violatedDirective} ${event.blockedURI}`));
"""


@dataclass
class Tab:
    """One signed-in page of a server, and everything that went wrong on it."""

    page: Page
    url: str
    trouble: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(self.url + path)
        return self.page

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.trouble.append(f"{self.page.url}: {message.text}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.trouble.append(f"{response.status} {response.url}")

    def listen(self) -> None:
        self.page.add_init_script(REPORT_VIOLATIONS)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.trouble.append(f"{self.page.url}: {error}"))
        self.page.on("response", self._response)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def signed_in(browser: Browser, home: Path, language: str = "en", theme: str = "light") -> Iterator[Tab]:
    """A fresh profile that followed the link `fieldwise serve` printed."""
    said = json.loads((home / "server.json").read_text())
    context = browser.new_context(viewport=SIZE, reduced_motion="reduce", locale="en-US", timezone_id="UTC")
    context.add_init_script(
        f"localStorage.setItem('fieldwise.language', '{language}'); localStorage.setItem('fieldwise.theme', '{theme}');"
    )
    try:
        tab = Tab(context.new_page(), said["url"])
        tab.page.set_default_timeout(20_000)
        tab.listen()
        tab.open(Client.of_home(home).post("login-links", {})["path"])
        yield tab
    finally:
        context.close()
