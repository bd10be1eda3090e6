"""Traces what a field is made from (up) and what is made from it (down), across tables and projects, to any depth."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fieldwise.model.errors import BadRequest, NotFound
from fieldwise.model.plan import CompiledTask, LineageEdge, Publication
from fieldwise.model.status import TaskKind


class Lineage:
    """The edges of all active publications both ways; made once per set of publications."""

    def __init__(self, publications: Iterable[Publication]) -> None:
        self.tables: dict[str, CompiledTask] = {}
        self.projects: dict[str, str] = {}
        self._down: dict[tuple[str, str], list[tuple[str, LineageEdge]]] = {}
        self._up: dict[tuple[str, str], list[LineageEdge]] = {}
        for publication in publications:
            for task in publication.tasks:
                self._read(task)

    def _read(self, task: CompiledTask) -> None:
        self.tables[task.name] = task
        for edge in task.lineage:
            self._up.setdefault((task.name, edge.field), []).append(edge)
            self._down.setdefault((edge.from_table, edge.from_field), []).append((task.name, edge))

    def up(self, table: str, field: str) -> Iterator[tuple[str, str, LineageEdge]]:
        for edge in self._up.get((table, field), ()):
            yield edge.from_table, edge.from_field, edge

    def down(self, table: str, field: str) -> Iterator[tuple[str, str, LineageEdge]]:
        for name, edge in self._down.get((table, field), ()):
            yield name, edge.field, edge


def trace_lineage(
    lineage: Lineage,
    table: str,
    field: str,
    direction: str,
    depth: int | None = None,
    status_of: Callable[[str, str], str | None] = lambda table, field: None,
) -> dict[str, Any]:
    """The document of `lineage TABLE.FIELD --up|--down --json`. `depth` None: to the end. No recursion."""
    if direction not in ("up", "down"):
        raise BadRequest(f"direction is {direction!r}", "up or down")
    _check(lineage, table, field, direction)
    step = lineage.up if direction == "up" else lineage.down
    levels = {(table, field): 0}
    queue = deque([(table, field)])
    edges: dict[tuple[str, str, str], None] = {}
    while queue:
        here = queue.popleft()
        if depth is not None and levels[here] >= depth:
            continue
        for other_table, other_field, edge in step(*here):
            there = (other_table, other_field)
            first, second = (there, here) if direction == "up" else (here, there)
            edges[".".join(first), ".".join(second), edge.how.value] = None
            if there not in levels:
                levels[there] = levels[here] + 1
                queue.append(there)
    return {
        "nodes": [_node(lineage, *one, status_of) for one in levels],
        "edges": [{"from": first, "to": second, "how": how} for first, second, how in edges],
    }


def _check(lineage: Lineage, table: str, field: str, direction: str) -> None:
    task = lineage.tables.get(table)
    if task is None:
        if direction == "down" and any(lineage.down(table, field)):
            return  # a source column
        raise NotFound(f"no published table {table!r}", "`fieldwise plan` lists the tables of a project")
    if field != "ds" and all(known.name != field for known in task.fields):
        names = ", ".join(known.name for known in task.fields)
        raise NotFound(f"{table} has no field {field!r}", f"its fields: {names}")


def _node(
    lineage: Lineage, table: str, field: str, status_of: Callable[[str, str], str | None]
) -> dict[str, Any]:
    task = lineage.tables.get(table)
    if task is None or task.definition.kind is not TaskKind.MODELING:
        return {"table": table, "field": field, "node": "", "kind": "source", "status": None}
    makers = task.nodes_of_field(field)
    node = makers[0].id if field not in task.key and makers else task.row_node.id
    known = next((one for one in task.fields if one.name == field), None)
    return {
        "table": table,
        "field": field,
        "node": node,
        "kind": "field",
        "status": status_of(table, field),
        "owner": (known.owner if known is not None else "") or task.definition.owner,
        "project": (known.project if known is not None else "") or task.definition.project,
    }
