"""The fields a query makes: their names as the user spelled them, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from fieldwise.compiler.problems import Problems
from fieldwise.compiler.relations import Block, Compound, Leaf, Opaque, Relation
from fieldwise.model.definition import TaskDefinition
from fieldwise.model.errors import ProblemCode

_NAMED = (exp.Alias, exp.Column, exp.Dot, exp.Star, exp.Columns, exp.PositionalColumn)


def first_select(tree: exp.Expr) -> exp.Select | None:
    """The SELECT whose list names the outputs: the leftmost one."""
    while isinstance(tree, exp.SetOperation | exp.Subquery):
        tree = tree.this
    return tree if isinstance(tree, exp.Select) else None


def check_named(tree: exp.Query, places: Sequence[tuple[int, int]], problems: Problems) -> None:
    """Say every column that has no name: the engine would make one up. Asked before stars are expanded."""
    select = first_select(tree)
    for index, item in enumerate(select.expressions if select is not None else ()):
        if not isinstance(item, _NAMED):
            place = places[index] if index < len(places) else (1, 1)
            problems.add(ProblemCode.UNNAMED_COLUMN, place, "this column has no name", "add `AS name`")


def written(identifier: exp.Expr | None, text: str) -> str:
    """The identifier as it stands in the file, "" if it was made by sqlglot."""
    if identifier is None or not identifier.meta.get("line"):
        return ""
    found = text[identifier.meta["start"] : identifier.meta["end"] + 1]
    if len(found) > 1 and found[0] == found[-1] and found[0] in '"`':
        found = found[1:-1].replace(found[0] * 2, found[0])
    return found


def spelled_outputs(relation: Relation, text: str) -> list[str]:
    """Output names as spelled by the user; those of stars as spelled where they come from."""
    return [_spelled(relation, index, text) for index in range(len(relation.names or ()))]


def _spelled(relation: Relation, index: int, text: str) -> str:
    if isinstance(relation, Compound):
        return _spelled(relation.left, index, text)
    folded = (relation.names or ())[index]
    if not isinstance(relation, Block):
        return relation.table.columns[folded][0] if isinstance(relation, Leaf) else folded
    item = relation.projections[index]
    name = written(item.args.get("alias"), text) if isinstance(item, exp.Alias) else ""
    column = item.unalias()
    if not name and isinstance(column, exp.Column | exp.Dot):
        last = column.expression if isinstance(column, exp.Dot) else column.this
        name = written(last, text)
    if not name and isinstance(column, exp.Column):
        occurrence = relation.by_name.get(column.table.lower())
        inner = occurrence.relation if occurrence is not None else None
        if (
            inner is not None
            and inner.names
            and column.name.lower() in inner.names
            and not isinstance(inner, Opaque)
        ):
            name = _spelled(inner, inner.names.index(column.name.lower()), text)
    return name if name.lower() == folded.lower() else folded


def check_outputs(
    definition: TaskDefinition,
    relation: Relation,
    names: Sequence[str],
    places: Sequence[tuple[int, int]],
    problems: Problems,
) -> None:
    """Say duplicate, reserved and missing fields, of the SELECT and of the header."""
    where = _places(relation, len(names), places)
    seen: set[str] = set()
    for name, place in zip(names, where, strict=True):
        if name.lower() in seen:
            problems.add(
                ProblemCode.DUPLICATE_FIELD,
                place,
                f"two columns are called {name}",
                "give one of them another name with AS",
            )
        seen.add(name.lower())
        if name.lower() == "ds":
            problems.add(
                ProblemCode.RESERVED_FIELD, place, "a field may not be called ds: that is the partition every table has",
                "leave it out with * EXCLUDE (ds), or rename it with AS",
            )  # fmt: skip
    for index, name in enumerate(definition.key):
        if name.lower() not in seen:
            problems.add(
                ProblemCode.KEY_NOT_SELECTED, definition.position(f"key.{index}"), f"the key field {name} is not selected",
                "select it, or correct `key:` in the header",
            )  # fmt: skip
    _check_header(definition, seen, problems)


def _check_header(definition: TaskDefinition, seen: set[str], problems: Problems) -> None:
    for note in definition.fields:
        if note.name.lower() not in seen:
            problems.add(
                ProblemCode.UNKNOWN_COLUMN,
                definition.position(f"fields.{note.name}"),
                f"there is no field {note.name}",
                "correct `fields:` in the header",
            )
    keys = {name.lower() for name in definition.key}
    grouped: set[str] = set()
    for number, group in enumerate(definition.nodes):
        for index, name in enumerate(group):
            place = definition.position(f"nodes.{number}.{index}")
            if name.lower() not in seen:
                problems.add(
                    ProblemCode.UNKNOWN_COLUMN,
                    place,
                    f"there is no field {name}",
                    "correct `nodes:` in the header",
                )
            elif name.lower() in keys:
                problems.add(
                    ProblemCode.DUPLICATE_FIELD,
                    place,
                    f"{name} is a key field, which is in every node",
                    "leave it out of `nodes:`",
                )
            elif name.lower() in grouped:
                problems.add(
                    ProblemCode.DUPLICATE_FIELD,
                    place,
                    f"{name} stands twice in `nodes:`",
                    "each field belongs to one node",
                )
            grouped.add(name.lower())


def _places(relation: Relation, count: int, places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Where each output is written; a star's columns stand at the star."""
    while isinstance(relation, Compound):
        relation = relation.left
    if not isinstance(relation, Block) or not places:
        return [(1, 1)] * count
    if len(places) == count:
        return list(places)
    found: list[tuple[int, int]] = []
    stars = places[0]
    for item in relation.projections:
        marks = [one.meta for one in item.find_all(exp.Identifier) if one.meta.get("line")]
        starts = sorted(
            (int(mark["line"]), int(mark["col"]) - int(mark["end"]) + int(mark["start"])) for mark in marks
        )
        found.append(starts[0] if starts else stars)
    return found
