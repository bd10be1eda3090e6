"""Published versions: pending, then in force; the names and cards of their tasks for lists."""

from __future__ import annotations

import dataclasses
import sqlite3
from datetime import datetime

from fieldwise.model.errors import NotFound
from fieldwise.model.event import to_micros
from fieldwise.model.plan import CompiledTask, Publication
from fieldwise.model.status import Environment
from fieldwise.store.codec import card, compact, decode, encode, facets
from fieldwise.store.database import Database
from fieldwise.store.named import queries

Key = tuple[str, str, int]


class Publications:
    """Versions never change once stored, so what was read once is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[Key, Publication] = {}

    def begin(self, epoch: int, publication: Publication, now: datetime) -> Publication:
        named = queries("publication")
        where = {"environment": publication.environment.value, "project": publication.project.name}
        with self._database.write(epoch) as connection:
            version = int(connection.execute(named["newest_version"], where).fetchone()[0]) + 1
            stored = dataclasses.replace(publication, version=version)
            values = {"version": version, "document": encode(stored), "created_at": to_micros(now)}
            connection.execute(named["begin"], where | values)
        return stored

    def activate(
        self, epoch: int, environment: Environment, project: str, version: int, now: datetime
    ) -> None:
        """Harmless when the version is in force already."""
        named = queries("publication")
        publication = self.one(environment, project, version)
        where = {"environment": environment.value, "project": project, "version": version}
        with self._database.write(epoch) as connection:
            if connection.execute(named["status"], where).fetchone()[0] != "pending":
                return
            connection.execute(named["retire"], where)
            connection.execute(named["activate"], where | {"at": to_micros(now)})
            for task in publication.tasks:
                _keep_task(connection, publication, task)

    def revert(self, epoch: int, environment: Environment, project: str, version: int) -> None:
        where = {"environment": environment.value, "project": project, "version": version}
        with self._database.write(epoch) as connection:
            connection.execute(queries("publication")["revert"], where)

    def with_status(self, status: str, environment: str = "") -> list[Publication]:
        found = self._database.rows(
            queries("publication")["with_status"], {"status": status, "environment": environment}
        )
        return [
            self.one(Environment(environment), project, version) for environment, project, version in found
        ]

    def one(self, environment: Environment, project: str, version: int) -> Publication:
        key = (environment.value, project, version)
        found = self._known.get(key)
        if found is None:
            where = {"environment": environment.value, "project": project, "version": version}
            rows = self._database.rows(queries("publication")["one"], where)
            if not rows:
                raise NotFound(f"version {version} of {project} is not stored")
            found = self._known[key] = decode(rows[0][0])
        return found


def _keep_task(connection: sqlite3.Connection, publication: Publication, task: CompiledTask) -> None:
    named, definition = queries("publication"), task.definition
    key = {"environment": publication.environment.value, "name": task.name}
    shown = {
        "project": definition.project,
        "kind": definition.kind.value,
        "table_kind": definition.table_kind.value if definition.table_kind else "",
        "period": definition.schedule.period.value,
        "fields": len(task.fields),
        "card": compact(card(publication, task)),
    }
    connection.execute(named["keep_task"], key | shown)
    number = connection.execute(named["task"], key).fetchone()[0]
    connection.execute(named["forget_facets"], {"task": number})
    pairs = [{"task": number, "facet": facet, "value": value} for facet, value in facets(publication, task)]
    connection.executemany(named["keep_facet"], pairs)
