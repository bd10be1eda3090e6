"""The closure of fields against a fixed point computed with plain sets of names."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from fieldwise.model.definition import Metric, MetricsDefinition, TaskDefinition
from fieldwise.model.operation import Cause
from fieldwise.model.plan import CompiledTask, Field, Node
from fieldwise.model.status import TaskKind
from fieldwise.operations.fields import FieldMap

KEYS = ("id", "ds2")


@dataclass(frozen=True)
class Table:
    """Nodes as sets of names, and metrics with the names that they are made from."""

    keys: tuple[str, ...]
    names: tuple[str, ...]
    nodes: tuple[frozenset[str], ...]
    made_from: dict[str, frozenset[str]]

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.keys, *self.names)

    def map(self) -> FieldMap:
        definition = TaskDefinition("p.t", "p", TaskKind.MODELING, "t.sql", key=self.keys)
        if self.made_from:
            metrics = tuple(
                Metric(name=name, expression=" / ".join(sorted(needs)))
                for name, needs in self.made_from.items()
            )
            definition = replace(definition, metrics=MetricsDefinition((), (), metrics))
        nodes = tuple(
            Node(f"p.t/n{i}", f"n{i}", i == 1, tuple(n for n in self.names if n in fields))
            for i, fields in enumerate(self.nodes, 1)
        )
        fields = tuple(Field(n, key=n in self.keys) for n in self.all)
        return FieldMap(CompiledTask(definition, nodes, fields), [(i, i) for i in range(len(nodes))])


@st.composite
def tables(draw: st.DrawFn) -> Table:
    keys = KEYS[: draw(st.integers(1, 2))]
    names = tuple(f"f{i}" for i in range(draw(st.integers(0, 7))))
    nodes = draw(st.lists(st.frozensets(st.sampled_from(names), max_size=3), max_size=5)) if names else []
    left = [frozenset({n}) for n in names if not any(n in node for node in nodes)]
    nodes = [*nodes, *left] or [frozenset()]
    made: dict[str, frozenset[str]] = {}
    if len(names) > 1:
        for own in draw(st.lists(st.sampled_from(names), unique=True, max_size=3)):
            needs = draw(st.frozensets(st.sampled_from([*names, *keys]), min_size=1, max_size=2)) - {own}
            if needs:
                made[own] = needs
    return Table(keys, names, tuple(nodes), made)


def changed(table: Table, chosen: set[str]) -> set[str]:
    """What has other values when the chosen fields have."""
    have = set(chosen)
    for _ in range(len(table.all) + 1):
        if have & set(table.keys):
            return set(table.all)
        for own, needs in table.made_from.items():
            if have & (needs - set(table.keys)):
                have.add(own)
    return have


def fixed_point(table: Table, chosen: set[str]) -> set[str]:
    have = set(chosen)
    for _ in range(len(table.all) + 1):
        have = changed(table, have)
        for node in table.nodes:
            if node & have:
                have |= node
    return have


@st.composite
def chosen(draw: st.DrawFn) -> tuple[Table, set[str], set[str]]:
    table = draw(tables())
    some = st.sets(st.sampled_from(table.all), max_size=3)
    return table, draw(some), draw(some)


@settings(max_examples=400, deadline=None)
@given(chosen())
def check_closed(case: tuple[Table, set[str], set[str]]):
    table, one, other = case
    fields = table.map()
    found = set(fields.words(fields.closed(fields.mask(one))))
    assert found == fixed_point(table, one)
    assert set(fields.words(fields.spread(fields.mask(one)))) == changed(table, one)
    assert fields.closed(fields.mask(found)) == fields.mask(found), "idempotent"
    both = fields.closed(fields.mask(one | other))
    assert fields.closed(fields.mask(one)) & ~both == 0, "monotone"
    ran = {node.label for node in fields.running(fields.mask(found))}
    assert ran == {
        f"n{i}"
        for i, node in enumerate(table.nodes, 1)
        if (node & found if node else set(table.keys) & found)
    }


@settings(max_examples=400, deadline=None)
@given(chosen(), st.sampled_from([Cause.STALE, Cause.ROWS_DIFFER, Cause.MODEL_REFRESH]))
def check_causes(case: tuple[Table, set[str], set[str]], given_cause: Cause):
    table, one, given_ones = case
    fields = table.map()
    causes = fields.causes(fields.mask(one), {given_cause: fields.mask(given_ones)})
    counted = Counter(name for name, _, _ in causes)
    assert set(counted.values()) <= {1}
    assert set(counted) == fixed_point(table, one | given_ones) - one
    have = set(one)
    for name, cause, because in causes:
        if name in given_ones:
            assert cause is given_cause
        elif cause is Cause.KEY:
            assert (one | given_ones) & set(table.keys)
            assert because.split()[0] in table.keys
        elif cause is Cause.SAME_NODE:
            label, known = because.split()[2], because.split()[-1]
            node = table.nodes[int(label[1:]) - 1]
            assert name in node
            assert known in node & have, "a cause names what was there before it"
        else:
            assert cause is Cause.MADE_FROM
            assert because.split()[-1] in table.made_from[name] & have
        have.add(name)


def test_the_closure_is_the_least_fixed_point():
    check_closed()


def test_every_field_of_the_closure_has_one_cause():
    check_causes()


def test_least_means_that_no_smaller_closed_set_holds_the_chosen():
    table = Table(("id",), ("a", "b", "c"), (frozenset("ab"), frozenset("bc")), {})
    fields = table.map()
    least = fields.closed(fields.mask("a"))
    subsets = range(fields.everything + 1)
    closed = [s for s in subsets if fields.closed(s) == s and s & fields.mask("a")]
    assert all(least & ~s == 0 for s in closed)
    assert set(fields.words(least)) == {"a", "b", "c"}
