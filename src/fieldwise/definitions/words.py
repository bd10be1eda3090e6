"""How single values are written: durations, times of day, spans; None or a reason when they are wrong."""

from __future__ import annotations

import re
from datetime import date
from difflib import get_close_matches

DURATION = re.compile(r"^(\d+(?:\.\d+)?)\s*([smhd])$")
TIME = re.compile(r"^([01]?\d|2[0-4]):([0-5]\d)$")
SPAN = re.compile(r"^(?:[1-9]\d*[dh]|mtd|qtd|ytd|td)$")
NAME = re.compile(r"^[^\W\d]\w*$")
UNIT_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NAME_LENGTH = 128
DESCRIPTION_LENGTH = 1024


class Unreadable(ValueError):
    """A value that cannot be taken: `code` is a problem code's word, `hint` says how to write it."""

    def __init__(self, message: str, hint: str = "", code: str = "syntax") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


def seconds(value: object) -> float:
    """`5m`, `48h`, `90s`, `2d` as seconds."""
    match = DURATION.match(str(value).strip())
    if match is None:
        raise Unreadable(f"{value!r} is not a duration", "write a number and a unit: 30s, 5m, 48h or 2d")
    return float(match[1]) * UNIT_SECONDS[match[2]]


def minutes_of_day(value: object) -> int:
    """`02:30` as minutes after midnight; `24:00` is the end of the day."""
    match = TIME.match(str(value).strip())
    minutes = int(match[1]) * 60 + int(match[2]) if match else 24 * 60 + 1
    if minutes > 24 * 60:
        raise Unreadable(f"{value!r} is not a time of day", 'write it as "02:30"', "bad_schedule")
    return minutes


def day(value: object) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise Unreadable(f"{value!r} is not a date", "write it as 2026-01-31") from None


def span(value: object) -> str:
    """A metric's statistical span: 1d, 7d, nd, mtd, qtd, ytd, td, 3h."""
    text = str(value).strip().lower()
    if SPAN.match(text) is None:
        raise Unreadable(
            f"{value!r} is not a statistical period", "write 1d, 7d, 30d, mtd, qtd, ytd, td or hours as 3h"
        )
    return text


def suggestion(word: str, known: list[str] | tuple[str, ...]) -> str:
    """`did you mean "owner"?`, or the words there are when none is near."""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{near[0]}"?'
    return "known here: " + ", ".join(sorted(known)) if len(known) <= 24 else ""
