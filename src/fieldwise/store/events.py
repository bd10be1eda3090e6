"""The event log: append-only, a table per creation day, dropped whole when the day is older than the retention."""

from __future__ import annotations

import sqlite3

from fieldwise.model.event import Transition
from fieldwise.ports.store import Changed, Place
from fieldwise.store.database import Database
from fieldwise.store.named import queries


class EventLog:
    """Reads and makes the day tables. Within a day `sequence` is the order of commits; days follow each other."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._made: set[int] = set()

    def table(self, connection: sqlite3.Connection, day: int) -> str:
        """The table that takes the events of a day; made with the first of them.

        The clock may go back over midnight: such events go to the newest day, so that the log stays in order.
        """
        if day not in self._made:
            newest = connection.execute(queries("event")["newest_day"]).fetchone()[0]
            day = max(day, newest or 0)
        if day not in self._made:
            connection.execute(self._sql("make", day))
            connection.execute(self._sql("make_index", day))
            connection.execute(queries("event")["keep_day"], {"day": day})
            self._made.add(day)
        return f"event_{day}"

    def forget(self) -> None:
        """A transaction was undone, and a table made in it is gone."""
        self._made.clear()

    def days(self) -> list[int]:
        return [day for (day,) in self._database.rows(queries("event")["days"])]

    def of_instance(self, instance: int) -> list[Transition]:
        """All events of an instance's nodes, oldest first."""
        found: list[Transition] = []
        for day in self.days():
            sql = self._sql("of_instance", day)
            found += [Transition._make(row) for row in self._database.rows(sql, {"instance": instance})]
        return found

    def newest(self) -> Place:
        """The place of the last event; (0, 0) before the first."""
        days = self.days()
        if not days:
            return (0, 0)
        return (days[-1], int(self._database.rows(self._sql("newest", days[-1]))[0][0]))

    def changed(self, after: Place, limit: int) -> Changed:
        """Work by what changed since, not by how many instances there are."""
        newest = self.newest()
        if newest <= after:
            return Changed([], max(after, newest))
        found: dict[int, None] = {}
        for day in [one for one in self.days() if after[0] <= one <= newest[0]]:
            bounds = {
                "after": after[1] if day == after[0] else 0,
                "until": newest[1] if day == newest[0] else 2**62,
                "limit": limit + 1 - len(found),
            }
            found.update(
                dict.fromkeys(number for (number,) in self._database.rows(self._sql("changed", day), bounds))
            )
            if len(found) > limit:
                return Changed(list(found)[:limit], newest, True)
        return Changed(list(found), newest)

    def drop(self, connection: sqlite3.Connection, day: int) -> None:
        connection.execute(self._sql("drop", day))
        connection.execute(queries("event")["forget_day"], {"day": day})
        self._made.discard(day)

    def _sql(self, name: str, day: int) -> str:
        return queries("event")[name].replace("{event}", f"event_{day}")
