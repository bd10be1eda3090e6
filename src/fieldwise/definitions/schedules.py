"""A schedule as written -> Schedule; whatever fits no form is `bad_schedule` (spec 3, "Generation")."""

from __future__ import annotations

import re
from typing import Any

from fieldwise.definitions.words import WEEKDAYS, Unreadable, minutes_of_day
from fieldwise.model.schedule import Period, Schedule, ShortMonths

FORMS = 'for example {period: day, at: "02:30"} or {period: hour, every: 1}'
MONTH_DAY = re.compile(r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")
DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
ALLOWED = {
    Period.MINUTE: {"period", "every", "from", "to"},
    Period.HOUR: {"period", "every", "at", "from", "to"},
    Period.DAY: {"period", "at", "on"},
    Period.WEEK: {"period", "at", "on"},
    Period.MONTH: {"period", "at", "on", "short_months"},
    Period.YEAR: {"period", "at", "on", "short_months"},
}


def bad(message: str, hint: str = FORMS) -> Unreadable:
    return Unreadable(message, hint, "bad_schedule")


def schedule_of(written: dict[str, Any]) -> Schedule:
    """The schedule a header's mapping says; raises Unreadable with code bad_schedule."""
    if "cron" in written:
        if len(written) > 1:
            raise bad("a cron expression stands alone", 'write either {cron: "..."} or a period')
        return cron_schedule(str(written["cron"]))
    try:
        period = Period(str(written.get("period", "day")))
    except ValueError:
        raise bad(
            f"{written.get('period')!r} is not a period", "minute, hour, day, week, month or year"
        ) from None
    extra = set(written) - ALLOWED[period]
    if extra:
        raise bad(
            f"a {period} schedule has no {sorted(extra)[0]!r}",
            f"it takes {', '.join(sorted(ALLOWED[period]))}",
        )
    if period.below_day:
        return _below_day(period, written)
    at = tuple(sorted({minutes_of_day(one) for one in _many(written.get("at", "00:00"))}))
    if len(at) != 1 or at[0] >= 1440:
        raise bad(f"a {period} schedule has one time of day before 24:00")
    on = tuple(str(one).lower() for one in _many(written.get("on", [])))
    _check_days(period, on)
    return Schedule(period, at, on=on, short_months=_short_months(written.get("short_months", "last")))


def _many(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _short_months(value: Any) -> ShortMonths:
    try:
        return ShortMonths(str(value))
    except ValueError:
        raise bad(f"short_months is {value!r}", "last or skip") from None


def _below_day(period: Period, written: dict[str, Any]) -> Schedule:
    if "at" in written:
        if "every" in written:
            raise bad("an hour schedule has either `every` or `at`")
        at = tuple(sorted({minutes_of_day(one) for one in _many(written["at"])}))
        if not at or at[-1] >= 1440:
            raise bad("`at` lists times of day before 24:00")
        return Schedule(period, at)
    every = written.get("every", 1)
    most = 1440 if period is Period.MINUTE else 24
    if not isinstance(every, int) or isinstance(every, bool) or not 1 <= every <= most:
        raise bad(f"every is {every!r}", f"a whole number from 1 to {most}")
    first, last = minutes_of_day(written.get("from", "00:00")), minutes_of_day(written.get("to", "24:00"))
    if first >= last:
        raise bad(f"the window ends ({written.get('to')}) before it begins ({written.get('from')})")
    return Schedule(period, (), every, first, min(last, 1439))


def _check_days(period: Period, on: tuple[str, ...]) -> None:
    match period:
        case Period.WEEK:
            wrong = [one for one in on if one not in WEEKDAYS]
            if wrong or not on:
                raise bad(
                    "a week schedule needs weekdays" + (f", not {wrong[0]!r}" if wrong else ""),
                    "on: [mon, thu]",
                )
        case Period.MONTH:
            wrong = [one for one in on if one != "last" and not (one.isdigit() and 1 <= int(one) <= 31)]
            if wrong or not on:
                raise bad(
                    "a month schedule needs days" + (f", not {wrong[0]!r}" if wrong else ""),
                    "on: [1, 15, last]",
                )
        case Period.YEAR:
            wrong = [one for one in on if not _month_day(one)]
            if wrong or not on:
                raise bad(
                    "a year schedule needs dates" + (f", not {wrong[0]!r}" if wrong else ""),
                    'on: ["02-29", "12-31"]',
                )
        case _:
            if on:
                raise bad("a day schedule has no `on`", "use period: week or month for single days")


def _month_day(text: str) -> bool:
    match = MONTH_DAY.match(text)
    return bool(match) and int(match[2]) <= DAYS_IN_MONTH[int(match[1]) - 1] if match else False


def cron_schedule(text: str) -> Schedule:
    """A cron expression that fits one of the forms; anything else says which forms there are."""
    fields = text.split()
    if len(fields) != 5:
        raise bad(f"cron {text!r} has {len(fields)} fields", "minute hour day month weekday")
    minute, hour, day, month, weekday = fields
    step = re.fullmatch(r"\*/(\d+)", minute)
    if (minute == "*" or step) and hour == day == month == weekday == "*":
        return schedule_of({"period": "minute", "every": int(step[1]) if step else 1})
    if not minute.isdigit() or int(minute) > 59:
        raise bad(f"cron {text!r} fits none of the forms")
    hourly = re.fullmatch(r"\*(?:/(\d+))?", hour)
    if hourly and day == month == weekday == "*":
        every = int(hourly[1] or 1)
        if every == 0:
            raise bad(f"cron {text!r} fits none of the forms")
        return schedule_of(
            {"period": "hour", "at": [f"{h:02}:{int(minute):02}" for h in range(0, 24, every)]}
        )
    if re.fullmatch(r"\d+(,\d+)+", hour) and day == month == weekday == "*":
        return schedule_of(
            {"period": "hour", "at": [f"{int(h):02}:{int(minute):02}" for h in hour.split(",")]}
        )
    if not hour.isdigit() or int(hour) > 23:
        raise bad(f"cron {text!r} fits none of the forms")
    at = f"{int(hour):02}:{int(minute):02}"
    if day == month == weekday == "*":
        return schedule_of({"period": "day", "at": at})
    if day == month == "*":
        return schedule_of(
            {"period": "week", "at": at, "on": [_weekday(one, text) for one in weekday.split(",")]}
        )
    if month == weekday == "*" and re.fullmatch(r"\d+(,\d+)*", day):
        return schedule_of({"period": "month", "at": at, "on": day.split(","), "short_months": "skip"})
    if weekday == "*" and day.isdigit() and month.isdigit():
        return schedule_of(
            {"period": "year", "at": at, "on": [f"{int(month):02}-{int(day):02}"], "short_months": "skip"}
        )
    raise bad(f"cron {text!r} fits none of the forms")


def _weekday(word: str, text: str) -> str:
    if word.isdigit() and int(word) <= 7:
        return WEEKDAYS[(int(word) - 1) % 7]
    if word.lower() in WEEKDAYS:
        return word.lower()
    raise bad(f"cron {text!r}: {word!r} is not a weekday")
