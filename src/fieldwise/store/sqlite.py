"""The store on SQLite: one writer under the fencing epoch, readers beside it, events in a table per day."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from fieldwise.model.errors import NotFound
from fieldwise.model.event import (
    CommitBatch,
    Firing,
    InstanceState,
    NewInstance,
    NewNodeInstance,
    NodeState,
    RunEnd,
    Transition,
    from_day,
    from_micros,
    to_day,
    to_micros,
)
from fieldwise.model.plan import Publication
from fieldwise.model.status import Environment, InstanceType
from fieldwise.ports.store import Born, Gap, Page
from fieldwise.store import filters as filtering
from fieldwise.store import generation, rows
from fieldwise.store.codec import card, compact, decode, encode, facets
from fieldwise.store.database import Database
from fieldwise.store.named import queries
from fieldwise.store.numbers import Numbers

EVENT_COLUMNS = """(sequence INTEGER PRIMARY KEY, node_instance INTEGER NOT NULL, event INTEGER NOT NULL, before INTEGER NOT NULL,
    after INTEGER NOT NULL, marks INTEGER NOT NULL, at INTEGER NOT NULL, run INTEGER NOT NULL, attempt INTEGER NOT NULL,
    operation INTEGER NOT NULL, detail TEXT NOT NULL DEFAULT '')"""
CHUNK = 20_000


class SqliteStore:
    """Implements ports.store.Store. `path` may be ":memory:"."""

    def __init__(self, path: Path | str) -> None:
        self._database = Database(str(path))
        self._numbers: dict[str, Numbers] = {}
        self._event_days: set[int] = set()
        self._rows_seen: dict[tuple[str, str], list[int]] = {}
        self._publications: dict[tuple[str, str, int], Publication] = {}
        self.migrate()

    # -- life
    def migrate(self) -> int:
        return self._database.migrate()

    def lead(self, holder: str, now: datetime, seconds: float) -> int | None:
        return self._database.lead(holder, now, seconds)

    def resign(self, epoch: int) -> None:
        with self._database.write(None) as connection:
            connection.execute(queries("leadership")["end_lease"], {"epoch": epoch})

    def close(self) -> None:
        self._database.close()

    # -- publications
    def begin_publication(self, epoch: int, publication: Publication, now: datetime) -> Publication:
        named = queries("publication")
        where = {"environment": publication.environment.value, "project": publication.project.name}
        with self._database.write(epoch) as connection:
            version = int(connection.execute(named["newest_version"], where).fetchone()[0]) + 1
            stored = dataclasses.replace(publication, version=version)
            connection.execute(
                named["begin"],
                where | {"version": version, "document": encode(stored), "created_at": to_micros(now)},
            )
        return stored

    def activate_publication(
        self, epoch: int, environment: Environment, project: str, version: int, now: datetime
    ) -> None:
        named = queries("publication")
        publication = self.publication(environment, project, version)
        where = {"environment": environment.value, "project": project}
        with self._database.write(epoch) as connection:
            connection.execute(named["retire"], where)
            connection.execute(named["activate"], where | {"version": version, "at": to_micros(now)})
            for task in publication.tasks:
                definition = task.definition
                connection.execute(
                    named["keep_task"],
                    where
                    | {
                        "name": task.name,
                        "kind": definition.kind.value,
                        "table_kind": definition.table_kind.value if definition.table_kind else "",
                        "period": definition.schedule.period.value,
                        "fields": len(task.fields),
                        "card": compact(card(publication, task)),
                    },
                )
                number = connection.execute(
                    "SELECT id FROM task WHERE environment = ? AND name = ?", (environment.value, task.name)
                ).fetchone()[0]
                connection.execute(named["forget_facets"], {"task": number})
                pairs = [
                    {"task": number, "facet": facet, "value": value}
                    for facet, value in facets(publication, task)
                ]
                connection.executemany(named["keep_facet"], pairs)
        self._numbers.pop(environment.value, None)

    def revert_publication(self, epoch: int, environment: Environment, project: str, version: int) -> None:
        where = {"environment": environment.value, "project": project, "version": version}
        with self._database.write(epoch) as connection:
            connection.execute(queries("publication")["revert"], where)

    def pending_publications(self) -> list[Publication]:
        return self._documents("pending", "")

    def active_publications(self, environment: Environment) -> list[Publication]:
        return self._documents("active", environment.value)

    def _documents(self, status: str, environment: str) -> list[Publication]:
        found = self._database.rows(
            queries("publication")["with_status"], {"status": status, "environment": environment}
        )
        return [decode(document) for (document,) in found]

    def publication(self, environment: Environment, project: str, version: int) -> Publication:
        key = (environment.value, project, version)
        if key not in self._publications:
            where = {"environment": environment.value, "project": project, "version": version}
            found = self._database.rows(queries("publication")["one"], where)
            if not found:
                raise NotFound(f"version {version} of {project} is not stored")
            self._publications[key] = decode(found[0][0])
        return self._publications[key]

    # -- generation
    def _named(self, environment: str) -> Numbers:
        numbers = self._numbers.get(environment)
        if numbers is None:
            numbers = Numbers(environment)
            numbers.load(self._database)
            self._numbers[environment] = numbers
        return numbers

    def generate(
        self,
        epoch: int,
        environment: Environment,
        project: str,
        instances: Sequence[NewInstance],
        nodes: Sequence[NewNodeInstance],
        generated_until: datetime | None,
        now: datetime,
    ) -> Born:
        numbers = self._named(environment.value)
        at, day = to_micros(now), to_day(now.date())
        try:
            with self._database.write(epoch) as connection:
                births = generation.collect(connection, numbers, instances, nodes, at, day)
                generation.insert(connection, births, self._event_table(connection, day))
                if generated_until is not None:
                    until = {
                        "environment": environment.value,
                        "project": project,
                        "at": to_micros(generated_until),
                    }
                    connection.execute(queries("generation")["set_generated_until"], until)
        except BaseException:
            self._numbers.pop(environment.value, None)  # numbers drawn in the transaction are gone with it
            self._event_days.discard(day)
            raise
        return Born(len(births.instances), births.firings)

    def generated_until(self, environment: Environment) -> dict[str, datetime]:
        found = self._database.rows(
            queries("generation")["generated_until"], {"environment": environment.value}
        )
        return {name: from_micros(at) for name, at in found}

    def births(self, environment: Environment) -> dict[str, int]:
        return dict(self._database.rows(queries("generation")["births"], {"environment": environment.value}))

    def gaps(self, environment: Environment) -> list[Gap]:
        found = self._database.rows(queries("generation")["gaps"], {"environment": environment.value})
        return [Gap(environment, project, from_day(first), from_day(last)) for project, first, last in found]

    def record_gap(self, epoch: int, gap: Gap) -> None:
        self._gap(epoch, "record_gap", gap)

    def close_gap(self, epoch: int, gap: Gap) -> None:
        self._gap(epoch, "forget_gap", gap)

    def _gap(self, epoch: int, query: str, gap: Gap) -> None:
        values = {
            "environment": gap.environment.value,
            "project": gap.project,
            "first": to_day(gap.first),
            "last": to_day(gap.last),
        }
        with self._database.write(epoch) as connection:
            connection.execute(queries("generation")[query], values)

    # -- the open window
    def next_attempt(self) -> int:
        return int(self.setting("next_attempt") or 1)

    def raise_attempt(self, epoch: int, above: int) -> None:
        with self._database.write(epoch) as connection:
            found = connection.execute(queries("leadership")["setting"], {"name": "next_attempt"}).fetchone()
            if int(found[0] if found else 1) <= above:
                connection.execute(
                    queries("leadership")["set_setting"], {"name": "next_attempt", "value": str(above + 1)}
                )

    def window(self, environment: Environment, ended_after: datetime | None = None) -> Iterable[Firing]:
        numbers = self._named(environment.value)
        after = None if ended_after is None else to_micros(ended_after)
        types = {int(one): one for one in InstanceType}
        nodes, tasks = numbers.node_names, numbers.task_names
        for row in self._database.rows(queries("window")["window"], {"after": after}):
            if row[12] in tasks:
                yield Firing(
                    NodeState._make(row[:10]),
                    row[10],
                    nodes[row[11]],
                    tasks[row[12]],
                    types[row[13]],
                    *row[14:20],
                    priority=row[20],
                )

    def commit(self, epoch: int, batch: CommitBatch) -> None:
        named = queries("window")
        day = to_day(from_micros(batch.at).date())
        try:
            with self._database.write(epoch) as connection:
                table = self._event_table(connection, day)
                connection.executemany(
                    f"INSERT INTO {table} (node_instance, event, before, after, marks, at, run, attempt, operation, detail) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    batch.transitions,
                )
                connection.executemany(
                    named["update_node"], [(*state[1:], state[0]) for state in batch.nodes]
                )
                connection.executemany(
                    named["update_instance"], [_instance_values(state) for state in batch.instances]
                )
                connection.executemany(
                    named["start_run"], [_start_values(start) for start in batch.run_starts]
                )
                connection.executemany(named["end_run"], [_end_values(end) for end in batch.run_ends])
                if batch.next_attempt is not None:
                    connection.execute(
                        queries("leadership")["set_setting"],
                        {"name": "next_attempt", "value": str(batch.next_attempt)},
                    )
        except BaseException:
            self._event_days.discard(day)
            raise
        if batch.run_ends:
            self._rows_seen.clear()

    def _event_table(self, connection: Any, day: int) -> str:
        table = f"event_{day}"
        if day not in self._event_days:
            connection.execute(f"CREATE TABLE IF NOT EXISTS {table} {EVENT_COLUMNS}")
            connection.execute(
                "INSERT INTO event_day (day, first_instance) SELECT ?, coalesce(max(id), 0) FROM instance WHERE true ON CONFLICT DO NOTHING",
                (day,),
            )
            self._event_days.add(day)
        return table

    def set_secret_free_setting(self, epoch: int, name: str, value: str) -> None:
        with self._database.write(epoch) as connection:
            connection.execute(queries("leadership")["set_setting"], {"name": name, "value": value})

    def setting(self, name: str) -> str | None:
        found = self._database.rows(queries("leadership")["setting"], {"name": name})
        return found[0][0] if found else None

    # -- reading for people
    def instances(
        self,
        filters: Mapping[str, Sequence[str]],
        sort: str = "-scheduled",
        limit: int = 50,
        cursor: str | None = None,
        count: str | None = None,
    ) -> Page:
        found, order = filtering.where(filters), filtering.sort_of(sort)
        base = queries("browse")["instance"]
        total = None
        if count is not None:
            counted = f"SELECT count(*) FROM instance i JOIN task t ON t.id = i.task{found.sql()}"
            total = int(self._database.rows(counted, found.values)[0][0])
        if cursor:
            order.after(found, cursor)
        limit = max(1, min(limit, filtering.LIMIT_AT_MOST))
        column = f", {order.expression} AS sort_value FROM instance i"
        sql = base.replace("\nFROM instance i", column, 1) + found.sql() + order.order() + " LIMIT ?"
        page = self._database.rows(sql, [*found.values, limit + 1])
        shown = page[:limit]
        following = filtering.write_cursor(shown[-1][-1], shown[-1][0]) if len(page) > limit else None
        return Page([rows.instance_item(row[:-1]) for row in shown], following, total)

    def instance(self, instance_id: int) -> dict[str, Any] | None:
        found = self._database.rows(queries("browse")["instance"] + " WHERE i.id = ?", (instance_id,))
        return rows.instance_row(found[0]) if found else None

    def find_instances(self, environment: Environment, task: str, data_day: int) -> list[int]:
        where = {"environment": environment.value, "task": task, "day": data_day}
        return [number for (number,) in self._database.rows(queries("browse")["find"], where)]

    def node_instances(self, instance_id: int) -> list[dict[str, Any]]:
        found = self._database.rows(queries("browse")["node_instances"], {"instance": instance_id})
        return [rows.node_row(row) for row in found]

    def runs(self, instance_id: int) -> list[dict[str, Any]]:
        return [
            rows.run_row(row)
            for row in self._database.rows(queries("browse")["runs"], {"instance": instance_id})
        ]

    def run(self, run_id: int) -> dict[str, Any] | None:
        """One run by its id, in the same words as `runs`."""
        found = self._database.rows(queries("browse")["run"], {"run": run_id})
        return rows.run_row(found[0]) if found else None

    def events(self, instance_id: int) -> list[Transition]:
        found: list[Transition] = []
        nodes = "SELECT id FROM node_instance WHERE instance = ?"
        for (day,) in self._database.rows("SELECT day FROM event_day ORDER BY day"):
            sql = f"SELECT node_instance, event, before, after, marks, at, run, attempt, operation, detail FROM event_{day} WHERE node_instance IN ({nodes}) ORDER BY sequence"
            found += [Transition._make(row) for row in self._database.rows(sql, (instance_id,))]
        return found

    def newest_event(self) -> tuple[int, int]:
        """(day, sequence) of the last event; (0, 0) before the first."""
        day = self._database.rows("SELECT max(day) FROM event_day")[0][0]
        if day is None:
            return (0, 0)
        return (day, self._database.rows(f"SELECT coalesce(max(sequence), 0) FROM event_{day}")[0][0])

    def changed_instances(
        self, after: tuple[int, int], limit: int = 5000
    ) -> tuple[list[int], tuple[int, int]]:
        """Instances with events later than a (day, sequence), and where to go on; work by what changed."""
        newest = self.newest_event()
        if newest <= after:
            return [], after
        start = after[1] if newest[0] == after[0] else 0
        sql = (
            f"SELECT DISTINCT n.instance FROM event_{newest[0]} e JOIN node_instance n ON n.id = e.node_instance "
            "WHERE e.sequence > ? AND e.sequence <= ? LIMIT ?"
        )
        return [number for (number,) in self._database.rows(sql, (start, newest[1], limit))], newest

    def day_counts(self, environment: Environment, newest: int, days: int) -> list[dict[str, Any]]:
        """Per data day: instances, and counts of nodes and fields by status."""
        sums: dict[int, tuple[list[int], list[int], list[int]]] = defaultdict(lambda: ([0], [0] * 7, [0] * 5))
        where = {"environment": environment.value, "newest": newest, "days": days}
        for day, nodes, fields, times in self._database.rows(queries("browse")["day_counts"], where):
            total, node_sum, field_sum = sums[day]
            total[0] += times
            shown = rows.json.loads
            node_sum[:] = [a + times * b for a, b in zip(node_sum, shown(nodes), strict=True)]
            field_sum[:] = [a + times * b for a, b in zip(field_sum, shown(fields), strict=True)]
        return [
            {
                "data_timestamp": from_day(day).isoformat(),
                "instances": total[0],
                **rows.counts(compact(nodes), compact(fields)),
            }
            for day, (total, nodes, fields) in sorted(sums.items(), reverse=True)
        ]

    def newest_day(self, environment: Environment, limit: int) -> int | None:
        """The newest data day that has instances, not after `limit`."""
        return self._database.rows(
            queries("browse")["newest_day"], {"environment": environment.value, "limit": limit}
        )[0][0]  # type: ignore[no-any-return]

    def in_status(
        self, environment: Environment, first: int, last: int, statuses: tuple[int, int], limit: int
    ) -> list[dict[str, Any]]:
        """Node instances whose status lies in the range, the longest there first."""
        where = {
            "environment": environment.value, "first": first, "last": last,
            "from_status": statuses[0], "to_status": statuses[1], "limit": limit,
        }  # fmt: skip
        names = ("id", "object", "data_day", "node", "started_at", "ended_at", "status", "scheduled_at")
        return [
            dict(zip(names, row, strict=True))
            for row in self._database.rows(queries("browse")["in_status"], where)
        ]

    def recent_rows(self, node: str, environment: Environment, limit: int = 7) -> list[int]:
        key = (environment.value, node)
        if key not in self._rows_seen:
            numbers = self._named(environment.value)
            task = numbers.tasks.get(node.partition("/")[0], 0)
            where = {"node": numbers.nodes.get((task, node), 0), "task": task, "limit": limit}
            self._rows_seen[key] = [
                count for (count,) in self._database.rows(queries("window")["recent_rows"], where)
            ]
        return self._rows_seen[key]

    # -- tidying
    def tidy(self, epoch: int, now: datetime, keep_days: int) -> int:
        oldest = to_day(now.date()) - keep_days
        dropped = [
            day
            for (day,) in self._database.rows(
                "SELECT day FROM event_day WHERE day < ? ORDER BY day", (oldest,)
            )
        ]
        for day in dropped:
            with self._database.write(epoch) as connection:
                connection.execute(f"DROP TABLE IF EXISTS event_{day}")
                connection.execute("DELETE FROM event_day WHERE day = ?", (day,))
            self._event_days.discard(day)
        self._drop_instances(epoch, oldest)
        return len(dropped)

    def _drop_instances(self, epoch: int, oldest: int) -> None:
        """Final instances created before a day go in stretches of ids, which are contiguous by creation."""
        final = "created_day < ? AND present & ? = 0"
        unfinished = 0b0011111  # node statuses that are not final
        while True:
            with self._database.write(epoch) as connection:
                chosen = f"SELECT id FROM instance WHERE id IN (SELECT id FROM instance WHERE {final} ORDER BY id LIMIT {CHUNK})"
                values = (oldest, unfinished)
                connection.execute(
                    f"DELETE FROM run WHERE node_instance IN (SELECT id FROM node_instance WHERE instance IN ({chosen}))",
                    values,
                )
                connection.execute(f"DELETE FROM node_instance WHERE instance IN ({chosen})", values)
                gone = connection.execute(f"DELETE FROM instance WHERE id IN ({chosen})", values).rowcount
            if gone < CHUNK:
                return


def _instance_values(state: InstanceState) -> tuple[Any, ...]:
    bits = generation.present(state.nodes, state.fields)
    return (
        compact(state.nodes),
        compact(state.fields),
        bits,
        state.started_at,
        state.ended_at,
        state.marks,
        state.runs,
        state.id,
    )


def _start_values(start: Any) -> tuple[Any, ...]:
    return (
        start.node_instance,
        start.number,
        start.attempt,
        start.at,
        start.version,
        start.kind,
        start.log,
        start.fused_with,
    )


def _end_values(end: RunEnd) -> tuple[Any, ...]:
    result = compact(dataclasses.asdict(end.result)) if end.result is not None else None
    inputs = compact(end.input_versions) if end.input_versions else None
    rows_seen = end.rows if result is not None else None
    return (
        end.at, int(end.outcome), end.message, end.code, rows_seen, result, inputs, end.engine_seconds,
        end.node_instance, end.number, end.attempt,
    )  # fmt: skip
