"""The instance list against a plain filter and sort of all rows, whatever the filters, the order and the way it is found."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored_shop import AT, TODAY, Shop, opened, shop_of, task

from fieldwise.model.errors import BadRequest
from fieldwise.model.event import CommitBatch, from_day, from_micros
from fieldwise.model.status import Mark, Priority, RunOutcome
from fieldwise.store import listing
from fieldwise.store.sqlite import SqliteStore

HOUR = 3_600_000_000
Item = dict[str, Any]


def filled() -> Shop:
    """Several days of instances in every state, paused ones among them."""
    tasks = [
        task(f"t{n:02}", 1 + n % 3, ("ada", "bob")[n % 2], Priority(n % 3), tags=(("web",), ())[n % 2])
        for n in range(7)
    ]
    shop = opened(SqliteStore(":memory:"), shop_of(tasks))
    chance = random.Random(1)
    ids = [firing.state.id for day in range(5) for firing in shop.generate(TODAY - day, slots=1 + day % 2)]
    ids += [firing.state.id for firing in shop.generate(TODAY - 2, flow=9)]
    for number in chance.sample(ids, len(ids) * 2 // 3):
        at = AT - chance.randrange(100) * HOUR
        shop.start(number, at=at)
        if chance.random() < 0.8:
            outcome = chance.choice([RunOutcome.SUCCEEDED] * 3 + [RunOutcome.FAILED])
            shop.end(number, at=at + chance.randrange(5) * HOUR, outcome=outcome)
    states = shop.states()
    paused = [states[number]._replace(marks=int(Mark.PAUSED)) for number in chance.sample(sorted(states), 9)]
    shop._commit(CommitBatch(AT, nodes=paused), states)
    return shop


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    made = filled()
    yield made
    made.store.close()


class Rows:
    """A failing example is printed with its arguments: this one keeps its words short."""

    def __init__(self, items: list[Item]) -> None:
        self.items = items


@pytest.fixture(scope="module")
def rows(shop: Shop) -> Rows:
    return Rows(shop.store.instances({}, "scheduled", 500).items)


KEYS: dict[str, Callable[[Item], Any]] = {
    "name": lambda i: (i["object"], i["scheduled_at"], i["id"]),
    "scheduled": lambda i: (i["scheduled_at"], i["id"]),
    "start": lambda i: (i["start"], i["id"]),
    "end": lambda i: (i["end"], i["id"]),
    "run_time": lambda i: (i["run_seconds"], i["id"]),
}
UNSET = {"start": "start", "end": "end", "run_time": "run_seconds"}


def ordered(rows: list[Item], sort: str) -> list[Item]:
    name, back = sort.removeprefix("-"), sort.startswith("-")
    unset = [row for row in rows if name in UNSET and row[UNSET[name]] is None]
    given = [row for row in rows if row not in unset]
    return sorted(given, key=KEYS[name], reverse=back) + sorted(unset, key=KEYS["scheduled"], reverse=back)


def statuses(item: Item) -> set[str]:
    return set(item["status"]["nodes"]) | set(item["status"]["fields"])


def instant(hours: int) -> str:
    return from_micros(AT - hours * HOUR).isoformat()


def shows(item: Item, filters: dict[str, list[str]]) -> bool:
    """What the filters mean, said again in plain words."""

    def time(name: str) -> datetime | None:
        return datetime.fromisoformat(item[name]) if item[name] else None

    def bound(name: str, of: str, least: bool) -> bool:
        if name not in filters:
            return True
        found, limit = time(of), datetime.fromisoformat(filters[name][0]).astimezone(UTC)
        return found is not None and (found >= limit if least else found <= limit)

    def either(name: str, values: set[str]) -> bool:
        return name not in filters or bool(values & set(filters[name]))

    paused = str("paused" in item["marks"]).lower()
    return (
        either("status", statuses(item))
        and either("owner", set(item["owners"]))
        and either("priority", set(item["priorities"]))
        and either("tag", set(item["tags"]))
        and either("project", set(item["projects"]))
        and either("table", {item["object"]})
        and either("run_type", {item["type"]})
        and either("paused", {paused})
        and ("q" not in filters or filters["q"][0] in item["object"] or filters["q"][0] == str(item["id"]))
        and ("data_from" not in filters or item["data_timestamp"] >= filters["data_from"][0])
        and ("data_to" not in filters or item["data_timestamp"] <= filters["data_to"][0])
        and bound("started_from", "start", True)
        and bound("started_to", "start", False)
        and bound("ended_from", "end", True)
        and bound("ended_to", "end", False)
    )


def some(*values: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)


DAYS = [from_day(TODAY - n).isoformat() for n in range(7)]
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "status": some("succeeded", "failed", "running", "not_running", "waiting", "waiting_time"),
        "owner": some("ada", "bob", "eve"),
        "priority": some("lowest", "low", "medium"),
        "tag": some("web", "none"),
        "project": some("shop", "other"),
        "table": some("shop.t01", "shop.t02", "shop.t09"),
        "run_type": some("recurring", "backfill"),
        "paused": st.sampled_from([["true"], ["false"]]),
        "q": st.sampled_from([["t0"], ["3"], ["shop.t05"], ["nothing"]]),
        "data_from": st.sampled_from(DAYS).map(lambda day: [day]),
        "data_to": st.sampled_from(DAYS).map(lambda day: [day]),
        "started_from": st.integers(0, 110).map(instant).map(lambda text: [text]),
        "started_to": st.integers(0, 110).map(instant).map(lambda text: [text]),
        "ended_from": st.integers(0, 110).map(instant).map(lambda text: [text]),
        "ended_to": st.integers(0, 110).map(instant).map(lambda text: [text]),
    },
)
SORTS = st.sampled_from([sign + name for name in KEYS for sign in ("", "-")])


def paged(shop: Shop, filters: dict[str, list[str]], sort: str, limit: int) -> list[Item]:
    found: list[Item] = []
    cursor = None
    while True:
        page = shop.store.instances(filters, sort, limit, cursor)
        assert len(page.items) <= limit
        found, cursor = found + page.items, page.cursor
        if cursor is None:
            return found
        assert len(page.items) == limit


@pytest.mark.parametrize("few", [0, 20, 20_000], ids=["walking", "either", "sorting"])
@settings(max_examples=150)
@given(filters=FILTERS, sort=SORTS, limit=st.integers(1, 40))
def test_pages_are_the_plain_list_cut(
    shop: Shop, rows: Rows, few: int, filters: dict[str, list[str]], sort: str, limit: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing, "FEW", few)
        patch.setattr(listing, "FEW_TASKS", few)
        found = paged(shop, filters, sort, limit)
        total = shop.store.instances(filters, sort, 1, count="exact").total
    wanted = ordered([row for row in rows.items if shows(row, filters)], sort)
    assert [item["id"] for item in found] == [item["id"] for item in wanted]
    assert found == wanted
    assert total == len(wanted)


@pytest.mark.parametrize("few", [0, 20_000])
@pytest.mark.parametrize("sort", ["name", "-name", "scheduled", "-start"])
def test_a_number_is_part_of_a_name_or_an_id(
    shop: Shop, rows: Rows, sort: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "FEW", few)
    for number in ("3", "17"):
        found = paged(shop, {"q": [number]}, sort, 4)
        assert found == ordered([row for row in rows.items if shows(row, {"q": [number]})], sort)


def test_estimates_are_near(shop: Shop, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shop.store.instances({}, limit=1, count="estimate").total == len(rows.items)
    monkeypatch.setattr(listing, "SAMPLE", 30)
    estimate = shop.store.instances({"owner": ["ada"]}, limit=1, count="estimate").total
    assert estimate is not None
    assert len(rows.items) / 4 < estimate < len(rows.items)


def test_an_environment_shows_only_its_own(shop: Shop) -> None:
    assert shop.store.instances({"env": ["dev"]}).items == []
    assert len(shop.store.instances({"env": ["prod"]}).items) == 50


@pytest.mark.parametrize(
    "filters",
    [
        {"colour": ["red"]},
        {"status": ["sunny"]},
        {"run_type": ["holiday"]},
        {"data_from": ["yesterday"]},
        {"started_from": ["2026-01-01T00:00:00"]},
        {"ended_to": ["noon"]},
        {"paused": ["perhaps"]},
    ],
)
def test_what_cannot_be_understood_is_refused(shop: Shop, filters: dict[str, list[str]]) -> None:
    with pytest.raises(BadRequest):
        shop.store.instances(filters)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "bm8",
        "WzEsMl0",
        "W10",
        "é",
        "eyJhIjoxfQ",
        "WyJzY2hlZHVsZWQiLHRydWUsMCwxLDE4NDQ2NzQ0MDczNzA5NTUxNjE2XQ",
    ],
)
def test_a_foreign_cursor_is_refused_or_the_beginning(shop: Shop, cursor: str) -> None:
    if cursor:
        with pytest.raises(BadRequest):
            shop.store.instances({}, cursor=cursor)
    else:
        assert shop.store.instances({}, cursor=cursor) == shop.store.instances({})


def test_a_cursor_belongs_to_its_order(shop: Shop) -> None:
    cursor = shop.store.instances({}, "-start", 3).cursor
    with pytest.raises(BadRequest):
        shop.store.instances({}, "start", 3, cursor)


def test_a_page_goes_on_where_it_ended_although_rows_were_born(shop: Shop) -> None:
    other = opened(SqliteStore(":memory:"))
    other.generate(TODAY - 1)
    page = other.store.instances({}, "-scheduled", 2)
    other.generate(TODAY)
    rest = other.store.instances({}, "-scheduled", 50, page.cursor).items
    assert [item["id"] for item in page.items + rest] == [3, 2, 1]


PLANS = {
    "-scheduled": "instance_scheduled",
    "start": "instance_started",
    "-end": "instance_ended",
    "run_time": "instance_run_time",
}


@pytest.mark.parametrize("sort", PLANS)
def test_every_order_walks_an_index_and_sorts_nothing(shop: Shop, sort: str) -> None:
    statements: list[str] = []
    connection = shop.store._database.writer
    connection.set_trace_callback(statements.append)
    shop.store.instances({}, sort, 5)
    connection.set_trace_callback(None)
    walks = [text for text in statements if "INDEXED BY" in text]
    assert walks
    for text in walks:
        plan = " ".join(str(row[3]) for row in connection.execute("EXPLAIN QUERY PLAN " + text))
        assert PLANS[sort] in plan
        assert "TEMP B-TREE" not in plan
