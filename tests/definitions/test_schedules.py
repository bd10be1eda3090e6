"""Schedules as people write them, and cron expressions that mean one of the forms."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_texts import header, problems_of, read, task_of

from fieldwise.definitions.cron import form_of_cron
from fieldwise.definitions.schedules import schedule_of
from fieldwise.definitions.words import Unreadable
from fieldwise.model.schedule import Period, Schedule, ShortMonths


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{}", Schedule(Period.DAY, (0,))),
        ('{period: day, at: "02:30"}', Schedule(Period.DAY, (150,))),
        ("{period: hour, every: 1}", Schedule(Period.HOUR, (), 1)),
        ('{period: hour, at: ["06:30", "00:30"]}', Schedule(Period.HOUR, (30, 390))),
        (
            '{period: minute, every: 15, from: "08:00", to: "20:00"}',
            Schedule(Period.MINUTE, (), 15, 480, 1200),
        ),
        ('{period: minute, to: "24:00"}', Schedule(Period.MINUTE, (), 1, 0, 1439)),
        (
            '{period: week, on: [mon, Thu, mon], at: "03:00"}',
            Schedule(Period.WEEK, (180,), on=("mon", "thu")),
        ),
        ('{period: month, on: [01, last], at: "04:00"}', Schedule(Period.MONTH, (240,), on=("1", "last"))),
        (
            '{period: year, on: ["02-29"], at: "05:00", short_months: skip}',
            Schedule(Period.YEAR, (300,), on=("02-29",), short_months=ShortMonths.SKIP),
        ),
        ('{cron: "30 2 * * *"}', Schedule(Period.DAY, (150,))),
    ],
)
def test_every_form_is_taken(written: str, expected: Schedule) -> None:
    assert task_of(header(f"schedule: {written}")).schedule == expected


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("schedule: ¦daily", "bad_schedule"),
        ("schedule: {period: ¦wek}", "bad_schedule"),
        ("schedule: {¦perod: day}", "unknown_key"),
        ('schedule: {period: day, at: ¦"25:00"}', "bad_schedule"),
        ('schedule: {period: day, at: ¦"24:00"}', "bad_schedule"),
        ('schedule: {period: day, at: ¦"24:30"}', "bad_schedule"),
        ("schedule: {period: day, at: ¦0130}", "bad_schedule"),
        ("schedule: {period: day, at:¦ }", "bad_schedule"),
        ('schedule: {period: day, at: ¦["01:00", "02:00"]}', "bad_schedule"),
        ('schedule: {period: hour, at: ["01:00", ¦"2"]}', "bad_schedule"),
        ("schedule: {period: hour, at: ¦[]}", "bad_schedule"),
        ('schedule: {period: hour, ¦every: 2, at: "01:00"}', "bad_schedule"),
        ("schedule: {period: hour, every: ¦0}", "bad_schedule"),
        ("schedule: {period: hour, every: ¦25}", "bad_schedule"),
        ("schedule: {period: minute, every: ¦5m}", "bad_schedule"),
        ("schedule: {every: ¦5}", "bad_schedule"),
        ('schedule: {period: minute, ¦at: "00:01"}', "bad_schedule"),
        ('schedule: {period: minute, from: "20:00", to: ¦"08:00"}', "bad_schedule"),
        ('schedule: {period: hour, from: "08:00", to: ¦"08:00"}', "bad_schedule"),
        ("schedule: ¦{period: week}", "bad_schedule"),
        ("schedule: {period: week, on: ¦[moon]}", "bad_schedule"),
        ("schedule: {period: month, on: ¦[32]}", "bad_schedule"),
        ("schedule: {period: month, on: ¦[²]}", "bad_schedule"),
        ("schedule: {period: year, on: ¦[02-30]}", "bad_schedule"),
        ("schedule: {period: year, on: ¦[2-3]}", "bad_schedule"),
        ("schedule: {period: month, on: [1], short_months: ¦no}", "bad_schedule"),
        ("schedule: {period: day, ¦on: [mon]}", "bad_schedule"),
        ("schedule: {period: day, on: ¦business_days}", "unsupported"),
        ('schedule: {¦cron: "0 0 * * *", at: "01:00"}', "bad_schedule"),
        ('schedule: {cron: ¦"0 0 * *"}', "bad_schedule"),
    ],
)
def test_what_fits_no_form_is_said_at_its_place(written: str, code: str) -> None:
    place = written.index("¦") + 1
    assert problems_of(header(written.replace("¦", ""))) == [f"retail/tables/t.sql:4:{place} {code}"]


def test_a_cron_step_that_ends_the_header_comment_is_explained() -> None:
    line = 'schedule: {cron: "*/5 * * * *"}'
    [problem, *_] = read(header(line))[1]
    assert (problem.line, problem.column, problem.code) == (4, line.index("*") + 1, "bad_schedule")
    assert "ends the comment" in problem.hint


@pytest.mark.parametrize("kind", ["conditions: [{name: month-end, on: [last]}]", "calendar: holidays.yml"])
def test_what_this_version_does_not_have_is_said_clearly(kind: str) -> None:
    assert problems_of(header(kind)) == ["retail/tables/t.sql:4:1 unsupported"]


@pytest.mark.parametrize(
    "text",
    ["", "* * * *", "60 * * * *", "* 24 * * *", "0 0 0 * *", "0 0 32 * *", "0 0 30 2 *", "0 0 1 * 1", "0 0 * 13 *", "x * * * *",
     "*/0 * * * *", "5-1 * * * *", "0 1,2 * * 1", "0 0 L 2 *", "@reboot", "0 0 ? * *", "0 0 * * 8", "² 1 * * *"],
)  # fmt: skip
def test_a_cron_expression_that_fits_no_form_is_refused(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        form_of_cron(text)
    assert caught.value.code == "bad_schedule"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@daily", {"period": "day", "at": "00:00"}),
        ("* * * * *", {"period": "minute", "every": 1}),
        ("*/15 * * * *", {"period": "minute", "every": 15}),
        ("30 * * * *", {"period": "hour", "every": 1, "from": "00:30"}),
        ("0 */6 * * *", {"period": "hour", "at": ["00:00", "06:00", "12:00", "18:00"]}),
        ("0 3 * * Mon,4", {"at": "03:00", "period": "week", "on": ["mon", "thu"]}),
        ("0 3 * * 7", {"at": "03:00", "period": "week", "on": ["sun"]}),
        ("0 3 L * *", {"at": "03:00", "period": "month", "on": ["last"], "short_months": "skip"}),
        ("0 3 29 feb *", {"at": "03:00", "period": "year", "on": ["02-29"], "short_months": "skip"}),
    ],
)
def test_cron_expressions_that_fit_a_form_become_it(text: str, expected: dict[str, object]) -> None:
    assert form_of_cron(text) == expected


def cron_field(least: int, most: int) -> st.SearchStrategy[str]:
    number = st.integers(least, most)
    ranges = st.tuples(number, number).map(lambda two: f"{min(two)}-{max(two)}")
    part = st.one_of(number.map(str), ranges, st.builds(lambda n: f"*/{n}", st.integers(1, 12)))
    return st.just("*") | st.lists(part, min_size=1, max_size=2).map(",".join)


def named(field: str, least: int, most: int) -> set[int]:
    """The oracle: a field's values, one rule after the other."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        low, _, high = (f"{least}-{most}" if span == "*" else span).partition("-")
        found |= set(range(int(low), int(high or low) + 1, int(step or 1)))
    return found


@given(cron_field(0, 59), cron_field(0, 23))
def test_daily_cron_expressions_mean_the_same_times(minute: str, hour: str) -> None:
    schedule = schedule_of(form_of_cron(f"{minute} {hour} * * *"))
    expected = {h * 60 + m for h, m in product(named(hour, 0, 23), named(minute, 0, 59))}
    unit = 1 if schedule.period is Period.MINUTE else 60
    if schedule.every is not None:
        assert set(range(schedule.first, schedule.last + 1, schedule.every * unit)) == expected
    else:
        assert set(schedule.at) == expected
