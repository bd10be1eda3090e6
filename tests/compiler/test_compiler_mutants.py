"""Every soundness condition switched off in turn: the cases must notice, and the data must differ where rows would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import duckdb
import pytest
from sqlcases import Case, cases, compiled, connect, differences, grouping

from fieldwise.compiler import (
    demand,
    emit,
    keys,
    relations,
    removal,
    resolve,
    rules,
)
from fieldwise.compiler import (
    grouping as groups,
)
from fieldwise.compiler.keys import Key

Patch = pytest.MonkeyPatch
CASES = [case for file in ("removal.sql", "forms.sql", "cuts.sql") for case in cases(file)]


@dataclass(frozen=True)
class Mutant:
    """`apply` breaks one condition. `rows`: the broken planner must also give wrong rows on the test data."""

    name: str
    apply: Callable[[Patch], None]
    rows: bool = True

    def __str__(self) -> str:
        return self.name.replace(" ", "_")


def _set(target: object, name: str, value: object) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(target, name, value)


def _rule(name: str, value: object) -> Callable[[Patch], None]:
    """One of the key rules replaced."""
    return lambda patch: patch.setattr(
        keys, "KEY_RULES", tuple(value if rule.__name__ == name else rule for rule in keys.KEY_RULES)
    )


def _without(name: str) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(
        keys, "KEY_RULES", tuple(rule for rule in keys.KEY_RULES if rule.__name__ != name)
    )


def _any_side(known, occurrence, block):  # type: ignore[no-untyped-def]
    return known.at_most_one(occurrence, block)


def _any_cross(known, occurrence, block):  # type: ignore[no-untyped-def]
    return occurrence.side == "" and occurrence.kind in ("", "CROSS") and not occurrence.on


def _group_keys_ignoring_sets(known, block):  # type: ignore[no-untyped-def]
    found = list(block.group.find_all(keys.exp.Column)) if block.group is not None else []
    return keys.projected(block, found, True)


def _group_keys_of_what_is_projected(known, block):  # type: ignore[no-untyped-def]
    if block.group is None:
        return []
    return [key for item in block.group.expressions for key in keys.projected(block, [item], True)]


def _rank_counts(known, block, window):  # type: ignore[no-untyped-def]
    return keys.projected(block, window.args.get("partition_by") or (), True)


def _distinct_first_column(known, block):  # type: ignore[no-untyped-def]
    return [Key(frozenset([block.names[0]]))] if block.distinct else []


def _in_counts_as_fixed(self, block):  # type: ignore[no-untyped-def]
    return {
        (column.table, column.name)
        for condition in block.where
        if isinstance(condition, keys.exp.Predicate)
        for column in condition.find_all(keys.exp.Column)
    }


def _leaf_without_partition(leaf):  # type: ignore[no-untyped-def]
    return [Key(frozenset(leaf.table.key), leaf.table.null_safe_key)] if leaf.table.key else []


def _half_a_key(leaf):  # type: ignore[no-untyped-def]
    partition = {leaf.table.partition} if leaf.table.partition else set()
    return [Key(frozenset(leaf.table.key[:1]) | partition)] if leaf.table.key else []


def _conjuncts_through_or(condition):  # type: ignore[no-untyped-def]
    return tuple(condition.find_all(keys.exp.EQ)) if condition is not None else ()


def _computed_key(self, column, other, occurrence, block):  # type: ignore[no-untyped-def]
    found = column.find(keys.exp.Column)
    return found.name.lower() if found is not None and found.table == occurrence.name else ""


MUTANTS = [
    Mutant("J1 every join onto a key goes", _set(removal, "REMOVAL_RULES", (_any_side, *removal.REMOVAL_RULES))),
    Mutant("J1 every cross join goes", _set(removal, "REMOVAL_RULES", (*removal.REMOVAL_RULES, _any_cross))),
    Mutant("J1 one row with HAVING or LIMIT", _set(removal, "is_one_row", lambda relation: isinstance(relation, relations.Block) and relation.aggregates)),
    Mutant("J2 OR like AND", _set(relations, "conjuncts", _conjuncts_through_or)),
    Mutant("J2 the other side may name the table", _set(keys, "names_none_of", lambda node, name: True)),
    Mutant("J2 a computed key column", _set(keys.Keys, "_pinned", _computed_key)),
    Mutant("J2 half a key", _set(keys, "leaf_keys", _half_a_key)),
    Mutant("J3b the partition forgotten in a key", _set(keys, "leaf_keys", _leaf_without_partition)),
    Mutant("J3c grouping sets", _rule("group_keys", _group_keys_ignoring_sets)),
    Mutant("J3c each group expression alone", _rule("group_keys", _group_keys_of_what_is_projected)),
    Mutant("J3c unnest in a projection", _set(relations, "makes_rows", lambda item: False)),
    Mutant("J3d first column of DISTINCT", _rule("all_outputs", _distinct_first_column)),
    Mutant("J3g rank like row_number", _set(keys, "_first_rows", _rank_counts)),
    Mutant("J3h other occurrences may multiply", _set(keys.Keys, "_keeps_unique", lambda self, occurrence, block: True)),
    Mutant("J4 a list or range fixes", _set(keys.Keys, "fixed", _in_counts_as_fixed)),
    Mutant("J5 key types not compared", _set(keys, "one_match", lambda key, other: True)),
    Mutant("J6 NULLs not counted", _set(keys, "leaf_keys", lambda leaf: [Key(one.columns) for one in LEAF_KEYS(leaf)]), rows=False),
    Mutant("J7 joins first to last", lambda patch: patch.setattr(demand, "reversed", list, raising=False)),
    Mutant("no join ever goes", _set(removal, "REMOVAL_RULES", ()), rows=False),
    Mutant("no group key", _without("group_keys"), rows=False),
    Mutant("no DISTINCT ON key", _without("distinct_on_keys"), rows=False),
    Mutant("no LIMIT 1 key", _without("single_row_keys"), rows=False),
    Mutant("no row_number key", _without("row_number_keys"), rows=False),
    Mutant("no key through a plain block", _without("plain_block_keys"), rows=False),
    Mutant("P1 clauses are needed by nobody", _set(relations, "_clauses", lambda select: [])),
    Mutant("P3 unnest is cut", _set(relations, "makes_rows", lambda item: False)),
    Mutant("P4 DISTINCT is cut", _set(relations.Block, "distinct", property(lambda self: False))),
    Mutant("P4 UNION is cut", _set(relations, "_cuttable", lambda side: True)),
    Mutant("P6 keys are needed by their own field only", _set(demand.Bits, "carried_by_all", lambda self: 0), rows=False),
    Mutant("an aggregate block loses its one row", _set(emit._Cuttable, "look", lambda self, traits: None)),
    Mutant("GROUP BY ALL stays", _set(resolve, "_expand_group_by_all", lambda tree: None)),
    Mutant("USING stays a coalesce", _set(resolve, "_undo_using", lambda tree: None), rows=False),
    Mutant("whole rows are forgotten", _set(demand.DemandPass, "_need_row", lambda self, *arguments: True)),
    Mutant("choices do not bind", _set(rules, "undecided", lambda blocks, known: ()), rows=False),
    Mutant("atoms without paths", _set(groups, "_leaf_atoms", lambda leaf, found: [(((), leaf.leaf.table.name), found.bits.any(leaf.rows))]), rows=False),
]  # fmt: skip
LEAF_KEYS = keys.leaf_keys


@cache
def warehouse() -> duckdb.DuckDBPyConnection:
    return connect(11)


def expectation_broken(case: Case) -> bool:
    try:
        return grouping(compiled(case.sql, case.key)) != case.expected["nodes"]
    except (AssertionError, KeyError, ValueError):
        return True


def rows_differ(case: Case) -> bool:
    try:
        return bool(differences(warehouse(), compiled(case.sql, case.key), case.sql))
    except (AssertionError, duckdb.Error, KeyError, ValueError):
        return True


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_broken_condition_is_noticed(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant.apply(monkeypatch)
    word = mutant.name.split()[0]
    first = [case for case in CASES if case.name.startswith(word)]
    others = [case for case in CASES if case not in first]
    noticed = rows_differ if mutant.rows else expectation_broken
    assert any(noticed(case) for case in (*first, *others))
