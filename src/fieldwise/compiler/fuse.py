"""The one statement that computes several nodes of a table: the same cut with the union of their fields (spec 2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlglot import exp, parse_one

from fieldwise.compiler.dialects import dialect_of
from fieldwise.compiler.emit import Emitter, decode, parts_of, placeholders_of
from fieldwise.compiler.rules import wanted_bits
from fieldwise.model.plan import CompiledTask, Node


class Statement(NamedTuple):
    """Engine text and exactly the placeholders it uses."""

    sql: str
    parameters: tuple[str, ...]


def fuse(task: CompiledTask, nodes: Iterable[str | Node], engine: str = "duckdb") -> Statement:
    """The statement for the key and all fields of the nodes (or their ids), in field order; all: the user's SELECT.

    Works from the stored task alone: `cuts` says who needs which part of `sql`. Takes a parse and a rendering; the
    caller keeps the answer.
    """
    wanted = {node if isinstance(node, str) else node.id for node in nodes}
    chosen = [node for node in task.nodes if node.id in wanted]
    if len(chosen) == 1 and chosen[0].sql:
        return Statement(chosen[0].sql, chosen[0].parameters)
    return cut(task, {field for node in chosen for field in node.fields}, engine)


def cut(task: CompiledTask, fields: Iterable[str], engine: str = "duckdb") -> Statement:
    """SQL and its placeholders for the key and some fields, for example what is left of a re-planned node."""
    if not task.cuts:
        return _cut_outside(task, set(fields))
    dialect = dialect_of(engine)
    wanted = {*fields, *task.key}
    folded = {name.lower() for name in wanted}
    names = [field.name for field in task.fields]
    positions = [index for index, name in enumerate(names) if name.lower() in folded]
    tree: exp.Expr = parse_one(task.sql, dialect=dialect)
    parts = parts_of(tree)
    text = Emitter(tree, parts, decode(task.cuts, len(names) + 1), dialect).text(
        wanted_bits(names, (), positions)
    )
    return Statement(text, placeholders_of(text))


def _cut_outside(task: CompiledTask, fields: set[str]) -> Statement:
    """Metrics nodes are statements of their own: the columns are chosen around the one that has them."""
    node = next(node for node in task.nodes if fields <= set(node.fields))
    names = ", ".join(f'"{name}"' for name in (*task.key, *(name for name in node.fields if name in fields)))
    return Statement(f'SELECT {names} FROM ({node.sql}) AS "_"', node.parameters)
