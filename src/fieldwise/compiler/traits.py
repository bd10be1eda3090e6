"""What an expression does beside reading columns: aggregates, makes rows, chooses among rows; one walk for all of it."""

from __future__ import annotations

from enum import IntFlag

from sqlglot import exp

from fieldwise.compiler.functions import CHOOSING_AGGREGATES, CHOOSING_NAMES, is_aggregate, is_generator


class Traits(IntFlag):
    """Found outside of nested queries. `AGGREGATES`: rows of its block, hence not under OVER."""

    NONE = 0
    AGGREGATES = 1
    MAKES_ROWS = 2
    CHOOSES = 4
    NESTED = 8


_WRAPPERS = (exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)
_AGGREGATES, _MAKES_ROWS, _CHOOSES, _NESTED = 1, 2, 4, 8


def traits_of(node: exp.Expr) -> Traits:
    """Everything that is true of an expression of a block."""
    found = 0
    stack = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, exp.Column | exp.Literal | exp.Identifier | exp.DataType):
            continue
        if isinstance(one, exp.Query):
            found |= _NESTED
            continue
        if isinstance(one, exp.Window):
            found |= _CHOOSES
            stack += _below_over(one)
            continue
        if isinstance(one, exp.Func):
            if is_aggregate(one):
                found |= _AGGREGATES
            if is_generator(one):
                found |= _MAKES_ROWS
            if chooses(one):
                found |= _CHOOSES
        stack += one.iter_expressions()
    return Traits(found)


def chooses(node: exp.Expr) -> bool:
    """Whether a function takes one of several rows, or all in an order (rule 3.4)."""
    if isinstance(node, CHOOSING_AGGREGATES):
        return True
    if isinstance(node, exp.Array):
        return is_array_of_rows(node)
    return isinstance(node, exp.Anonymous) and node.name.lower() in CHOOSING_NAMES


def is_array_of_rows(node: exp.Expr) -> bool:
    """ARRAY(SELECT ...): a list in the order of the rows."""
    return len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Query)


def unwrapped(node: exp.Expr) -> exp.Expr:
    """The function inside of FILTER, IGNORE NULLS and the like."""
    while isinstance(node, _WRAPPERS):
        node = node.this
    return node


def _below_over(window: exp.Window) -> list[exp.Expr]:
    """The function under OVER is no aggregate of the block; its arguments, partition and order may hold one."""
    below = list(unwrapped(window.this).iter_expressions())
    for key in ("partition_by", "order"):
        value = window.args.get(key)
        below += value if isinstance(value, list) else [value] if value is not None else []
    return below


def has_aggregate(node: exp.Expr) -> bool:
    """Whether an expression aggregates its block's rows."""
    return bool(traits_of(node) & Traits.AGGREGATES)
