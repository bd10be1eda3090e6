"""How answers look in a terminal: tables for people, one JSON document for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from fieldwise.model.errors import Problem

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

STATUS_LOOK: dict[str, tuple[str, str]] = {
    "not_running": ("○", "bright_black"),
    "waiting": ("◷", "yellow"),
    "waiting_time": ("◷", "yellow"),
    "throttled": ("⏳", "yellow"),
    "waiting_resources": ("⏳", "yellow"),
    "running": ("▶", "blue"),
    "succeeded": ("✓", "green"),
    "failed": ("✕", "red"),
}


def print_json(document: Any) -> None:
    """Exactly one JSON document on standard output, whatever the terminal."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")


def status_text(word: str, count: int | None = None) -> Text:
    icon, colour = STATUS_LOOK.get(word, ("?", "white"))
    words = word.replace("_", " ")
    return Text(f"{icon} {words}" if count is None else f"{icon} {count} {words}", style=colour)


def counts_text(counts: dict[str, int]) -> Text:
    parts = [status_text(word, count) for word, count in counts.items() if count]
    return Text("  ").join(parts) if parts else Text("-", style="bright_black")


def table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]], title: str = "") -> None:
    view = Table(title=title or None, box=None, header_style="bold", pad_edge=False, title_justify="left")
    for column in columns:
        view.add_column(column, overflow="fold")
    for row in rows:
        view.add_row(*(cell if isinstance(cell, Text) else escape(str(cell)) for cell in row))
    out.print(view)


def local_time(instant: str | None, zone: str) -> str:
    """An RFC 3339 instant in a project's zone, with the zone's abbreviation."""
    if not instant:
        return "-"
    moment = datetime.fromisoformat(instant).astimezone(ZoneInfo(zone))
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}"


def duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def print_problems(problems: Sequence[Problem]) -> None:
    """Located problems as file:line:column, which editors and terminals turn into links."""
    for problem in problems:
        place = f"{problem.file}:{problem.line}:{problem.column}"
        err.print(
            f"[bold]{escape(place)}[/] [red]{problem.code.value}[/] {escape(problem.message)}", soft_wrap=True
        )
        if problem.hint:
            err.print(f"    [cyan]hint:[/] {escape(problem.hint)}", soft_wrap=True)


def problem_document(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "code": problem.code.value,
        "message": problem.message,
        "hint": problem.hint,
    }
