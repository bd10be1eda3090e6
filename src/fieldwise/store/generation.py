"""Births: what is new becomes rows in one transaction, what exists is left alone (spec 3, "Generation")."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from fieldwise.model.event import Event, Firing, NewInstance, NewNodeInstance, NodeState
from fieldwise.model.status import Status
from fieldwise.store.codec import compact
from fieldwise.store.named import queries
from fieldwise.store.numbers import Numbers

FIELD_OF_NODE = {Status.NOT_RUNNING: 0, Status.RUNNING: 2, Status.SUCCEEDED: 3, Status.FAILED: 4}
WAITING_FIELD = 1


@dataclass(slots=True)
class Births:
    """Rows to insert, and what the window hears of them."""

    instances: list[tuple[object, ...]] = field(default_factory=list)
    nodes: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    events: list[tuple[int, ...]] = field(default_factory=list)
    firings: list[Firing] = field(default_factory=list)
    births: dict[int, int] = field(default_factory=dict)


def present(nodes: Sequence[int], fields: Sequence[int]) -> int:
    """Which statuses occur, as bits: 7 of nodes, then 5 of fields; lists filter by it."""
    bits = 0
    for place, count in enumerate((*nodes, *fields)):
        if count:
            bits |= 1 << place
    return bits


def collect(
    connection: sqlite3.Connection,
    numbers: Numbers,
    instances: Sequence[NewInstance],
    nodes: Sequence[NewNodeInstance],
    at: int,
    created_day: int,
) -> Births:
    """Decide what is new among the wished-for instances and their nodes."""
    births = Births()
    if not instances:
        return births
    named = queries("generation")
    days = [one.data_day for one in instances]
    known = {
        (task, flow, scheduled): number
        for task, flow, scheduled, number in connection.execute(
            named["known"], {"first": min(days), "last": max(days)}
        )
    }
    next_instance = int(connection.execute(named["greatest_instance"]).fetchone()[0])
    next_node = int(connection.execute(named["greatest_node_instance"]).fetchone()[0])
    wished: dict[int, list[NewNodeInstance]] = defaultdict(list)
    for node in nodes:
        wished[node.instance].append(node)
    for place, one in enumerate(instances):
        task = numbers.tasks[one.task]
        number = known.get((task, one.flow, one.scheduled_at))
        of_instance = wished[place]
        if number is not None:
            have = {row[0] for row in connection.execute(named["known_nodes"], {"instance": number})}
            of_instance = [
                node for node in of_instance if numbers.node(connection, task, node.node) not in have
            ]
            if not of_instance:
                continue
        else:
            next_instance += 1
            number = next_instance
            births.instances.append(
                _instance_row(number, task, one, of_instance, numbers.field_counts.get(task, 0), created_day)
            )
            known[task, one.flow, one.scheduled_at] = number
            births.births[task] = min(births.births.get(task, one.scheduled_at), one.scheduled_at)
        for node in of_instance:
            next_node += 1
            births.nodes.append(
                (next_node, number, numbers.node(connection, task, node.node), node.status, node.marks)
            )
            births.events.append(
                (next_node, Event.GENERATED, node.status, node.status, node.marks, at, 0, 0, 0)
            )
            state = NodeState(next_node, node.status, node.marks, 0, 0, 0, 0, None, None, None)
            births.firings.append(
                Firing(
                    state,
                    number,
                    node.node,
                    one.task,
                    one.type,
                    one.flow,
                    one.scheduled_at,
                    one.slot_start,
                    one.data_day,
                    one.ordinal,
                    one.version,
                    None,
                )
            )
    return births


def _instance_row(
    number: int, task: int, one: NewInstance, nodes: Sequence[NewNodeInstance], fields: int, created_day: int
) -> tuple[object, ...]:
    counts = [0] * 7
    marks = 0
    for node in nodes:
        counts[node.status] += 1
        marks |= node.marks
    field_counts = [0] * 5
    if nodes and fields:
        field_counts[FIELD_OF_NODE.get(Status(nodes[0].status), WAITING_FIELD)] = fields
    return (
        number, task, int(one.type), one.flow, one.scheduled_at, one.slot_start, one.data_day, one.ordinal, one.version, created_day,
        compact(counts), compact(field_counts), present(counts, field_counts), marks,
    )  # fmt: skip


def insert(connection: sqlite3.Connection, births: Births, event_table: str) -> None:
    named = queries("generation")
    connection.executemany(named["insert_instance"], births.instances)
    connection.executemany(named["insert_node_instance"], births.nodes)
    connection.executemany(
        f"INSERT INTO {event_table} (node_instance, event, before, after, marks, at, run, attempt, operation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        births.events,
    )
    connection.executemany(named["birth"], [{"task": task, "at": at} for task, at in births.births.items()])
