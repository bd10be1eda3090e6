"""How single values are written: durations, times of day, dates, spans; Unreadable when they are wrong."""

from __future__ import annotations

import re
from datetime import date
from difflib import get_close_matches

DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([smhd])")
TIME = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])")
SPAN = re.compile(r"[1-9][0-9]{0,3}[dh]|mtd|qtd|ytd|td")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
NAME = re.compile(r"[^\W\d]\w*\Z")
UNIT_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NAME_LENGTH = 128
DESCRIPTION_LENGTH = 1024


class Unreadable(ValueError):
    """A value that cannot be taken: `code` is a problem code's word, `hint` says how to write it.

    `path` leads from the value to the part of it that is wrong; `at_key`: the key is wrong, not what it says.
    """

    def __init__(
        self, message: str, hint: str = "", code: str = "syntax", path: str = "", at_key: bool = False
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.path = path
        self.at_key = at_key


def seconds(value: object) -> float:
    """`5m`, `48h`, `90s`, `2d` as seconds."""
    match = DURATION.fullmatch(str(value).strip())
    if match is None:
        raise Unreadable(f"{value!r} is not a duration", "write a number and a unit: 30s, 5m, 48h or 2d")
    return float(match[1]) * UNIT_SECONDS[match[2]]


def minutes_of_day(value: object) -> int:
    """`02:30` as minutes after midnight; `24:00` is the end of the day."""
    match = TIME.fullmatch(str(value).strip())
    minutes = int(match[1]) * 60 + int(match[2]) if match else 24 * 60 + 1
    if minutes > 24 * 60:
        raise Unreadable(f"{value!r} is not a time of day", 'write it as "02:30"', "bad_schedule")
    return minutes


def day(value: object) -> date:
    text = str(value)
    try:
        if DATE.fullmatch(text):  # fromisoformat alone takes 20260131 and 2026-W05 too
            return date.fromisoformat(text)
    except ValueError:
        pass  # a day that no month has
    raise Unreadable(f"{value!r} is not a date", "write it as 2026-01-31")


def span(value: object) -> str:
    """A metric's statistical span: 1d, 7d, nd, mtd, qtd, ytd, td, 3h."""
    text = str(value).strip().lower()
    if SPAN.fullmatch(text) is None:
        raise Unreadable(
            f"{value!r} is not a statistical period", "write 1d, 7d, 30d, mtd, qtd, ytd, td or hours as 3h"
        )
    return text


def suggestion(word: str, known: list[str] | tuple[str, ...]) -> str:
    """`did you mean "owner"?`, or the words there are when none is near."""
    folded = {one.lower(): one for one in known}
    near = get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{folded[near[0]]}"?'
    return "known here: " + ", ".join(sorted(known)) if 0 < len(known) <= 24 else ""
