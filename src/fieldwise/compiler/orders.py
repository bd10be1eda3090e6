"""Which constructs choose or order rows without a total order: fields that need one belong together (rule 3.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from fieldwise.compiler.functions import (
    CHOOSING_WINDOWS,
    RANKED_AGGREGATES,
    is_aggregate,
)
from fieldwise.compiler.keys import Keys
from fieldwise.compiler.relations import Block
from fieldwise.compiler.traits import Traits, chooses, traits_of, unwrapped


@dataclass(frozen=True, slots=True)
class Construct:
    """One choice among rows. `part`: the projection it stands in, None if it decides the block's rows."""

    block: Block
    node: exp.Expr
    part: exp.Expr | None
    word: str


def undecided(blocks: Iterable[Block], keys: Keys) -> Iterator[Construct]:
    """Constructs whose order does not contain a unique key of their input."""
    for block in blocks:
        if not _may_choose(block):
            continue
        totals = _totals(block, keys)
        yield from _row_choices(block, totals)
        for projection in block.projections:
            for node, word in _expression_choices(projection, block, totals):
                yield Construct(block, node, projection, word)
        for clause in (*block.clauses, *(on for one in block.occurrences for on in one.on)):
            for node, word in _expression_choices(clause, block, totals):
                yield Construct(block, node, None, word)


def _may_choose(block: Block) -> bool:
    if block.limited or block.distinct_on or block.select.args.get("sample") or block.qualify is not None:
        return True
    if any(occurrence.node.args.get("sample") for occurrence in block.occurrences):
        return True
    if any(one & Traits.CHOOSES for one in block.traits):
        return True
    return any(traits_of(clause) & Traits.CHOOSES for clause in block.clauses)


def _own_nodes(root: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes of an expression outside nested queries."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, exp.Query) and node is not root:
            continue
        yield node
        if not isinstance(node, exp.Column | exp.Literal | exp.DataType):
            stack += list(node.iter_expressions())


@dataclass(frozen=True, slots=True)
class _Totals:
    """Sets of expressions (as text) each of which orders the rows of a block totally."""

    rows: tuple[frozenset[str], ...]
    groups: tuple[frozenset[str], ...] | None
    """The groups' own, when the block is grouped: what windows, LIMIT and DISTINCT ON see."""

    @property
    def after(self) -> tuple[frozenset[str], ...]:
        return self.rows if self.groups is None else self.groups


def _totals(block: Block, keys: Keys) -> _Totals:
    rows = tuple(
        frozenset(f"{table}.{column}" for table, column in pairs) for pairs, _ in keys.input_keys(block)
    )
    group = block.group
    if block.aggregates:
        return _Totals(rows, (frozenset(),))
    if group is None:
        return _Totals(rows, None)
    if any(value for name, value in group.args.items() if name != "expressions"):
        return _Totals(rows, ())
    fixed = {f"{table}.{column}" for table, column in keys.fixed(block)}
    return _Totals(rows, (frozenset(_text(item) for item in group.expressions) - fixed,))


def _row_choices(block: Block, totals: _Totals) -> Iterator[Construct]:
    order = _ordered(block.select.args.get("order"), block)
    if block.limited and not _covers(order, totals.after) and not _at_most_one_anyway(block):
        yield Construct(block, block.select, None, "LIMIT")
    on = block.distinct_on
    if on and not _covers({*order, *(_text(item, block) for item in on)}, totals.after):
        yield Construct(block, block.select, None, "DISTINCT ON")
    sampled = [one for one in block.occurrences if one.node.args.get("sample")]
    if block.select.args.get("sample") or sampled:
        yield Construct(block, block.select, None, "SAMPLE")


def _at_most_one_anyway(block: Block) -> bool:
    return block.aggregates and block.select.args.get("offset") is None


def _expression_choices(root: exp.Expr, block: Block, totals: _Totals) -> Iterator[tuple[exp.Expr, str]]:
    windows: set[int] = set()
    for node in _own_nodes(root):
        if isinstance(node, exp.Window) and not isinstance(node.this, exp.Identifier):
            inner = unwrapped(node.this)
            windows.add(id(inner))
            if _window_chooses(node, inner) and not _covers(_window_order(node, block), totals.after):
                yield node, _word(inner)
        elif (
            chooses(node)
            and not isinstance(node, exp.Window)
            and id(node) not in windows
            and not _aggregate_is_total(node, block, totals)
        ):
            yield node, _word(node)


def _window_chooses(window: exp.Expr, inner: exp.Expr) -> bool:
    if isinstance(inner, CHOOSING_WINDOWS) or chooses(inner):
        return True
    spec = window.args.get("spec")
    return (
        is_aggregate(inner)
        and spec is not None
        and str(spec.args.get("kind")).upper() in ("ROWS",)
        and not _whole_frame(spec)
    )


def _whole_frame(spec: exp.Expr) -> bool:
    words = [str(spec.args.get(key) or "").upper() for key in ("start", "start_side", "end", "end_side")]
    return words == ["UNBOUNDED", "PRECEDING", "UNBOUNDED", "FOLLOWING"]


def _window_order(window: exp.Expr, block: Block) -> set[str]:
    if window.args.get("alias"):
        named = [one for one in block.select.args.get("windows") or () if one.name == window.alias]
        if not named:
            return set()
        return _window_order(named[0], block) | _ordered(window.args.get("order"), block)
    partition = {_text(item, block) for item in window.args.get("partition_by") or ()}
    return partition | _ordered(window.args.get("order"), block)


def _aggregate_is_total(node: exp.Expr, block: Block, totals: _Totals) -> bool:
    """Whether the order written in the aggregate, with the group, contains a unique key of the rows."""
    if isinstance(node, exp.Array):
        return _array_is_total(node.expressions[0])
    argument = node.this
    order: set[str] = set()
    if isinstance(argument, exp.Order):
        order = _ordered(argument, block)
        if (
            _text(
                argument.this.unnest()
                if not isinstance(argument.this, exp.Distinct)
                else argument.this.expressions[0],
                block,
            )
            in order
        ):
            return True  # equal places hold equal values
    if isinstance(node, RANKED_AGGREGATES) and isinstance(node.expression, exp.Expr):
        order = {_text(node.expression, block)}
    group = block.group
    if group is not None:
        order |= {_text(item, block) for item in group.expressions}
    return _covers(order, totals.rows)


def _array_is_total(query: exp.Expr) -> bool:
    """ARRAY(SELECT value ... ORDER BY value): equal places hold equal values."""
    order = query.args.get("order")
    value = query.expressions[0].unalias() if isinstance(query, exp.Select) else None
    return (
        order is not None
        and value is not None
        and _text(value) in {_text(item.this) for item in order.expressions}
    )


def _ordered(order: exp.Expr | None, block: Block) -> set[str]:
    if not isinstance(order, exp.Order):
        return set()
    return {_text(item.this, block) for item in order.expressions}


def _covers(order: set[str], totals: Sequence[frozenset[str]]) -> bool:
    return any(total <= order for total in totals)


def _text(node: exp.Expr, block: Block | None = None) -> str:
    node = node.unnest()
    if isinstance(node, exp.Column):
        if node.table:
            return f"{node.table.lower()}.{node.name.lower()}"
        index = block.position.get(node.name.lower()) if block is not None else None
        if block is not None and index is not None:
            return _text(block.projections[index].unalias())
    return str(node.sql("duckdb"))


def _word(node: exp.Expr) -> str:
    return str(
        node.name
        if isinstance(node, exp.Anonymous)
        else node.sql_name()
        if isinstance(node, exp.Func)
        else node.key
    ).lower()
