"""Which fields need which part of a query: one pass over its blocks for all fields at once, fields as bits.

A demand is one integer of three segments of `width` bits each: fields whose *value* is made from the part, fields
whose *rows* it shapes, and fields that only *carry* it because every node has the key. Bit 0 of a segment stands for
the rows themselves, bit i + 1 for output i. Blocks go from outer to inner, joins last to first; a CTE is entered anew
by every reader, so that an occurrence is named by the path of aliases from the top.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from sqlglot import exp

from fieldwise.compiler.days import Fact, Facts, block_facts
from fieldwise.compiler.keys import Keys
from fieldwise.compiler.problems import Problems
from fieldwise.compiler.relations import (
    SHARED_PATHS,
    Block,
    CommonTable,
    Compound,
    Leaf,
    Occurrence,
    Opaque,
    Relation,
    RelationBuilder,
)
from fieldwise.compiler.removal import removable
from fieldwise.model.errors import ProblemCode


@dataclass(frozen=True, slots=True)
class Bits:
    """Arithmetic of demands of `width` bits a segment."""

    width: int

    @property
    def all(self) -> int:
        return (1 << self.width) - 1

    def value(self, bit: int) -> int:
        return 1 << bit

    def carried_by_all(self) -> int:
        return self.all << (2 * self.width)

    def rows_of_all(self) -> int:
        return self.all << self.width

    def rows(self, demand: int) -> int:
        """The same fields, their rows being shaped instead of their values made."""
        mask = self.all
        return (((demand | demand >> self.width) & mask) << self.width) | (demand & (mask << 2 * self.width))

    def any(self, demand: int) -> int:
        """The fields that need it at all."""
        return (demand | demand >> self.width | demand >> 2 * self.width) & self.all

    def values(self, demand: int) -> int:
        return demand & self.all

    def shaping(self, demand: int) -> int:
        return (demand >> self.width) & self.all


@dataclass(slots=True)
class Use:
    """An occurrence in one visit of its block: who needs its rows and its columns."""

    occurrence: Occurrence
    rows: int = 0
    columns: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Frame:
    """One visit of a block: its occurrences' uses, what is known of their columns, and the enclosing visit."""

    block: Block
    uses: dict[str, Use]
    facts: Facts
    outer: Frame | None
    outputs: list[int]

    def known(self, name: str, column: str) -> list[Fact]:
        """What predicates say of a column of this or an enclosing block."""
        frame: Frame | None = self
        while frame is not None:
            if name in frame.uses:
                return frame.facts.get((name, column), [])
            frame = frame.outer
        return []


@dataclass(frozen=True, slots=True)
class LeafUse:
    """A table read at one place: who needs its rows and which of its columns, and what bounds its partition."""

    path: tuple[str, ...]
    leaf: Leaf
    rows: int
    columns: Mapping[str, int]
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class References:
    """What an expression names: columns with a table, names without one, nested queries, whole rows."""

    columns: tuple[exp.Column, ...] = ()
    bare: tuple[exp.Column, ...] = ()
    queries: tuple[exp.Expr, ...] = ()
    rows: tuple[exp.TableColumn, ...] = ()


@dataclass(slots=True)
class Demand:
    """The result: bits of every part that can be cut (by id of its node), leaves, and blocks with who needs them."""

    bits: Bits
    parts: dict[int, int] = field(default_factory=dict)
    values: dict[int, int] = field(default_factory=dict)
    """Of projections: the outputs whose values are made from it."""
    leaves: list[LeafUse] = field(default_factory=list)
    blocks: dict[int, tuple[Block, int]] = field(default_factory=dict)


class DemandPass:
    """Walks the blocks of one query and collects who needs what."""

    def __init__(self, builder: RelationBuilder, keys: Keys, width: int, problems: Problems) -> None:
        self.result = Demand(Bits(width))
        self._builder = builder
        self._keys = keys
        self._bits = self.result.bits
        self._problems = problems
        self._references: dict[int, References] = {}
        self._shared: dict[int, tuple[CommonTable, Use, list[tuple[str, ...]]]] = {}
        self._removable: dict[int, bool] = {}

    def run(self, top: Relation, outputs: Sequence[int], rows: int) -> Demand:
        """`outputs`: demand on each output; `rows`: demand on the rows of the query."""
        self.visit(top, list(outputs), rows, (), None, {})
        self._unused_common_tables()
        self.result.leaves.reverse()  # joins were visited last to first
        return self.result

    # Relations

    def visit(
        self,
        relation: Relation,
        outputs: list[int],
        rows: int,
        path: tuple[str, ...],
        outer: Frame | None,
        incoming: Mapping[str, list[Fact]],
    ) -> None:
        """Pass a demand on the outputs and rows of a relation down to what it is made of."""
        if isinstance(relation, Block):
            self._visit_block(relation, outputs, rows, path, outer, incoming)
        elif isinstance(relation, Compound):
            self._visit_compound(relation, outputs, rows, path, outer, incoming)
        elif isinstance(relation, Opaque):
            for inner in relation.inner:
                demand = self._all(rows, outputs)
                self.visit(inner, [demand] * len(inner.names or ()), demand, path, outer, {})
            if not relation.inner and outer is not None and not isinstance(relation.node, exp.Query):
                self.need(relation.node, self._all(rows, outputs), outer, path)
        elif isinstance(relation, Leaf):
            # A leaf inside of a pivot or below a column alias list: all its columns.
            demand = self._all(rows, outputs)
            self._leaf(relation, path, demand, dict.fromkeys(relation.table.columns, demand), ())

    def _all(self, rows: int, outputs: list[int]) -> int:
        for demand in outputs:
            rows |= demand
        return rows

    def _visit_compound(
        self, relation: Compound, outputs: list[int], rows: int, path: tuple[str, ...], outer: Frame | None,
        incoming: Mapping[str, list[Fact]],
    ) -> None:  # fmt: skip
        if not relation.splits:
            outputs = [demand | rows for demand in outputs] or [rows] * len(relation.names or ())
        names = relation.left.names or ()
        for number, side in enumerate((relation.left, relation.right), 1):
            renamed = dict(zip(names, side.names or (), strict=False))
            passed = {renamed[name]: said for name, said in incoming.items() if name in renamed}
            if any(relation.node.args.get(key) for key in ("limit", "offset")):
                passed = {}
            width = len(side.names or ())
            demands = outputs if len(outputs) == width else [self._all(rows, outputs)] * width
            self.visit(side, list(demands), rows, (*path, str(number)), outer, passed)

    def _visit_block(
        self, block: Block, outputs: list[int], rows: int, path: tuple[str, ...], outer: Frame | None,
        incoming: Mapping[str, list[Fact]],
    ) -> None:  # fmt: skip
        uses = {one.name: Use(one) for one in block.occurrences}
        frame = Frame(block, uses, {}, outer, outputs)
        frame.facts = block_facts(block, incoming, outer.known if outer is not None else _nothing)
        _, before = self.result.blocks.get(id(block), (block, 0))
        self.result.blocks[id(block)] = (block, before | rows)
        if block.distinct or block.ordered_by_all:
            frame.outputs = [demand | rows for demand in outputs]
        for clause in block.clauses:
            self.need(clause, rows, frame, path)
        self._projections(frame, rows, path)
        for occurrence in reversed(block.occurrences):
            self._occurrence(occurrence, frame, rows, path)

    def _projections(self, frame: Frame, rows: int, path: tuple[str, ...]) -> None:
        parts, any_of = self.result.parts, self._bits.any
        for index, item in enumerate(frame.block.projections):
            demand = frame.outputs[index] if index < len(frame.outputs) else rows
            if frame.block.makers[index]:
                demand |= rows
            parts[id(item)] = parts.get(id(item), 0) | any_of(demand)
            self.result.values[id(item)] = self.result.values.get(id(item), 0) | self._bits.values(demand)
            self.need(item, demand, frame, path)
            if item.is_star:
                self._problems.at(
                    ProblemCode.UNSUPPORTED, item, "the * of a struct cannot be planned", "name its fields"
                )

    def _occurrence(self, occurrence: Occurrence, frame: Frame, rows: int, path: tuple[str, ...]) -> None:
        use = frame.uses[occurrence.name]
        use.rows |= self._occurrence_rows(occurrence, use, frame, rows)
        if occurrence.join is not None:
            parts = self.result.parts
            parts[id(occurrence.join)] = parts.get(id(occurrence.join), 0) | self._bits.any(use.rows)
            on = occurrence.join.args.get("on")
            if on is not None:
                self.need(on, use.rows, frame, path)
        self._descend(use, frame, (*path, occurrence.name))

    def _occurrence_rows(self, occurrence: Occurrence, use: Use, frame: Frame, rows: int) -> int:
        key = id(occurrence)
        if key not in self._removable:
            self._removable[key] = removable(self._keys, occurrence, frame.block)
        if not self._removable[key]:
            return rows
        demand = 0
        for column in use.columns.values():
            demand |= column
        return self._bits.rows(demand)

    def _descend(self, use: Use, frame: Frame, path: tuple[str, ...]) -> None:
        occurrence, relation = use.occurrence, use.occurrence.relation
        if isinstance(relation, Leaf):
            facts = frame.facts.get((occurrence.name, relation.table.partition), ())
            self._leaf(relation, path, use.rows, use.columns, tuple(facts))
            return
        if occurrence.common is not None:
            parts, cte = self.result.parts, occurrence.common.node
            parts[id(cte)] = parts.get(id(cte), 0) | self._bits.any(use.rows)
            if occurrence.common.relation is None:
                return
            if occurrence.common.paths > SHARED_PATHS:
                self._share(occurrence.common, use)
                return
        incoming = {
            column: said for (name, column), said in frame.facts.items() if name == occurrence.name
        }  # fmt: skip
        names = relation.names
        outputs = _by_position(names, use.columns)
        inside = frame if occurrence.common is None else None
        self.visit(relation, outputs, use.rows, path, inside, incoming)

    def _leaf(
        self,
        leaf: Leaf,
        path: tuple[str, ...],
        rows: int,
        columns: Mapping[str, int],
        facts: tuple[Fact, ...],
    ) -> None:
        if self._bits.any(rows):
            self.result.leaves.append(LeafUse(path, leaf, rows, columns, facts))

    # CTEs that are read very often

    def _share(self, common: CommonTable, use: Use) -> None:
        _, total, _ = self._shared.setdefault(id(common), (common, Use(use.occurrence), []))
        total.rows |= use.rows
        for name, demand in use.columns.items():
            total.columns[name] = total.columns.get(name, 0) | demand

    def _unused_common_tables(self) -> None:
        """Visit shared CTEs after all readers, later ones first; then those nobody reads, for their mistakes only."""
        while self._shared:
            key = max(self._shared, key=lambda one: self._shared[one][0].paths)
            common, use, _ = self._shared.pop(key)
            if common.relation is None:
                continue
            outputs = [use.columns.get(name, 0) for name in common.relation.names or ()]
            self.visit(common.relation, outputs, use.rows, (f"with {common.node.alias}",), None, {})
        for common in self._builder.common:
            if id(common.node) not in self.result.parts and common.relation is not None:
                self.visit(common.relation, [0] * len(common.relation.names or ()), 0, (), None, {})

    # Expressions

    def need(self, node: exp.Expr, demand: int, frame: Frame, path: tuple[str, ...]) -> None:
        """Pass a demand on an expression to the columns and nested queries it names."""
        references = self._references.get(id(node))
        if references is None:
            references = self._references[id(node)] = references_of(node)
        for column in references.columns:
            self._need_column(column, column.table.lower(), column.name.lower(), demand, frame)
        for column in references.bare:
            self._need_bare(column, demand, frame)
        for row in references.rows:
            self._need_row(row, demand, frame)
        for number, query in enumerate(references.queries, 1):
            self._need_query(query, demand, frame, (*path, f"({number})"))

    def _need_query(self, query: exp.Expr, demand: int, frame: Frame, path: tuple[str, ...]) -> None:
        relation = self._builder.build(query, frame.block.common)
        names = relation.names or ()
        self.visit(relation, [demand] * len(names), self._bits.rows(demand), path, frame, {})

    def _need_column(self, node: exp.Expr, table: str, name: str, demand: int, frame: Frame) -> None:
        found: Frame | None = frame
        while found is not None:
            use = found.uses.get(table)
            if use is not None:
                if not _has_column(use.occurrence.relation, name):
                    self._unknown(node, name, use.occurrence)
                use.columns[name] = use.columns.get(name, 0) | demand
                return
            found = found.outer
        self._problems.at(
            ProblemCode.UNKNOWN_COLUMN, node, f"there is no table {table} in this FROM", _aliases_hint(frame)
        )

    def _need_bare(self, node: exp.Column, demand: int, frame: Frame) -> None:
        """A name without table: an output of this block (ORDER BY, DISTINCT ON), else unknown or ambiguous."""
        name = node.name.lower()
        index = frame.block.position.get(name)
        if index is not None and node.find_ancestor(
            exp.Order, exp.Distinct, exp.Group, exp.Having, exp.Qualify
        ):
            if index < len(frame.outputs):
                frame.outputs[index] |= demand
            return
        owners = [one.name for one in frame.block.occurrences if name in (one.relation.names or ())]
        if len(owners) > 1:
            self._problems.at(
                ProblemCode.AMBIGUOUS_COLUMN, node, f"{name} is a column of {' and of '.join(owners)}", f"write {owners[0]}.{name} or {owners[1]}.{name}"
            )  # fmt: skip
            return
        if not owners and self._need_row(node, demand, frame):
            return
        unclear = [one for one in frame.block.occurrences if one.relation.names is None]
        if unclear:
            for one in unclear:
                use = frame.uses[one.name]
                use.columns[name] = use.columns.get(name, 0) | demand
            return
        known = [column for one in frame.block.occurrences for column in one.relation.names or ()]
        self._problems.at(
            ProblemCode.UNKNOWN_COLUMN, node, f"there is no column {node.name}", _near(name, known)
        )

    def _need_row(self, node: exp.Expr, demand: int, frame: Frame) -> bool:
        """A whole row: all columns of the occurrence. False if there is none of this name."""
        found: Frame | None = frame
        while found is not None:
            use = found.uses.get(node.name.lower())
            if use is not None:
                for name in use.occurrence.relation.names or ("*",):
                    use.columns[name] = use.columns.get(name, 0) | demand
                return True
            found = found.outer
        return False

    def _unknown(self, node: exp.Expr, name: str, occurrence: Occurrence) -> None:
        known = list(occurrence.relation.names or ())
        self._problems.at(
            ProblemCode.UNKNOWN_COLUMN, node, f"{occurrence.name} has no column {name}", _near(name, known)
        )


def _by_position(names: Sequence[str] | None, columns: Mapping[str, int]) -> list[int]:
    """Demands by column name as demands by output; of outputs with one name the first is meant."""
    if names is None:
        return list(columns.values())
    left = dict(columns)
    return [left.pop(name, 0) for name in names]


def _nothing(name: str, column: str) -> list[Fact]:
    return []


def _has_column(relation: Relation, name: str) -> bool:
    return relation.names is None or name in relation.names


def _near(name: str, known: Sequence[str]) -> str:
    found = get_close_matches(name, known, n=1, cutoff=0.6)
    if found:
        return f'did you mean "{found[0]}"?'
    return "known here: " + ", ".join(sorted(set(known))) if 0 < len(set(known)) <= 24 else ""


def _aliases_hint(frame: Frame) -> str:
    return "known here: " + ", ".join(frame.uses) if frame.uses else ""


def references_of(node: exp.Expr) -> References:
    """Columns, names, nested queries and whole rows of an expression; nested queries are not entered."""
    columns: list[exp.Column] = []
    bare: list[exp.Column] = []
    queries: list[exp.Expr] = []
    rows: list[exp.TableColumn] = []
    stack: list[tuple[exp.Expr, frozenset[str]]] = [(node, frozenset())]
    while stack:
        one, local = stack.pop()
        if isinstance(one, exp.Column):
            if one.table:
                columns.append(one)
            elif one.name.lower() not in local and isinstance(one.this, exp.Identifier):
                bare.append(one)
        elif isinstance(one, exp.TableColumn):
            rows.append(one)
        elif isinstance(one, exp.Query):
            queries.append(one)
        elif not isinstance(one, exp.DataType | exp.Identifier | exp.Literal):
            local = local | _local_names(one)
            stack += [(child, local) for child in one.iter_expressions()]
    return References(tuple(columns), tuple(bare), tuple(queries), tuple(rows))


def _local_names(node: exp.Expr) -> frozenset[str]:
    """Variables of a lambda or a list comprehension: they look like columns without a table."""
    if isinstance(node, exp.Lambda):
        return frozenset(one.name.lower() for one in node.expressions)
    if isinstance(node, exp.Comprehension):
        return frozenset(
            one.name.lower()
            for one in node.find_all(exp.Identifier)
            if one.parent is node or one.parent is node.args.get("expression")
        )
    return frozenset()
