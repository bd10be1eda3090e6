"""Why fields form a node, in a sentence or two that an operator understands."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from fieldwise.compiler.demand import LeafUse
from fieldwise.compiler.dependencies import Reading
from fieldwise.compiler.grouping import Atom, Atoms, Group
from fieldwise.compiler.relations import Block, Compound, Relation

FieldsRead = Callable[[LeafUse], Sequence[str]]

_SET_WORDS: tuple[tuple[type[exp.Expr], str], ...] = (
    (exp.Union, "UNION"), (exp.Intersect, "INTERSECT"), (exp.Except, "EXCEPT"),
)  # fmt: skip


def why_whole(relation: Relation, never: bool) -> str:
    """Why a table cannot be split, "" if it can."""
    if never:
        return "The header says `split: never`, so all fields are computed together."
    word = _whole_word(relation)
    return f"The query {word}, so its fields cannot be computed apart." if word else ""


def _whole_word(relation: Relation) -> str:
    if isinstance(relation, Block):
        if relation.distinct_on:
            return "ends in DISTINCT ON, which chooses whole rows"
        if relation.distinct:
            return "ends in DISTINCT, which compares all columns"
        if relation.limited:
            return "ends in LIMIT, which chooses whole rows"
        return "makes rows out of a list with unnest" if relation.generates else ""
    if isinstance(relation, Compound):
        if relation.splits:
            return ""
        if any(relation.node.args.get(key) for key in ("limit", "offset")):
            return "ends in LIMIT, which chooses whole rows"
        if relation.node.args.get("by_name"):
            return "ends in UNION BY NAME, which matches columns by their names"
        if not relation.unique:
            return "ends in UNION ALL with a branch that needs all its columns"
        word = next(word for kind, word in _SET_WORDS if isinstance(relation.node, kind))
        return f"ends in {word}, which compares all columns"
    return "has a form that cannot be looked into"


def why_group(
    group: Group, atoms: Atoms, row: bool, readings: Sequence[Reading], fields_read: FieldsRead, lone: bool
) -> str:
    """Why these outputs are one node. `fields_read`: names of the fields they read at a place."""
    rows = _tables(atoms.row, readings, None) or "nothing but parameters"
    own = _tables(group.own, readings, fields_read)
    if group.reason == "order":
        start = "These fields come from a choice among rows whose order is not total: computed apart they could mix rows."
        return f"{start} They wait for {own}." if own else start
    if group.reason == "header":
        start = "The header's `nodes:` puts these fields together."
        return f"{start} They wait for {own} besides what decides the rows." if own else start
    if lone:
        return (
            f"All fields wait for the same: {rows} and {own}."
            if own
            else f"All fields wait for the same: {rows}."
        )
    if not own:
        return f"These fields need only what decides the rows: {rows}."
    tail = (
        "No field needs less, so this is the row node." if row else "The other fields do not wait for that."
    )
    return f"These fields also need {own}. {tail}"


def _tables(atoms: frozenset[Atom], readings: Sequence[Reading], fields_read: FieldsRead | None) -> str:
    """Tables behind atoms: with the alias where a table is read at several places, and with the fields read."""
    paths = {path for path, _ in atoms}
    places: dict[str, set[tuple[str, ...]]] = {}
    for reading in readings:
        places.setdefault(reading.leaf.leaf.table.name, set()).add(reading.leaf.path)
    words: dict[str, None] = {}
    for reading in readings:
        table, path = reading.leaf.leaf.table, reading.leaf.path
        if path not in paths:
            continue
        word = table.name if len(places[table.name]) == 1 else f"{table.name} as {path[-1]}"
        names = fields_read(reading.leaf) if fields_read is not None and table.logical else ()
        words[f"{word} ({', '.join(names)})" if names else word] = None
    return _joined(list(words))


def _joined(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + " and " + words[-1]
