"""Births: what is new becomes rows in one transaction, what exists is left alone (spec 3, "Generation")."""

from __future__ import annotations

import gc
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from operator import itemgetter

from fieldwise.model.event import Firing, NewInstance, NewNodeInstance, NodeState
from fieldwise.model.status import FieldStatus, Status
from fieldwise.store.counts import FIELDS, NODES, shape
from fieldwise.store.named import queries
from fieldwise.store.numbers import Numbers

FIELD_OF_NODE = {
    Status.NOT_RUNNING: FieldStatus.NOT_RUNNING,
    Status.RUNNING: FieldStatus.RUNNING,
    Status.SUCCEEDED: FieldStatus.SUCCEEDED,
    Status.FAILED: FieldStatus.FAILED,
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What shall be born, as columns: one entry per instance, one entry per node instance."""

    instances: Sequence[NewInstance]
    tasks: Sequence[int]
    owners: Sequence[int]  # place in `instances`
    names: Sequence[str]
    nodes: Sequence[int]
    status: Sequence[int]
    marks: Sequence[int]


def generate(
    connection: sqlite3.Connection,
    numbers: Numbers,
    instances: Sequence[NewInstance],
    nodes: Sequence[NewNodeInstance],
    event_table: str,
    at: int,
) -> tuple[int, list[Firing]]:
    """Insert the new ones among the wished-for instances, with their nodes and their first event."""
    with collector_resting():
        instances, nodes = _without_known(connection, numbers, instances, nodes)
        if not instances:
            return 0, []
        wish = _columns(connection, numbers, instances, nodes)
        named = queries("generation")
        first = int(connection.execute(named["greatest_instance"]).fetchone()[0]) + 1
        first_node = int(connection.execute(named["greatest_node_instance"]).fetchone()[0]) + 1
        connection.executemany(named["insert_instance"], _instance_rows(wish, numbers, first))
        ids, owners = (
            range(first_node, first_node + len(wish.owners)),
            [first + place for place in wish.owners],
        )
        connection.executemany(
            named["insert_node_instance"], zip(ids, owners, wish.nodes, wish.status, wish.marks, strict=True)
        )
        born = named["insert_births"].replace("{event}", event_table)
        connection.execute(born, {"first": first_node, "at": at})
        _keep_births(connection, wish)
        return len(instances), _firings(wish, ids, owners)


@contextmanager
def collector_resting() -> Iterator[None]:
    """Millions of plain tuples hold no cycles; looking through them again and again doubles the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _without_known(
    connection: sqlite3.Connection,
    numbers: Numbers,
    instances: Sequence[NewInstance],
    nodes: Sequence[NewNodeInstance],
) -> tuple[Sequence[NewInstance], Sequence[NewNodeInstance]]:
    """A changed task keeps its past slots: an instance that exists gets nothing more."""
    known = _known(connection, numbers, instances)
    if not known:
        return instances, nodes
    new = [
        place
        for place, one in enumerate(instances)
        if (numbers.tasks[one.task], one.scheduled_at, one.flow) not in known
    ]
    places = {old: place for place, old in enumerate(new)}
    kept = [node._replace(instance=places[node.instance]) for node in nodes if node.instance in places]
    return [instances[place] for place in new], kept


def _known(
    connection: sqlite3.Connection, numbers: Numbers, instances: Sequence[NewInstance]
) -> set[tuple[int, int, int]]:
    """(task, scheduled_at, flow) of the firings that exist already."""
    named = queries("generation")
    days = [one.data_day for one in instances]
    if (
        not instances
        or not connection.execute(named["any"], {"first": min(days), "last": max(days)}).fetchone()[0]
    ):
        return set()
    times = [one.scheduled_at for one in instances]
    first, last = min(times), max(times)
    known: set[tuple[int, int, int]] = set()
    for name in {one.task for one in instances}:
        known.update(connection.execute(named["known"], (numbers.tasks[name], first, last)))
    return known


def _columns(
    connection: sqlite3.Connection,
    numbers: Numbers,
    instances: Sequence[NewInstance],
    nodes: Sequence[NewNodeInstance],
) -> Wish:
    tasks = list(map(numbers.tasks.__getitem__, map(itemgetter(0), instances)))
    owners, names, status, marks = zip(*nodes, strict=True) if nodes else ((), (), (), ())
    missing = set(names) - numbers.node_numbers.keys()
    if missing:
        wanted = {name: owner for owner, name in zip(owners, names, strict=True) if name in missing}
        numbers.draw(connection, ((tasks[owner], name) for name, owner in wanted.items()))
    numbered = list(map(numbers.node_numbers.__getitem__, names))
    return Wish(instances, tasks, owners, names, numbered, status, marks)


def _instance_rows(wish: Wish, numbers: Numbers, first: int) -> Iterator[tuple[object, ...]]:
    """Column by column, as everything here: a step in Python for each of a million rows costs seconds."""
    _, types, flows, times, starts, days, ordinals, versions = zip(*wish.instances, strict=True)
    sizes, shapes = Counter(wish.owners), Shapes()
    fields = map(numbers.field_counts.__getitem__, wish.tasks)
    places = range(len(wish.instances))
    if len(set(wish.status)) == 1 and len(set(wish.marks)) == 1:
        born = zip(map(sizes.__getitem__, places), repeat(wish.status[0]), fields, strict=False)
        marks: Iterable[int] = repeat(wish.marks[0])
    else:
        alike = _alike(wish)
        born = zip(map(sizes.__getitem__, places), (alike[place][0] for place in places), fields, strict=True)
        marks = [alike[place][1] for place in places]
    counts, of_fields, present = zip(*map(shapes.__getitem__, born), strict=True)
    return zip(
        range(first, first + len(places)), wish.tasks, versions, map(int, types), flows, times, starts, days, ordinals,
        counts, of_fields, present, marks, strict=False,
    )  # fmt: skip


def _alike(wish: Wish) -> dict[int, tuple[int, int]]:
    """Status and marks of each instance: all its nodes are born alike (an off-day, a paused task)."""
    born = zip(wish.status, wish.marks, strict=True)
    alike = dict(zip(wish.owners, born, strict=True))
    for owner, status, marks in zip(wish.owners, wish.status, wish.marks, strict=True):
        if alike[owner] != (status, marks):
            raise ValueError(f"the nodes of {wish.instances[owner].task} are not born alike")
    return alike


class Shapes(dict[tuple[int, int, int], tuple[str, str, int]]):
    """What an instance shows that has `nodes` nodes in one status and so many fields."""

    def __missing__(self, key: tuple[int, int, int]) -> tuple[str, str, int]:
        nodes, status, fields = key
        counts, of_fields = [0] * NODES, [0] * FIELDS
        counts[status] = nodes
        of_fields[FIELD_OF_NODE.get(Status(status), FieldStatus.WAITING)] = fields if nodes else 0
        found = self[key] = shape(tuple(counts), tuple(of_fields))
        return found


def _keep_births(connection: sqlite3.Connection, wish: Wish) -> None:
    times = map(itemgetter(3), wish.instances)
    earliest = dict(
        sorted(zip(wish.tasks, times, strict=True), reverse=True)
    )  # the earliest comes last, and stays
    values = [{"task": task, "at": at} for task, at in earliest.items()]
    connection.executemany(queries("generation")["birth"], values)


def _firings(wish: Wish, ids: Sequence[int], owners: Sequence[int]) -> list[Firing]:
    """Tuples made by columns: a million of them in half the time of a million calls."""
    none, zero = repeat(None), repeat(0)
    columns = zip(ids, wish.status, wish.marks, zero, zero, zero, zero, none, none, none, strict=False)
    states = map(tuple.__new__, repeat(NodeState), columns)
    slots = zip(*map(wish.instances.__getitem__, wish.owners), strict=True)
    return list(
        map(tuple.__new__, repeat(Firing), zip(states, owners, wish.names, *slots, none, strict=False))
    )
