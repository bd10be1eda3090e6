"""What a block's predicates say about columns, as bounds in terms of the slot's parameters (rules W1-W6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from fieldwise.compiler.keys import is_latest_day
from fieldwise.compiler.relations import Block, Leaf, Occurrence, conjuncts

DAY_SECONDS = 86400
_UNIT_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": DAY_SECONDS, "WEEK": 7 * DAY_SECONDS}
_LONGEST_UNIT_DAYS = {"WEEK": 6, "MONTH": 30, "QUARTER": 91, "YEAR": 365}
"""date_trunc goes back at most so many days."""
_LONG_UNIT_DAYS = {"MONTH": 31, "QUARTER": 92, "YEAR": 366}
_FLIPPED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPERATORS: tuple[tuple[type[exp.Expr], str], ...] = (
    (exp.EQ, "="), (exp.LTE, "<="), (exp.LT, "<"), (exp.GTE, ">="), (exp.GT, ">"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bound:
    """A parameter moved by some seconds (negative: earlier). `loose`: at the earliest there, perhaps later."""

    parameter: str
    seconds: int = 0
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """`operator`: = < <= > >= in latest. `latest`: the greatest value fulfilling `limits`, which is what bounds it."""

    operator: str
    bounds: tuple[Bound, ...] = ()
    limits: tuple[Fact, ...] = ()


Facts = dict[tuple[str, str], list[Fact]]
"""(occurrence, column) -> what is known of the values that can be read."""
OuterFacts = Callable[[str, str], list[Fact]]


def bound_of(node: exp.Expr) -> Bound | None:
    """A parameter, cast, truncated or moved by whole units; None for everything else (rule W6)."""
    node = node.unnest()
    if isinstance(node, exp.Placeholder):
        return Bound(node.name)
    if isinstance(node, exp.Cast):
        return bound_of(node.this) if node.args["to"].this in (exp.DType.DATE, exp.DType.TIMESTAMP) else None
    if isinstance(node, exp.Add | exp.Sub | exp.DateAdd | exp.DateSub):
        return _moved(node, -1 if isinstance(node, exp.Sub | exp.DateSub) else 1)
    if isinstance(node, exp.DateTrunc | exp.TimestampTrunc):
        return _truncated(node)
    return None


def _moved(node: exp.Expr, sign: int) -> Bound | None:
    base, step = bound_of(node.this), node.expression
    if base is None and sign == 1:
        base, step = bound_of(node.expression), node.this
    if base is None:
        return None
    seconds, loose = _length(step)
    if seconds is None or (loose and sign == 1):
        return None
    return Bound(base.parameter, base.seconds + sign * seconds, base.loose or loose)


def _length(step: exp.Expr) -> tuple[int | None, bool]:
    """Seconds of an interval or number of days; months are taken at their longest and are loose."""
    step = step.unnest()
    if isinstance(step, exp.Interval):
        unit = str(step.args.get("unit") or "").upper().rstrip("S")
        count = _whole(step.this)
        if count is None:
            return None, False
        if unit in _LONG_UNIT_DAYS:
            return count * _LONG_UNIT_DAYS[unit] * DAY_SECONDS, True
        return (count * _UNIT_SECONDS[unit], False) if unit in _UNIT_SECONDS else (None, False)
    if isinstance(step, exp.ToDays):
        step = step.this
    count = _whole(step)
    return (None, False) if count is None else (count * DAY_SECONDS, False)


def _whole(node: exp.Expr | None) -> int | None:
    text = str(node.this) if isinstance(node, exp.Literal) else ""
    return int(text) if text.isdigit() else None


def _truncated(node: exp.Expr) -> Bound | None:
    base = bound_of(node.this)
    unit = str(node.args.get("unit") and node.args["unit"].name).upper()
    if base is None:
        return None
    if unit == "DAY":
        return base if base.parameter == "data_date" else None
    days = _LONGEST_UNIT_DAYS.get(unit)
    return Bound(base.parameter, base.seconds - days * DAY_SECONDS, True) if days else None


def block_facts(block: Block, incoming: Mapping[str, list[Fact]], outer: OuterFacts) -> Facts:
    """What WHERE, ON and the reader's predicates say of the columns of each occurrence.

    `incoming`: what the reader says of output columns. `outer`: what is known of columns of enclosing blocks.
    """
    facts: Facts = {}
    pairs: list[tuple[tuple[str, str], tuple[str, str]]] = []
    for condition in block.where:
        _read(condition, block, None, facts, pairs, outer)
    for occurrence in block.occurrences:
        for condition in occurrence.on:
            _read(condition, block, _restricted_by_on(occurrence, block), facts, pairs, outer)
    _push_in(block, incoming, facts)
    _carry_over(pairs, facts)
    return facts


def _restricted_by_on(occurrence: Occurrence, block: Block) -> frozenset[str]:
    """W2: an inner ON speaks of all, a LEFT ON of its right side, RIGHT, FULL and ANTI of nothing."""
    if (
        occurrence.side == "LEFT"
        or "SEMI" in (occurrence.kind, occurrence.side)
        or occurrence.method == "ASOF"
    ):
        return frozenset({occurrence.name})
    if occurrence.side == "" and occurrence.kind in ("", "INNER", "CROSS") and occurrence.method == "":
        return frozenset(block.by_name)
    return frozenset()


def _push_in(block: Block, incoming: Mapping[str, list[Fact]], facts: Facts) -> None:
    """W4: through plain columns, not through LIMIT, QUALIFY, DISTINCT ON or a window."""
    if not incoming or block.limited or block.qualify is not None or block.distinct_on:
        return
    if any(item.find(exp.Window) for item in block.projections):
        return
    for name, said in incoming.items():
        index = block.position.get(name)
        column = block.projections[index].unalias() if index is not None else None
        if isinstance(column, exp.Column) and column.table.lower() in block.by_name:
            facts.setdefault((column.table.lower(), column.name.lower()), []).extend(said)


def _carry_over(pairs: list[tuple[tuple[str, str], tuple[str, str]]], facts: Facts) -> None:
    """W3: `T.ds = U.ds` with U's fixed fixes T."""
    for _ in range(len(pairs)):
        grown = False
        for target, origin in pairs:
            if target not in facts and origin in facts:
                facts[target] = list(facts[origin])
                grown = True
        if not grown:
            break


def _read(
    condition: exp.Expr,
    block: Block,
    allowed: frozenset[str] | None,
    facts: Facts,
    pairs: list[tuple[tuple[str, str], tuple[str, str]]],
    outer: OuterFacts,
) -> None:
    """Add what one conjunct says; `allowed`: the occurrences it may speak of, None for all."""
    for column, fact, other in _comparisons(condition, block):
        name = column.table.lower()
        if name not in block.by_name or (allowed is not None and name not in allowed):
            continue
        place = (name, column.name.lower())
        if fact is not None:
            facts.setdefault(place, []).append(fact)
        elif isinstance(other, exp.Column) and other.table.lower() in block.by_name:
            pairs.append((place, (other.table.lower(), other.name.lower())))
        elif isinstance(other, exp.Column):
            said = outer(other.table.lower(), other.name.lower())
            if said:
                facts.setdefault(place, []).extend(said)


def _comparisons(
    condition: exp.Expr, block: Block
) -> Iterable[tuple[exp.Column, Fact | None, exp.Expr | None]]:
    """(column, fact) of a comparison with a parameter; (column, None, other column) of an equality of two."""
    if isinstance(condition, exp.Between):
        column = condition.this.unnest()
        low, high = bound_of(condition.args["low"]), bound_of(condition.args["high"])
        if isinstance(column, exp.Column):
            if low:
                yield column, Fact(">=", (low,)), None
            if high:
                yield column, Fact("<=", (high,)), None
        return
    if isinstance(condition, exp.In | exp.Or):
        yield from _alternatives(condition)
        return
    for kind, operator in _OPERATORS:
        if type(condition) is kind:
            yield from _sides(condition, operator, block)


def _sides(
    condition: exp.Expr, operator: str, block: Block
) -> Iterable[tuple[exp.Column, Fact | None, exp.Expr | None]]:
    left, right = _column(condition.this), _column(condition.expression)
    for column, other, word in (
        (left, condition.expression, operator),
        (right, condition.this, _FLIPPED[operator]),
    ):
        if column is None:
            continue
        bound = bound_of(other)
        if bound is not None:
            yield column, Fact(word, (bound,)), None
        elif word == "=" and isinstance(other.unnest(), exp.Column):
            yield column, None, other.unnest()
        elif word == "=":
            fact = _latest(column, other, block)
            if fact is not None:
                yield column, fact, None


def _column(node: exp.Expr) -> exp.Column | None:
    """The column compared; a CAST of it to a date says the same of whole days."""
    node = node.unnest()
    return node if isinstance(node, exp.Column) else None


def _latest(column: exp.Column, other: exp.Expr, block: Block) -> Fact | None:
    """The greatest day of the same table up to a parameter."""
    occurrence = block.by_name.get(column.table.lower())
    if (
        occurrence is None
        or not isinstance(occurrence.relation, Leaf)
        or not is_latest_day(column, other, occurrence)
    ):
        return None
    query = other.this if isinstance(other, exp.Subquery) else other
    where = query.args.get("where")
    limits: list[Fact] = []
    for condition in conjuncts(where.this if where is not None else None):
        for found, fact, _ in _comparisons(condition, block):
            if fact is not None and found.name.lower() == occurrence.relation.table.partition:
                limits.append(fact)
    return Fact("latest", (), tuple(limits))


def _alternatives(condition: exp.Expr) -> Iterable[tuple[exp.Column, Fact | None, exp.Expr | None]]:
    """IN lists and ORs of equalities over one column."""
    if isinstance(condition, exp.In):
        column = condition.this.unnest()
        bounds = [bound_of(item) for item in condition.expressions]
        if isinstance(column, exp.Column) and bounds and all(bounds):
            yield column, Fact("in", tuple(bound for bound in bounds if bound)), None
        return
    columns: list[exp.Column] = []
    found: list[Bound] = []
    for part in condition.flatten():
        column = part.this.unnest() if isinstance(part, exp.EQ) else None
        bound = bound_of(part.expression) if isinstance(part, exp.EQ) else None
        if not isinstance(column, exp.Column) or bound is None:
            return
        columns.append(column)
        found.append(bound)
    if len({(column.table, column.name) for column in columns}) == 1:
        yield columns[0], Fact("in", tuple(found)), None
