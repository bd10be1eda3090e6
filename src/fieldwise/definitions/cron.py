"""A cron expression -> the schedule's form that means the same, where there is one (spec 3, "Generation")."""

from __future__ import annotations

import re
from typing import Any

from fieldwise.definitions.words import WEEKDAYS, Unreadable

FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
SHORTHANDS = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
              "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *"}  # fmt: skip
PART = re.compile(r"(?:(\*)|([0-9a-z]{1,3})(?:-([0-9a-z]{1,3}))?)(?:/([0-9]{1,2}))?")
HINT = (
    'write one of the forms, for example {period: day, at: "02:30"} or {period: week, on: [mon], at: "02:30"}'
)

Chosen = list[int] | None  # None: a star, every value


def form_of_cron(text: str) -> dict[str, Any]:
    """The mapping one could have written instead; raises Unreadable with code bad_schedule."""
    fields = SHORTHANDS.get(text.strip().lower(), text).split()
    if len(fields) != len(FIELDS):
        raise _misfit(text, f"has {len(fields)} fields, not 5", "minute hour day month weekday")
    minutes, hours = (_chosen(text, n, fields[n].lower()) for n in (0, 1))
    last = fields[2].lower() == "l"
    days = None if last else _chosen(text, 2, fields[2].lower())
    months, weekdays = (_chosen(text, n, fields[n].lower()) for n in (3, 4))
    if not last and days is months is weekdays is None:
        return _every_day(minutes, hours)
    times = _times(minutes, hours)
    if len(times) > 1:
        raise _misfit(text, "means several times on chosen days only")
    return {"at": times[0], **_on_days(text, days, last, months, weekdays)}


def _misfit(text: str, why: str = "fits none of the forms", hint: str = HINT) -> Unreadable:
    return Unreadable(f"cron {text!r} {why}", hint, "bad_schedule")


def _chosen(text: str, number: int, field: str) -> Chosen:
    """The values a field names, ascending."""
    name, least, most = FIELDS[number]
    found: set[int] = set()
    for part in field.split(","):
        match = PART.fullmatch(part)
        if match is None:
            raise _misfit(
                text, f"has no {name} in {part!r}", "numbers, *, ranges a-b, lists a,b and steps */n"
            )
        star, first, end, step = match.groups()
        low = least if star else _number(text, number, first)
        high = most if star or (step and not end) else _number(text, number, end or first)
        if not least <= low <= high <= most or step == "0":
            raise _misfit(text, f"has no {name} in {part!r}", f"a {name} lies in {least}-{most}")
        found |= set(range(low, high + 1, int(step or 1)))
    if number == len(FIELDS) - 1:
        found = {value % 7 for value in found}  # 7 is Sunday too
        return None if len(found) == 7 else sorted(found)
    return None if len(found) == most - least + 1 else sorted(found)


def _number(text: str, number: int, word: str) -> int:
    if word.isdigit():
        return int(word)
    names = {3: MONTHS, 4: (WEEKDAYS[-1], *WEEKDAYS[:-1])}.get(number, ())
    if word not in names:
        raise _misfit(text, f"has no {FIELDS[number][0]} {word!r}")
    return names.index(word) + (number == 3)


def _times(minutes: Chosen, hours: Chosen) -> list[str]:
    every_hour, every_minute = range(24), range(60)
    return [
        f"{hour:02}:{minute:02}" for hour in (hours or every_hour) for minute in (minutes or every_minute)
    ]


def _every_day(minutes: Chosen, hours: Chosen) -> dict[str, Any]:
    """Even steps through every hour become `every`, so that they count real time; the rest is wall-clock times."""
    if hours is None and minutes is None:
        return {"period": "minute", "every": 1}
    if hours is None and minutes is not None and len(minutes) == 1:
        return {"period": "hour", "every": 1, "from": f"00:{minutes[0]:02}"}
    if hours is None and minutes is not None:
        step = 60 // len(minutes)
        if minutes == list(range(0, 60, step)):
            return {"period": "minute", "every": step}
    times = _times(minutes, hours)
    return {"period": "day", "at": times[0]} if len(times) == 1 else {"period": "hour", "at": times}


def _on_days(text: str, days: Chosen, last: bool, months: Chosen, weekdays: Chosen) -> dict[str, Any]:
    if weekdays is not None:
        if days is not None or last or months is not None:
            raise _misfit(text, "means weekdays and dates at once")
        return {"period": "week", "on": [WEEKDAYS[(day - 1) % 7] for day in weekdays]}
    if months is None:
        chosen = ["last"] if last else [str(day) for day in days or ()]
        return {"period": "month", "on": chosen, "short_months": "skip"}
    if last:
        raise _misfit(text, "means the last day of some months only")
    dates = [
        f"{month:02}-{day:02}"
        for month in months
        for day in days or range(1, 32)
        if day <= LONGEST_MONTHS[month - 1]
    ]
    if not dates:
        raise _misfit(text, "names days that never come")
    return {"period": "year", "on": dates, "short_months": "skip"}
