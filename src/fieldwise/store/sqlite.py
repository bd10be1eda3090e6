"""The store on SQLite: one writer under the fencing epoch, readers beside it, events in a table per day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from fieldwise.model.event import (
    CommitBatch,
    Firing,
    NewInstance,
    NewNodeInstance,
    Transition,
    from_day,
    from_micros,
    to_day,
    to_micros,
)
from fieldwise.model.plan import Publication
from fieldwise.model.status import Environment
from fieldwise.ports.operations import KeptExceptions, OperationRow
from fieldwise.ports.store import Born, Changed, Gap, Page, Place, Purged, WindowColumns
from fieldwise.store import commit, generation, retention, window
from fieldwise.store.database import Database
from fieldwise.store.events import EventLog
from fieldwise.store.listing import Listing
from fieldwise.store.named import queries
from fieldwise.store.numbers import Numbers
from fieldwise.store.operations import Operations
from fieldwise.store.publications import Publications
from fieldwise.store.reading import Reading

DAY = 86_400_000_000


class SqliteStore:
    """Implements ports.store.Store. `path` may be ":memory:"."""

    def __init__(self, path: Path | str) -> None:
        self._database = Database(str(path))
        self._log = EventLog(self._database)
        self._publications = Publications(self._database)
        self._listing = Listing(self._database)
        self._reading = Reading(self._database, self._listing)
        self._operations = Operations(self._database)
        self._numbers: dict[str, Numbers] = {}
        self._rows_seen: dict[tuple[str, str], list[int]] = {}
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
        return self._publications.begin(epoch, publication, now)

    def activate_publication(
        self, epoch: int, environment: Environment, project: str, version: int, now: datetime
    ) -> None:
        self._publications.activate(epoch, environment, project, version, now)
        self._numbers.pop(environment.value, None)

    def revert_publication(self, epoch: int, environment: Environment, project: str, version: int) -> None:
        self._publications.revert(epoch, environment, project, version)

    def pending_publications(self) -> list[Publication]:
        return self._publications.with_status("pending")

    def active_publications(self, environment: Environment) -> list[Publication]:
        return self._publications.with_status("active", environment.value)

    def publication(self, environment: Environment, project: str, version: int) -> Publication:
        return self._publications.one(environment, project, version)

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
                table = self._log.table(connection, day)
                born = generation.generate(connection, numbers, instances, nodes, table, at)
                if generated_until is not None:
                    until = {
                        "environment": environment.value,
                        "project": project,
                        "at": to_micros(generated_until),
                    }
                    connection.execute(queries("generation")["set_generated_until"], until)
        except BaseException:
            self._numbers.pop(environment.value, None)  # numbers drawn in the transaction are gone with it
            self._log.forget()
            raise
        return Born(*born)

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
        return window.firings(self._database, self._named(environment.value), ended_after)

    def window_columns(self, environment: Environment, ended_after: datetime | None = None) -> WindowColumns:
        return window.columns(self._database, self._named(environment.value), ended_after)

    def commit(self, epoch: int, batch: CommitBatch) -> None:
        try:
            with self._database.write(epoch) as connection:
                commit.write(connection, batch, self._log.table(connection, batch.at // DAY))
        except BaseException:
            self._log.forget()
            raise
        if batch.run_ends:
            self._rows_seen.clear()

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
        return self._listing.page(filters, sort, limit, cursor, count)

    def instance(self, instance_id: int) -> dict[str, Any] | None:
        return self._reading.instance(instance_id)

    def find_instances(self, environment: Environment, task: str, data_day: int) -> list[int]:
        return self._reading.find(environment, task, data_day)

    def node_instances(self, instance_id: int) -> list[dict[str, Any]]:
        return self._reading.node_instances(instance_id)

    def runs(self, instance_id: int) -> list[dict[str, Any]]:
        return self._reading.runs(instance_id)

    def run(self, run_id: int) -> dict[str, Any] | None:
        return self._reading.run(run_id)

    def events(self, instance_id: int) -> list[Transition]:
        return self._log.of_instance(instance_id)

    def newest_event(self) -> Place:
        return self._log.newest()

    def changed_instances(self, after: Place, limit: int = 5_000) -> Changed:
        return self._log.changed(after, limit)

    def day_counts(self, environment: Environment, newest: int, days: int) -> list[dict[str, Any]]:
        return self._reading.day_counts(environment, newest, days, self._log.newest())

    def newest_day(self, environment: Environment, limit: int) -> int | None:
        return self._reading.newest_day(environment, limit)

    def in_status(
        self, environment: Environment, first: int, last: int, statuses: tuple[int, int], limit: int
    ) -> list[dict[str, Any]]:
        return self._reading.in_status(environment, (first, last), statuses, limit)

    def recent_rows(self, node: str, environment: Environment, limit: int = 7) -> list[int]:
        key = (environment.value, node)
        if key not in self._rows_seen:
            numbers = self._named(environment.value)
            task = numbers.tasks.get(node.partition("/")[0], 0)
            where = {"node": numbers.node_numbers.get(node, 0), "task": task, "limit": limit}
            self._rows_seen[key] = [
                count for (count,) in self._database.rows(queries("window")["recent_rows"], where)
            ]
        return self._rows_seen[key]

    # -- operations
    def next_operation(self) -> int:
        return self._operations.next_operation()

    def exceptions(self, environment: Environment) -> KeptExceptions:
        return self._operations.exceptions(environment.value)

    def operation(self, number: int) -> OperationRow | None:
        return self._operations.operation(number)

    def operation_by_key(self, actor: str, key: str) -> tuple[int, str] | None:
        return self._operations.operation_by_key(actor, key)

    def operations(self, filters: Mapping[str, Any], limit: int, before: int | None) -> list[OperationRow]:
        return self._operations.operations(filters, limit, before)

    def later_operation(self, after: int, instances: Sequence[int]) -> int | None:
        return self._operations.later_operation(after, instances)

    def engine_seconds(self, nodes: Sequence[str]) -> dict[str, float]:
        return self._operations.engine_seconds(nodes)

    def inputs_read(self, node_instances: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
        return self._operations.inputs_read(node_instances)

    # -- tidying
    def tidy(self, epoch: int, now: datetime, keep_days: int) -> int:
        return retention.tidy(self._database, self._log, epoch, to_day(now.date()) - keep_days)

    def purged(self, environment: Environment) -> Purged:
        named, where = queries("retention"), {"environment": environment.value}
        until = dict(self._database.rows(named["purged"], where))
        return Purged(until, frozenset(self._database.rows(named["purged_unsuccessful"], where)))
