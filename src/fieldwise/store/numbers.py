"""Tasks and nodes as numbers: what keeps ten million rows small."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

from fieldwise.store.database import Database
from fieldwise.store.named import queries


@dataclass(slots=True)
class Numbers:
    """The names of one environment, both ways; filled when first asked and kept up by the writer."""

    environment: str
    tasks: dict[str, int] = field(default_factory=dict)
    task_names: dict[int, str] = field(default_factory=dict)
    field_counts: dict[int, int] = field(default_factory=dict)
    nodes: dict[tuple[int, str], int] = field(default_factory=dict)
    node_names: dict[int, str] = field(default_factory=dict)

    def load(self, database: Database) -> None:
        named, parameters = queries("publication"), {"environment": self.environment}
        for number, name, fields in database.rows(named["tasks"], parameters):
            self.tasks[name], self.task_names[number], self.field_counts[number] = number, name, fields
        for number, task, name in database.rows(named["nodes"], parameters):
            self.nodes[task, name], self.node_names[number] = number, name

    def node(self, connection: sqlite3.Connection, task: int, name: str) -> int:
        """The number of a node, drawn if it is new."""
        number = self.nodes.get((task, name))
        if number is None:
            connection.execute(queries("publication")["keep_node"], {"task": task, "name": name})
            number = int(
                connection.execute(
                    "SELECT id FROM node WHERE task = ? AND name = ?", (task, name)
                ).fetchone()[0]
            )
            self.nodes[task, name], self.node_names[number] = number, name
        return number
