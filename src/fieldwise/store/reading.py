"""What people look at besides the list: an instance with its nodes and runs, counts by day, what stands in a status."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from fieldwise.model.event import from_day
from fieldwise.model.status import Environment, Status
from fieldwise.ports.store import Place
from fieldwise.store import rows
from fieldwise.store.counts import FIELDS, NODES, text
from fieldwise.store.database import Database
from fieldwise.store.listing import Listing
from fieldwise.store.named import queries

IN_STATUS = ("id", "object", "data_day", "node", "started_at", "ended_at", "status", "scheduled_at")


class Reading:
    def __init__(self, database: Database, listing: Listing) -> None:
        self._database = database
        self._listing = listing
        self._counted: dict[tuple[str, int, int], tuple[Place, list[dict[str, Any]]]] = {}

    def instance(self, number: int) -> dict[str, Any] | None:
        found = self._database.rows(queries("browse")["instance"] + " WHERE i.id = ?", (number,))
        return rows.instance_row(found[0]) if found else None

    def find(self, environment: Environment, task: str, data_day: int) -> list[int]:
        where = {"environment": environment.value, "task": task, "day": data_day}
        return [number for (number,) in self._database.rows(queries("browse")["find"], where)]

    def node_instances(self, number: int) -> list[dict[str, Any]]:
        found = self._database.rows(queries("browse")["node_instances"], {"instance": number})
        return [rows.node_row(row) for row in found]

    def runs(self, number: int) -> list[dict[str, Any]]:
        found = self._database.rows(queries("browse")["runs"], {"instance": number})
        return [rows.run_row(row) for row in found]

    def run(self, number: int) -> dict[str, Any] | None:
        found = self._database.rows(queries("browse")["run"], {"run": number})
        return rows.run_row(found[0]) if found else None

    def newest_day(self, environment: Environment, limit: int) -> int | None:
        """Days are looked at from the newest on until one has an instance of the environment."""
        days = self._database.rows(queries("browse")["days"], {"first": -1_000_000, "last": limit})
        for (day,) in reversed(days):
            where = {"environment": environment.value, "day": day}
            if self._database.rows(queries("browse")["day_has"], where)[0][0]:
                return int(day)
        return None

    def day_counts(
        self, environment: Environment, newest: int, days: int, place: Place
    ) -> list[dict[str, Any]]:
        """Per data day, newest first; counted again only when the log has grown."""
        key = (environment.value, newest, days)
        known = self._counted.get(key)
        if known is None or known[0] != place:
            if len(self._counted) > 100:
                self._counted.clear()
            known = self._counted[key] = (place, self._count(environment, newest, days))
        return known[1]

    def _count(self, environment: Environment, newest: int, days: int) -> list[dict[str, Any]]:
        sums: dict[int, tuple[list[int], list[int], list[int]]] = defaultdict(
            lambda: ([0], [0] * NODES, [0] * FIELDS)
        )
        where = {"environment": environment.value, "newest": newest, "days": days}
        for day, nodes, fields, times in self._database.rows(queries("browse")["day_counts"], where):
            total, node_sum, field_sum = sums[day]
            total[0] += times
            node_sum[:] = [a + times * b for a, b in zip(node_sum, json.loads(nodes), strict=True)]
            field_sum[:] = [a + times * b for a, b in zip(field_sum, json.loads(fields), strict=True)]
        return [
            {
                "data_timestamp": from_day(day).isoformat(),
                "instances": total[0],
                **rows.counts(text(nodes), text(fields)),
            }
            for day, (total, nodes, fields) in sorted(sums.items(), reverse=True)
        ]

    def in_status(
        self, environment: Environment, days: tuple[int, int], statuses: tuple[int, int], limit: int
    ) -> list[dict[str, Any]]:
        """Node instances whose status lies in the range; the instances that are there longest come first."""
        words = [status.word for status in Status if statuses[0] <= status <= statuses[1]]
        first, last = (from_day(day).isoformat() for day in days)
        filters = {"env": [environment.value], "status": words, "data_from": [first], "data_to": [last]}
        sort = {Status.FAILED: "end", Status.RUNNING: "start"}.get(Status(statuses[1]), "scheduled")
        ids = ", ".join(map(str, self._listing.ids(filters, sort, limit)))
        sql = queries("browse")["in_status"].replace("{ids}", ids)
        where = {"from_status": statuses[0], "to_status": statuses[1], "limit": limit}
        return [dict(zip(IN_STATUS, row, strict=True)) for row in self._database.rows(sql, where)]
