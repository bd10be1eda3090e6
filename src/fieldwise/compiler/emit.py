"""The text of a query cut to some of its fields: parts nobody of them needs are left out, nothing else is changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from sqlglot import Dialect, exp
from sqlglot.generator import Generator

from fieldwise.compiler.resolve import has_aggregate

_PLACEHOLDER = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(\w+)")


@dataclass(frozen=True, slots=True)
class Part:
    """Something that can be left out: item `index` of a list (`expressions`, `joins`, ...) of `owner`."""

    owner: exp.Expr
    key: str
    node: exp.Expr


def parts_of(tree: exp.Expr) -> list[Part]:
    """Every part that can be left out, in an order that depends on the text only.

    Projections, joins and CTEs of every SELECT, keys of a node in alphabetical order: the tree of the rendered text
    gives the same list as the tree it was rendered from.
    """
    parts: list[Part] = []
    stack: list[exp.Expr] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, exp.Select):
            parts += [Part(node, "expressions", item) for item in node.expressions]
            parts += [Part(node, "joins", join) for join in node.args.get("joins") or ()]
        elif isinstance(node, exp.With):
            parts += [Part(node, "expressions", cte) for cte in node.expressions]
        elif isinstance(node, exp.Column | exp.Literal | exp.Identifier | exp.DataType):
            continue
        for key in sorted(node.args, reverse=True):
            value = node.args[key]
            if isinstance(value, list):
                stack += [child for child in reversed(value) if isinstance(child, exp.Expr)]
            elif isinstance(value, exp.Expr):
                stack.append(value)
    return parts


def encode(cuts: Sequence[int], width: int) -> str:
    """Bits of the parts as short text: `*` all, else field numbers and ranges."""
    every = (1 << width) - 1
    return " ".join("*" if bits == every else _ranges(bits) for bits in cuts)


def _ranges(bits: int) -> str:
    words: list[str] = []
    position = 0
    while bits:
        zeros = (bits & -bits).bit_length() - 1
        bits >>= zeros
        position += zeros
        ones = ((bits + 1) & ~bits).bit_length() - 1
        words.append(str(position) if ones == 1 else f"{position}-{position + ones - 1}")
        bits >>= ones
        position += ones
    return ",".join(words) or "-"


def decode(text: str, width: int) -> list[int]:
    """The inverse of `encode`."""
    every = (1 << width) - 1
    return [every if word == "*" else _bits_of(word) for word in text.split()]


def _bits_of(word: str) -> int:
    bits = 0
    for piece in word.split(",") if word != "-" else ():
        first, _, last = piece.partition("-")
        bits |= ((1 << (int(last or first) - int(first) + 1)) - 1) << int(first)
    return bits


class Emitter:
    """Renders one tree again and again, each time without the parts that a set of fields does not need."""

    def __init__(self, tree: exp.Expr, parts: Sequence[Part], cuts: Sequence[int], dialect: str) -> None:
        self._tree = tree
        self._dialect = dialect
        self._lists: dict[tuple[int, str], tuple[exp.Expr, str, list[tuple[exp.Expr, int]]]] = {}
        for part, bits in zip(parts, cuts, strict=True):
            place = self._lists.setdefault((id(part.owner), part.key), (part.owner, part.key, []))
            place[2].append((part.node, bits))

    def text(self, wanted: int) -> str:
        """The query for the fields whose bits are in `wanted`. The tree is as before afterwards."""
        with ExitStack() as restoring:
            for owner, key, items in self._lists.values():
                kept = [node for node, bits in items if bits & wanted]
                if len(kept) < len(items):
                    restoring.enter_context(_with(owner, key, self._cut(owner, key, kept)))
            return render(self._tree, self._dialect)

    def _cut(self, owner: exp.Expr, key: str, kept: list[exp.Expr]) -> list[exp.Expr] | None:
        if key == "expressions" and isinstance(owner, exp.Select):
            return kept or [exp.alias_(exp.Literal.number(1), "_", quoted=True)]
        return kept or None


@contextmanager
def _with(owner: exp.Expr, key: str, value: object) -> Iterator[None]:
    """The node with another argument for a while; what the argument holds is not told of it."""
    before = owner.args.get(key)
    missing = key not in owner.args
    with ExitStack() as also:
        if key == "expressions" and isinstance(owner, exp.With) and not value:
            assert owner.parent is not None
            also.enter_context(_with(owner.parent, "with_", None))
        if key == "expressions" and isinstance(owner, exp.Select) and isinstance(value, list):
            also.enter_context(_one_row_kept(owner, value))
        owner.args[key] = value
        try:
            yield
        finally:
            if missing:
                del owner.args[key]
            else:
                owner.args[key] = before


@contextmanager
def _one_row_kept(select: exp.Select, kept: Iterable[exp.Expr]) -> Iterator[None]:
    """An aggregate block without GROUP BY stays one row when all its aggregates are cut: by a HAVING that holds."""
    lone = (
        select.args.get("group") is None
        and select.args.get("having") is None
        and any(has_aggregate(item) for item in select.expressions)
        and not any(has_aggregate(item) for item in kept)
    )
    if not lone:
        yield
        return
    count = exp.GTE(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(0))
    with _with(select, "having", exp.Having(this=count)):
        yield


_GENERATORS: dict[str, Generator] = {}


def render(tree: exp.Expr, dialect: str) -> str:
    """SQL text of a tree for the engine; the tree is not copied."""
    generator = _GENERATORS.get(dialect)
    if generator is None:
        generator = _GENERATORS[dialect] = Dialect.get_or_raise(dialect).generator(
            identify=True, comments=False
        )
    return str(generator.generate(tree, copy=False))


def placeholders_of(sql: str) -> tuple[str, ...]:
    """Names of the placeholders in rendered text, sorted; the engine refuses values for others."""
    return tuple(sorted({found for found in _PLACEHOLDER.findall(sql) if found}))
