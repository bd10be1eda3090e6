"""The text of a query cut to some of its fields: parts nobody of them needs are left out, nothing else is changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from sqlglot import Dialect, exp
from sqlglot.generator import Generator

from fieldwise.compiler.traits import Traits, has_aggregate

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
    """Renders one tree again and again, each time without the parts that a set of fields does not need.

    The generator of some functions changes what it renders, and rendering is most of the work: expressions without
    nested queries are rendered once and stand in the tree as their text from then on. The tree is used up.
    """

    def __init__(
        self,
        tree: exp.Expr,
        parts: Sequence[Part],
        cuts: Sequence[int],
        dialect: str,
        traits: Mapping[int, Sequence[Traits]] | None = None,
    ) -> None:
        self._tree = tree
        self._dialect = dialect
        self._lists: dict[tuple[int, str], _Cuttable] = {}
        for part, bits in zip(parts, cuts, strict=True):
            place = self._lists.setdefault((id(part.owner), part.key), _Cuttable(part.owner, part.key))
            place.items.append((part.node, bits))
        self._texts: dict[tuple[bool, ...], str] = {}
        for place in self._lists.values():
            place.look(traits or {})
        if dialect in RENDERED_ONCE:
            _render_expressions(tree, dialect)
            for place in self._lists.values():
                place.items = list(
                    zip(place.owner.args[place.key], (bits for _, bits in place.items), strict=True)
                )

    def whole(self) -> str:
        """The query with all its parts."""
        return render(self._tree, self._dialect)

    def text(self, wanted: int) -> str:
        """The query for the fields whose bits are in `wanted`."""
        kept = tuple(bits & wanted != 0 for place in self._lists.values() for _, bits in place.items)
        if kept not in self._texts:
            self._texts[kept] = self._rendered(wanted)
        return self._texts[kept]

    def _rendered(self, wanted: int) -> str:
        with ExitStack() as restoring:
            for place in self._lists.values():
                kept = [number for number, (_, bits) in enumerate(place.items) if bits & wanted]
                if len(kept) < len(place.items):
                    place.cut(kept, restoring)
            return render(self._tree, self._dialect)


RENDERED_ONCE = frozenset({"duckdb"})
"""Dialects whose generator does not look into the expressions of a SELECT while rendering it."""


@dataclass(slots=True)
class _Cuttable:
    """A list of parts with their bits. `aggregates`: which projections of a block that is one row aggregate."""

    owner: exp.Expr
    key: str
    items: list[tuple[exp.Expr, int]] = field(default_factory=list)
    aggregates: tuple[bool, ...] = ()

    def look(self, traits: Mapping[int, Sequence[Traits]]) -> None:
        """Note what must be known after the expressions have become text. `traits`: by id of the SELECT, if known."""
        owner = self.owner
        if self.key != "expressions" or not isinstance(owner, exp.Select):
            return
        if owner.args.get("group") is None and owner.args.get("having") is None:
            known = traits.get(id(owner))
            found = (
                [bool(one & Traits.AGGREGATES) for one in known]
                if known
                else [has_aggregate(item) for item, _ in self.items]
            )
            self.aggregates = tuple(found) if any(found) else ()

    def cut(self, kept: Sequence[int], restoring: ExitStack) -> None:
        """Leave the other items out until the stack is closed."""
        nodes = [self.items[number][0] for number in kept]
        if isinstance(self.owner, exp.Select) and self.key == "expressions":
            nodes = nodes or [exp.alias_(exp.Literal.number(1), "_", quoted=True)]
            if self.aggregates and not any(self.aggregates[number] for number in kept):
                restoring.enter_context(_with(self.owner, "having", _always_one_row()))
        if isinstance(self.owner, exp.With) and not nodes:
            assert self.owner.parent is not None
            restoring.enter_context(_with(self.owner.parent, "with_", None))
        restoring.enter_context(_with(self.owner, self.key, nodes or None))


def _always_one_row() -> exp.Expr:
    """An aggregate block without GROUP BY stays one row when all its aggregates are cut: by a HAVING that holds."""
    count = exp.GTE(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(0))
    return exp.Having(this=count)


def _render_expressions(tree: exp.Expr, dialect: str) -> None:
    for select in list(tree.find_all(exp.Select)):
        select.args["expressions"] = [_as_text(item, dialect) for item in select.expressions]
        for clause in (select.args.get(key) for key in ("where", "having", "qualify")):
            if clause is not None:
                clause.args["this"] = _as_text(clause.this, dialect)
        for clause in (select.args.get("order"), *(join for join in select.args.get("joins") or ())):
            if isinstance(clause, exp.Order):
                clause.args["expressions"] = [_as_text(item, dialect) for item in clause.expressions]
            elif clause is not None and clause.args.get("on") is not None:
                clause.args["on"] = _as_text(clause.args["on"], dialect)


def _as_text(node: exp.Expr, dialect: str) -> exp.Expr:
    return node if node.find(exp.Query) else exp.Var(this=render(node, dialect))


@contextmanager
def _with(owner: exp.Expr, key: str, value: object) -> Iterator[None]:
    """The node with another argument for a while; what the argument holds is not told of it."""
    missing = key not in owner.args
    before = owner.args.get(key)
    owner.args[key] = value
    try:
        yield
    finally:
        if missing:
            del owner.args[key]
        else:
            owner.args[key] = before


_GENERATORS: dict[str, Generator] = {}


def render(tree: exp.Expr, dialect: str) -> str:
    """SQL text of a tree for the engine; the tree is not copied."""
    generator = _GENERATORS.get(dialect)
    if generator is None:
        generator = _GENERATORS[dialect] = Dialect.get_or_raise(dialect).generator(
            identify=True, comments=False
        )
    return str(generator.generate(tree, copy=dialect not in RENDERED_ONCE))


def placeholders_of(sql: str) -> tuple[str, ...]:
    """Names of the placeholders in rendered text, sorted; the engine refuses values for others."""
    return tuple(sorted({found for found in _PLACEHOLDER.findall(sql) if found}))
