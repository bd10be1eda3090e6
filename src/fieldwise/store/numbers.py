"""Tasks and nodes as numbers: what keeps ten million rows small."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field

from fieldwise.store.database import Database
from fieldwise.store.named import queries


@dataclass(slots=True)
class Numbers:
    """The names of one environment, both ways; filled when first asked and kept up by the writer.

    A node's name carries its task's, so that it is unique in the environment.
    """

    environment: str
    tasks: dict[str, int] = field(default_factory=dict)
    task_names: dict[int, str] = field(default_factory=dict)
    field_counts: dict[int, int] = field(default_factory=dict)
    node_numbers: dict[str, int] = field(default_factory=dict)
    node_names: dict[int, str] = field(default_factory=dict)

    def load(self, database: Database) -> None:
        named, parameters = queries("publication"), {"environment": self.environment}
        for number, name, fields in database.rows(named["tasks"], parameters):
            self.tasks[name], self.task_names[number], self.field_counts[number] = number, name, fields
        for number, name in database.rows(named["nodes"], parameters):
            self.node_numbers[name], self.node_names[number] = number, name

    def draw(self, connection: sqlite3.Connection, wanted: Iterable[tuple[int, str]]) -> None:
        """Give a number to every (task, node) that has none."""
        named = queries("publication")
        for task, name in sorted((task, name) for task, name in wanted if name not in self.node_numbers):
            connection.execute(named["keep_node"], {"task": task, "name": name})
            number = int(connection.execute(named["node"], {"task": task, "name": name}).fetchone()[0])
            self.node_numbers[name], self.node_names[number] = number, name
