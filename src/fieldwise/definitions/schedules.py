"""A schedule as written -> Schedule; whatever fits no form is `bad_schedule` (spec 3, "Generation")."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from fieldwise.definitions.cron import LONGEST_MONTHS, form_of_cron
from fieldwise.definitions.words import WEEKDAYS, Unreadable, minutes_of_day, suggestion
from fieldwise.model.schedule import Period, Schedule, ShortMonths

EXAMPLES = 'for example {period: day, at: "02:30"} or {period: hour, every: 1}'
MONTH_DAY = re.compile(r"([0-9]{2})-([0-9]{2})")
ALLOWED = {
    Period.MINUTE: {"period", "every", "from", "to"},
    Period.HOUR: {"period", "every", "at", "from", "to"},
    Period.DAY: {"period", "at", "on"},
    Period.WEEK: {"period", "at", "on"},
    Period.MONTH: {"period", "at", "on", "short_months"},
    Period.YEAR: {"period", "at", "on", "short_months"},
}
KEYS = sorted({"cron"}.union(*ALLOWED.values()))


def bad(message: str, hint: str = EXAMPLES, path: str = "", at_key: bool = False) -> Unreadable:
    return Unreadable(message, hint, "bad_schedule", path, at_key)


def schedule_of(written: Mapping[str, Any]) -> Schedule:
    """The schedule a header's mapping says; raises Unreadable, mostly with code bad_schedule."""
    for key in written:
        if key not in KEYS:
            raise Unreadable(f"unknown key {key!r}", suggestion(key, KEYS), "unknown_key", key, at_key=True)
    if "cron" in written:
        if len(written) > 1:
            raise bad(
                "a cron expression stands alone", 'write either {cron: "..."} or a period', "cron", True
            )
        return _of_cron(str(written["cron"]))
    period = _period(written)
    if period.below_day:
        return _below_day(period, written)
    at = _times(written.get("at", "00:00"))
    if len(at) != 1:
        raise bad(f"a {period} schedule has one time of day", 'at: "02:30"', "at")
    on = tuple(dict.fromkeys(_day(str(one)) for one in _many(written.get("on", []))))
    _check_days(period, on)
    return Schedule(period, at, on=on, short_months=_short_months(written.get("short_months", "last")))


def _of_cron(text: str) -> Schedule:
    try:
        return schedule_of(form_of_cron(text))
    except Unreadable as error:
        error.path = "cron"
        raise


def _period(written: Mapping[str, Any]) -> Period:
    if "period" not in written and "every" in written:
        raise bad("`every` needs its period", "period: minute or period: hour", "every")
    word = str(written.get("period", "day"))
    try:
        period = Period(word)
    except ValueError:
        raise bad(f"{word!r} is not a period", suggestion(word, list(Period)), "period") from None
    extra = [key for key in written if key not in ALLOWED[period]]
    if extra:
        takes = f"it takes {', '.join(sorted(ALLOWED[period]))}"
        raise bad(f"a {period} schedule has no {extra[0]!r}", takes, extra[0], at_key=True)
    return period


def _many(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _times(value: Any) -> tuple[int, ...]:
    """Times of day, sorted, each once."""
    found = set()
    for number, one in enumerate(_many(value)):
        path = f"at.{number}" if isinstance(value, list) else "at"
        minutes = _time(one, path)
        if minutes >= 24 * 60:
            raise bad("24:00 is the next day", 'write "00:00"', path)
        found.add(minutes)
    return tuple(sorted(found))


def _time(value: Any, path: str) -> int:
    try:
        return minutes_of_day(value)
    except Unreadable as error:
        error.path = path
        raise


def _short_months(value: Any) -> ShortMonths:
    try:
        return ShortMonths(str(value))
    except ValueError:
        raise bad(f"short_months is {value!r}", "last or skip", "short_months") from None


def _below_day(period: Period, written: Mapping[str, Any]) -> Schedule:
    if "at" in written:
        for other in ("every", "from", "to"):
            if other in written:
                raise bad(f"an hour schedule has either `at` or `{other}`", EXAMPLES, other, at_key=True)
        at = _times(written["at"])
        if not at:
            raise bad("`at` is empty", 'at: ["00:30", "06:30"]', "at")
        return Schedule(period, at)
    every = written.get("every", 1)
    most = 1440 if period is Period.MINUTE else 24
    if not isinstance(every, int) or isinstance(every, bool) or not 1 <= every <= most:
        raise bad(f"every is {every!r}", f"a whole number of {period}s from 1 to {most}", "every")
    first, last = _time(written.get("from", "00:00"), "from"), _time(written.get("to", "24:00"), "to")
    if first >= last:
        raise bad(
            f"the window ends ({written.get('to', '24:00')}) before it begins ({written.get('from', '00:00')})",
            'a window lies within one day: from: "08:00", to: "20:00"',
            "to" if "to" in written else "from",
        )
    return Schedule(period, (), every, first, min(last, 24 * 60 - 1))


def _day(word: str) -> str:
    """A word of `on` in its one spelling."""
    text = word.strip().lower()
    if text == "business_days":
        raise Unreadable(
            "business days need a calendar, which this version does not have",
            "use {period: week, on: [mon, tue, wed, thu, fri]}",
            "unsupported",
            "on",
        )
    return str(int(text)) if re.fullmatch(r"[0-9]{1,2}", text) else text


def _check_days(period: Period, on: tuple[str, ...]) -> None:
    match period:
        case Period.WEEK:
            _need(on, WEEKDAYS.__contains__, "a week schedule needs weekdays", "on: [mon, thu]")
        case Period.MONTH:
            _need(on, _is_month_day, "a month schedule needs days", "on: [1, 15, last]")
        case Period.YEAR:
            _need(on, _is_date, "a year schedule needs dates", 'on: ["02-29", "12-31"]')
        case _:
            if on:
                raise bad(
                    f"a {period} schedule has no `on`",
                    "use period: week or month for single days",
                    "on",
                    True,
                )


def _need(on: tuple[str, ...], fits: Callable[[str], bool], message: str, hint: str) -> None:
    wrong = next((one for one in on if not fits(one)), None)
    if wrong is not None or not on:
        raise bad(message + (f", not {wrong!r}" if wrong is not None else ""), hint, "on")


def _is_month_day(word: str) -> bool:
    return word == "last" or (word.isascii() and word.isdigit() and 1 <= int(word) <= 31)


def _is_date(word: str) -> bool:
    match = MONTH_DAY.fullmatch(word)
    return (
        match is not None
        and 1 <= int(match[1]) <= 12
        and 1 <= int(match[2]) <= LONGEST_MONTHS[int(match[1]) - 1]
    )
