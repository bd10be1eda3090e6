"""Removes what was created before the retention: days of events whole, instances in contiguous stretches of ids."""

from __future__ import annotations

import sqlite3

from fieldwise.store.counts import OPEN_BITS
from fieldwise.store.database import Database
from fieldwise.store.events import EventLog
from fieldwise.store.named import queries

CHUNK = (
    5_000  # instances in one transaction: the leader's next commit waits a few hundredths of a second for it
)


def tidy(database: Database, log: EventLog, epoch: int, oldest: int) -> int:
    """Returns how many days of events were dropped. What is not final stays, however old."""
    first, last = _stretch(database, oldest)
    for start in range(first, last + 1, CHUNK):
        with database.write(epoch) as connection:
            _drop(connection, start, min(start + CHUNK - 1, last))
    dropped = [day for day in log.days() if day < oldest]
    for day in dropped:
        with database.write(epoch) as connection:
            log.drop(connection, day)
    return len(dropped)


def _stretch(database: Database, oldest: int) -> tuple[int, int]:
    """Ids ascend with creation, and each day knows its first. The newest instance stays: ids never return."""
    first, newest = database.rows(queries("retention")["bounds"])[0]
    if newest is None:
        return 0, -1
    kept = database.rows(queries("retention")["first_kept"], {"day": oldest})[0][0]
    return first, (newest if kept is None else min(kept, newest)) - 1


def _drop(connection: sqlite3.Connection, first: int, last: int) -> None:
    named = queries("retention")
    bounds = {"first": first, "last": last, "open": OPEN_BITS}
    for statement in (
        "keep_unsuccessful",
        "keep_purge",
        "drop_runs",
        "drop_node_instances",
        "drop_instances",
    ):
        connection.execute(named[statement], bounds)
