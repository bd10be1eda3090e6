"""Finds one page of the instance list among ten million: by the narrowest index, or day after day in order."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from fieldwise.ports.store import Page
from fieldwise.store import rows
from fieldwise.store.counts import DONE_BITS, UNDONE
from fieldwise.store.database import Database
from fieldwise.store.filters import DAYS, Wanted, Where, wanted
from fieldwise.store.named import queries
from fieldwise.store.orders import SCHEDULED, Cursor, Order, Phase, order_of, read_cursor, write_cursor

LIMIT_AT_MOST = 500
FEW = 20_000  # so many rows are sorted at once in a few hundredths of a second
FEW_TASKS = 5_000
NAMED_TASKS = 50  # in a statement that is repeated for every day
SAMPLE = 4_000
DAY = 86_400_000_000
HOUR = DAY // 24
NOWHERE = -(2**40)  # no task, day or shape has this number; an empty list is not SQL
Key = tuple[Any, ...]


class Listing:
    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self,
        filters: Mapping[str, Sequence[str]],
        sort: str = "-scheduled",
        limit: int = 50,
        cursor: str | None = None,
        count: str | None = None,
    ) -> Page:
        want, order = wanted(filters), order_of(sort)
        search = Search(self._database, want, order)
        limit = max(1, min(limit, LIMIT_AT_MOST))
        start = read_cursor(order, cursor) if cursor else None
        found = _first(search, order, start, limit + 1)
        shown = found[:limit]
        following = write_cursor(order, Cursor(*shown[-1])) if len(found) > limit else None
        return Page(
            self._items([key[-1] for _, key in shown]), following, search.count(count) if count else None
        )

    def ids(self, filters: Mapping[str, Sequence[str]], sort: str, limit: int) -> list[int]:
        """The numbers of the first instances of a list."""
        order = order_of(sort)
        found = _first(Search(self._database, wanted(filters), order), order, None, limit)
        return [key[-1] for _, key in found]

    def _items(self, ids: Sequence[int]) -> list[dict[str, Any]]:
        marks = ", ".join("?" * len(ids))
        found = (
            self._database.rows(f"{queries('browse')['instance']} WHERE i.id IN ({marks})", ids)
            if ids
            else []
        )
        items = {row[0]: rows.instance_item(row) for row in found}
        return [items[number] for number in ids if number in items]


def _first(search: Search, order: Order, start: Cursor | None, limit: int) -> list[tuple[int, Key]]:
    """(phase, key values) of the first rows after a cursor, phase after phase."""
    found: list[tuple[int, Key]] = []
    for number, phase in enumerate(order.phases):
        if len(found) < limit and (start is None or number >= start.phase):
            after = start.values if start is not None and start.phase == number else None
            found += [(number, key) for key in search.keys(phase, after, limit - len(found))]
    return found


class Search:
    """One list's rows in order. Every condition is checked on every row; indices only say where to look."""

    def __init__(self, database: Database, want: Wanted, order: Order) -> None:
        self._database = database
        self._want = want
        self._order = order
        self._task_ids = self._few_tasks()
        self._source = self._few_rows()

    def keys(self, phase: Phase, after: Key | None, limit: int) -> list[Key]:
        """Key values of the first rows of a phase after a place."""
        if self._task_ids == []:
            return []
        place = self._order.after(phase, after) if after is not None else Where()
        if phase.condition:
            place.add(phase.condition)
        if self._source is not None:
            return self._query(phase, self._source[0], self._source[1].also(place), limit)
        if phase.index:
            return self._by_days(phase, place, limit)
        return self._by_names(phase, after, limit)

    def count(self, how: str) -> int:
        conditions = self._conditions().sql()
        joined = f"FROM instance i JOIN task t ON t.id = i.task{conditions}"
        values = self._conditions().values
        if how == "exact":
            return int(self._database.rows(f"SELECT count(*) {joined}", values)[0][0])
        few = int(
            self._database.rows(f"SELECT count(*) FROM (SELECT 1 {joined} LIMIT {SAMPLE})", values)[0][0]
        )
        return self._estimate(joined, values, bool(conditions)) if few == SAMPLE else few

    def _estimate(self, joined: str, values: list[Any], filtered: bool) -> int:
        first, last = self._database.rows("SELECT min(id), max(id) FROM instance")[0]
        step = max(1, (last - first) // SAMPLE)
        ids = ", ".join(map(str, range(first, last + 1, step)))
        sql = f"SELECT count(*) {joined} {'AND' if filtered else 'WHERE'} i.id IN ({ids})"
        share: int = self._database.rows(sql, values)[0][0]
        return max(SAMPLE, share * int(step))

    # -- where to look

    def _few_tasks(self) -> list[int] | None:
        """Numbers of the tasks the list can hold; None: too many to name, or every one."""
        if not self._want.tasks.conditions or self._want.number is not None:
            return None
        where = self._want.narrow.also(self._want.tasks)
        sql = f"SELECT t.id FROM task t{where.sql()} LIMIT {FEW_TASKS + 1}"
        found = [number for (number,) in self._database.rows(sql, where.values)]
        return found if len(found) <= FEW_TASKS else None

    def _few_rows(self) -> tuple[str, Where] | None:
        """The first index that leads to few rows, and the conditions it answers."""
        for index, where in self._sources():
            if self._few(f"SELECT 1 FROM instance i {self._database.hint(index)}", where) <= FEW:
                return index, where
        return None

    def _few(self, sql: str, where: Where) -> int:
        """How many rows there are; counting ends when they are more than few."""
        among = f"{sql}{where.sql()} LIMIT {FEW + 1}"
        return int(self._database.rows(f"SELECT count(*) FROM ({among}) AS few", where.values)[0][0])

    def _of_status(self, days: tuple[int, int]) -> Where:
        found = _among("i.present", [value for value in self._shapes if value & self._want.bits])
        found.add(UNDONE)
        found.add("i.data_day BETWEEN ? AND ?", *days)
        return found

    def _sources(self) -> Iterator[tuple[str, Where]]:
        want = self._want
        if want.number is not None:
            found = Where()
            found.add(
                "(i.id = ? OR i.task IN (SELECT t.id FROM task t" + want.tasks.sql() + "))",
                want.number,
                *want.tasks.values,
            )
            yield "", found
            return
        if want.paused:
            yield "instance_paused", Where(["i.marks & 1 <> 0"])
        if self._task_ids:
            found = _among("i.task", self._task_ids)
            if want.days != DAYS:
                found.add("i.scheduled_at BETWEEN ? AND ?", *_instants(want.days))
            yield "", found
        if self._undone:
            yield "instance_present", self._of_status(want.days)
        for index, bounds in (("instance_started", want.started), ("instance_ended", want.ended)):
            if bounds.conditions:
                yield index, _among("i.data_day", self._days()).also(bounds)

    @property
    def _undone(self) -> bool:
        """Whether the list holds only instances that have not wholly succeeded, which have an index of their own."""
        return self._want.bits != 0 and not self._want.bits & DONE_BITS

    @cached_property
    def _shapes(self) -> list[int]:
        return [value for (value,) in self._database.rows(queries("browse")["shapes"])]

    def _days(self) -> list[int]:
        """The data days of the list that have instances, ascending."""
        first, last = self._want.days
        return [
            day for (day,) in self._database.rows(queries("browse")["days"], {"first": first, "last": last})
        ]

    # -- walking

    def _conditions(self) -> Where:
        want = self._want
        if want.number is not None:
            text = Where()
            text.add(
                f"(i.id = ? OR ({' AND '.join(want.tasks.conditions)}))", want.number, *want.tasks.values
            )
            return want.rows.also(text)
        if self._task_ids is not None and len(self._task_ids) <= NAMED_TASKS:
            return want.rows.also(_among("i.task", self._task_ids))
        return want.rows.also(want.tasks)

    def _query(self, phase: Phase, index: str, place: Where, limit: int) -> list[Key]:
        found = self._conditions().also(place)
        joined = any("t." in text for text in (*found.conditions, *phase.keys))
        tables = (
            "instance i " + self._database.hint(index) + (" JOIN task t ON t.id = i.task" if joined else "")
        )
        sql = f"SELECT {', '.join(phase.keys)} FROM {tables}{found.sql()}{self._order.sql(phase)} LIMIT ?"
        return self._database.rows(sql, [*found.values, limit])

    def _by_days(self, phase: Phase, place: Where, limit: int) -> list[Key]:
        """Every day's rows lie in order; what cannot come before the best so far is not even looked at."""
        best: list[Key] = []
        descending = self._order.descending
        for day in sorted(self._days(), reverse=descending):
            index, here = self._day_source(phase, day)
            if index is None:
                continue
            here = here.also(place)
            if len(best) == limit:
                if phase.index == "instance_scheduled" and _beyond(day, best[-1][0], descending):
                    break
                here = here.also(self._order.before(phase, best[-1]))
            more = self._query(phase, index, here, limit)
            best = list(heapq.merge(best, more, reverse=descending))[:limit] if more else best
        return best

    def _day_source(self, phase: Phase, day: int) -> tuple[str | None, Where]:
        """The index to walk on a day: by status if few rows of the day have it; None: no row can be shown."""
        if not self._undone:
            return phase.index, Where(["i.data_day = ?"], [day])
        where = self._of_status((day, day))
        number = self._few(f"SELECT 1 FROM instance i {self._database.hint('instance_present')}", where)
        if number == 0:
            return None, where
        return (
            ("instance_present", where) if number <= FEW else (phase.index, Where(["i.data_day = ?"], [day]))
        )

    def _by_names(self, phase: Phase, after: Key | None, limit: int) -> list[Key]:
        """Task after task in order of names."""
        found: list[Key] = []
        alone = Phase(SCHEDULED, "")
        for task, name in self._names(after):
            here = Where(["i.task = ?"], [task])
            if after is not None and (name, task) == after[:2]:
                here = here.also(self._order.after(alone, after[2:]))
            found += [(name, task, *key) for key in self._query(alone, "", here, limit - len(found))]
            if len(found) >= limit:
                break
        return found

    def _possible_tasks(self) -> Where:
        tasks, number = self._want.tasks, self._want.number
        if number is None:
            return tasks
        found = Where()
        of_number = "t.id IN (SELECT task FROM instance WHERE id = ?)"
        found.add(f"({of_number} OR ({' AND '.join(tasks.conditions)}))", number, *tasks.values)
        return found

    def _names(self, after: Key | None) -> Iterator[tuple[int, str]]:
        names = Phase(("t.name", "t.id"), "")
        place = self._order.after(names, after[:2], or_equal=True) if after is not None else Where()
        size = 64
        while True:
            where = self._possible_tasks().also(place)
            sql = f"SELECT t.id, t.name FROM task t{where.sql()}{self._order.sql(names)} LIMIT {size}"
            found = self._database.rows(sql, where.values)
            yield from found
            if len(found) < size:
                return
            place, size = self._order.after(names, (found[-1][1], found[-1][0])), size * 4


def _among(column: str, values: Sequence[int]) -> Where:
    return Where([f"{column} IN ({', '.join(map(str, values or [NOWHERE]))})"])


def _instants(days: tuple[int, int]) -> tuple[int, int]:
    """Between which instants the slots of data days lie, whatever the zone: they are due on the local day after."""
    return (days[0] + 1) * DAY - 14 * HOUR, (days[1] + 2) * DAY + 12 * HOUR


def _beyond(day: int, scheduled_at: int, descending: bool) -> bool:
    """Whether no slot of a data day can come before the given one."""
    first, last = _instants((day, day))
    return last < scheduled_at if descending else first > scheduled_at
