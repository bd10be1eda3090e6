"""The operation log and the exceptions that operations leave: written with the commit, read by people and at start."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from fieldwise.model.event import CommitBatch
from fieldwise.ports.operations import KeptExceptions, OpenOrder, OperationRow
from fieldwise.store.database import Database
from fieldwise.store.named import queries


def write(connection: sqlite3.Connection, batch: CommitBatch) -> None:
    """What a commit says of operations, inside its transaction."""
    named = queries("operation")
    for record in batch.operations:
        connection.execute(
            named["insert"],
            (
                record.id, record.at, record.actor, record.source, record.verb, record.reason, record.status, record.total,
                record.environment, record.document, record.order, record.key, record.digest, record.undo_of,
            ),
        )  # fmt: skip
        touched = [(instance, record.id) for instance in record.instances]
        connection.executemany(named["insert_instance"], touched)
        if record.undo_of:
            connection.execute(named["undone"], (record.id, record.undo_of))
    for one in batch.progress:
        connection.execute(named["progress"], (one.id, one.applied, one.status, json.dumps(one.refused)))
    if batch.versions:
        connection.executemany(named["set_version"], batch.versions)
    if batch.priorities:
        connection.executemany(named["set_priority"], batch.priorities)
    for number, group in batch.groups:
        if group is None:
            connection.execute(named["unset_group"], (number,))
        else:
            connection.execute(named["set_group"], (number, group))
    for pause in batch.pauses:
        if pause.until is None:
            connection.execute(named["unset_until"], (pause.node_instance,))
        else:
            connection.execute(named["set_until"], pause)
    for edge in batch.edges:
        if edge.removed:
            connection.execute(named["remove_edge"], (edge.node_instance, edge.upstream, edge.operation))
        else:
            connection.execute(named["restore_edge"], (edge.node_instance, edge.upstream))


class Operations:
    def __init__(self, database: Database) -> None:
        self._database = database

    def next_operation(self) -> int:
        return int(self._database.rows(queries("operation")["next"])[0][0])

    def exceptions(self, environment: str) -> KeptExceptions:
        named, rows = queries("operation"), self._database.rows
        orders = [
            OpenOrder(number, verb, json.loads(orders), applied, tuple(json.loads(refused)))
            for number, verb, orders, applied, refused in rows(named["open"], {"environment": environment})
        ]
        return KeptExceptions(
            tuple(rows(named["removed"])),
            dict(rows(named["untils"])),
            dict(rows(named["groups"])),
            tuple(orders),
        )

    def operation(self, number: int) -> OperationRow | None:
        found = self._database.rows(queries("operation")["one"], {"id": number})
        return _row(found[0]) if found else None

    def operation_by_key(self, actor: str, key: str) -> tuple[int, str] | None:
        found = self._database.rows(queries("operation")["by_key"], {"actor": actor, "key": key})
        return (int(found[0][0]), str(found[0][1])) if found else None

    def operations(self, filters: Mapping[str, Any], limit: int, before: int | None) -> list[OperationRow]:
        names = ("verb", "actor", "source", "first", "last", "instance")
        values = {name: filters.get(name) for name in names}
        found = filters.get("object")
        values["object"] = None if found is None else f"%{found}%"
        page = self._database.rows(queries("operation")["page"], {**values, "limit": limit, "before": before})
        return [_row(row) for row in page]

    def later_operation(self, after: int, instances: Sequence[int]) -> int | None:
        values = {"after": after, "instances": json.dumps(list(instances))}
        found = self._database.rows(queries("operation")["later"], values)[0][0]
        return int(found) if found is not None else None

    def engine_seconds(self, nodes: Sequence[str]) -> dict[str, float]:
        found = self._database.rows(queries("operation")["seconds"], {"names": json.dumps(list(nodes))})
        return {name: float(spent) for name, spent in found if spent is not None}

    def inputs_read(self, node_instances: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
        values = {"ids": json.dumps(list(node_instances))}
        found = self._database.rows(queries("operation")["inputs"], values)
        return {
            number: [(name, version) for name, version in json.loads(inputs)] for number, inputs, _ in found
        }


def _row(row: tuple[Any, ...]) -> OperationRow:
    values = list(row)
    values[10] = json.loads(values[10])
    values[11] = tuple(json.loads(values[11]))
    return OperationRow(*values)
