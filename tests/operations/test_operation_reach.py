"""What changes below chosen fields, against a walk over (instance, field) pairs with plain dictionaries."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import stage  # noqa: F401  (finds the warehouse of the fleet's tests)
from hypothesis import given, settings
from hypothesis import strategies as st
from warehouse import Birth, need, node, publication, table

from fieldwise.fleet.decide import Fleet
from fieldwise.model.plan import CompiledTask, How, LineageEdge
from fieldwise.model.schedule import Window
from fieldwise.operations.reach import Reach
from fieldwise.operations.scene import Scene

Spot = tuple[str, int]  # table, day
DAYS = range(100, 104)
BACK = {Window.CURRENT: (0,), Window.PREVIOUS: (1,), Window.LAST_N: (0, 1), Window.DAYS_BEFORE: (2,)}


def tables(chance: Random) -> list[CompiledTask]:
    """Layers of tables; every node reads some fields of tables above it, or of its own table on the day before."""
    made: list[CompiledTask] = []
    for i in range(chance.randint(2, 5)):
        nodes, edges = [], []
        for label in ("n1", "n2", "n3")[: chance.randint(1, 3)]:
            fields = tuple(f"f_{label}_{k}" for k in range(chance.randint(1, 2)))
            needs = []
            for up in chance.sample(made, min(len(made), chance.randint(0, 2))):
                needs += read(chance, up, fields, edges)
            nodes.append(node(f"t{i}", label, *needs, fields=fields))
        one = replace(table(f"t{i}", *nodes), lineage=tuple(dict.fromkeys(edges)))
        made.append(with_self(chance, one))
    return made


def read(chance: Random, up: CompiledTask, fields: tuple[str, ...], edges: list[LineageEdge]) -> list[object]:
    """One or two windows on the same table, with fields of their own."""
    needs = []
    for _ in range(chance.randint(1, 2)):
        names = [f.name for f in up.fields if not f.key]
        wanted = tuple(chance.sample(names, chance.randint(0, min(2, len(names)))))
        window = chance.choice(list(BACK))
        labels = tuple(n.label for n in up.nodes if set(n.fields) & set(wanted)) or ("n1",)
        needs.append(need(up.name.partition(".")[2], window, 2, nodes=labels, fields=wanted))
        for name in (*wanted, "id", "ds"):
            if name in wanted or chance.random() < 0.4:
                own = chance.choice([*fields, *(["id"] if chance.random() < 0.3 else [])])
                edges.append(LineageEdge(own, up.name, name, chance.choice(list(How))))
    return needs


def with_self(chance: Random, one: CompiledTask) -> CompiledTask:
    if chance.random() > 0.3:
        return one
    first = one.nodes[0]
    short = one.name.partition(".")[2]
    more = need(short, Window.PREVIOUS, None, fields=first.fields[:1])
    edge = LineageEdge(first.fields[-1], one.name, first.fields[0], How.VALUE)
    nodes = (replace(first, upstream=(*first.upstream, more)), *one.nodes[1:])
    return replace(one, nodes=nodes, lineage=(*one.lineage, edge))


def spread(one: CompiledTask, fields: set[str]) -> set[str]:
    return {f.name for f in one.fields} if "id" in fields else set(fields)


def walk(
    made: list[CompiledTask], seeds: dict[Spot, set[str]], cross_day: bool, levels: int | None
) -> tuple[dict[Spot, set[str]], dict[Spot, int]]:
    """Round by round: every field of every instance is asked whether something it is made from changed."""
    by_name = {one.name: one for one in made}
    have = {spot: spread(by_name[spot[0]], fields) for spot, fields in seeds.items()}
    level = dict.fromkeys(have, 0)
    rounds = 0
    while levels is None or rounds < levels:
        rounds += 1
        before = {spot: set(fields) for spot, fields in have.items()}
        for one in made:
            for day in DAYS:
                found: set[str] = set()
                for reader in one.nodes:
                    for wanted in reader.upstream:
                        for back in BACK[wanted.window]:
                            if back and not cross_day:
                                continue
                            changed = before.get((wanted.task, day - back), set())
                            # Both windows of a node that cover this day are read.
                            known = {
                                f
                                for other in reader.upstream
                                if other.task == wanted.task and back in BACK[other.window]
                                for f in (*other.fields, "id")
                            }
                            for edge in one.lineage:
                                source = "id" if edge.from_field == "ds" else edge.from_field
                                mine = edge.field in reader.fields or edge.field == "id"
                                if edge.from_table == wanted.task and mine and source in changed & known:
                                    found.add(edge.field)
                if found:
                    spot = (one.name, day)
                    have[spot] = spread(one, have.get(spot, set()) | found)
                    level.setdefault(spot, rounds)
        if have == before:
            break
    return have, level


def reached(
    made: list[CompiledTask], seeds: dict[Spot, set[str]], cross_day: bool, levels: int | None
) -> tuple[dict[Spot, set[str]], dict[Spot, int]]:
    fleet = Fleet([publication(*made)], Birth().days(made, DAYS))
    scene = Scene(fleet, 0)
    owners = {(scene.name(i), scene.day(i)): i for i in range(len(fleet.window.instance_id))}
    reach = Reach(scene.window, scene.maps, scene.flow, cross_day=cross_day, levels=levels)
    reach.go({owners[spot]: scene.map(owners[spot]).mask(fields) for spot, fields in seeds.items()})
    have = {spot: set(scene.map(i).words(reach.mask(i))) for spot, i in owners.items() if reach.changed[i]}
    return have, {spot: int(reach.level[i]) for spot, i in owners.items() if reach.level[i] >= 0}


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 2**40), st.booleans(), st.sampled_from([None, None, 1, 2, 3]))
def check_reach(seed: int, cross_day: bool, levels: int | None):
    chance = Random(seed)
    made = tables(chance)
    seeds: dict[Spot, set[str]] = {}
    for _ in range(chance.randint(1, 2)):
        one = chance.choice(made[:2])
        names = [f.name for f in one.fields]
        weights = [1 if name == "id" else 3 for name in names]
        seeds[one.name, chance.choice(DAYS[:2])] = set(chance.choices(names, weights, k=1))
    wanted = walk(made, seeds, cross_day, levels)
    assert reached(made, seeds, cross_day, levels) == wanted
    shuffled = list(made)
    chance.shuffle(shuffled)
    assert reached(shuffled, seeds, cross_day, levels) == wanted, "the order of tables changes nothing"


def test_reach_is_what_a_plain_walk_finds():
    check_reach()
