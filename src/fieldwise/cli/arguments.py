"""What people type: dates, ranges, names of instances; wrong input becomes a usage error that says what is right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import typer


@dataclass(frozen=True, slots=True)
class DateRange:
    first: date
    last: date

    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]


def parse_date(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date; write it as 2026-11-18") from None


def parse_range(text: str) -> DateRange:
    """`2026-11-18` or `2026-11-18..2026-11-20`."""
    first_text, dots, last_text = text.partition("..")
    first = parse_date(first_text)
    last = parse_date(last_text) if dots else first
    if last < first:
        raise typer.BadParameter(f"the range ends ({last}) before it begins ({first})")
    return DateRange(first, last)


def project_folder(text: str) -> Path:
    """A folder with a project.yml; the message names the nearest thing the user may have meant."""
    folder = Path(text)
    if (folder / "project.yml").is_file():
        return folder
    if not folder.exists():
        raise typer.BadParameter(f"folder {text!r} does not exist")
    raise typer.BadParameter(f"{text!r} has no project.yml; `fieldwise init {text}` makes one")
