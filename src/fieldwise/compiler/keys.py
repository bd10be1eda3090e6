"""Which columns of a relation are unique, and whether a join matches each row at most once (rules J1-J6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from fieldwise.compiler.families import Families, family_of_type, one_match
from fieldwise.compiler.functions import is_volatile
from fieldwise.compiler.relations import Block, Compound, Leaf, Occurrence, Relation, conjuncts


@dataclass(frozen=True, slots=True)
class Key:
    """Columns no two rows share. `null_safe`: also counting NULLs as equal (rule J6)."""

    columns: frozenset[str]
    null_safe: bool = True


EMPTY = Key(frozenset())
"""At most one row."""


class Keys:
    """Unique keys of the relations of one query, each computed once."""

    def __init__(self, families: Families) -> None:
        self.families = families
        self._known: dict[int, tuple[Key, ...]] = {}
        self._single: dict[int, bool] = {}

    def of(self, relation: Relation) -> tuple[Key, ...]:
        """All unique keys of a relation that can be proven (rule J3)."""
        found = self._known.get(id(relation))
        if found is None:
            self._known[id(relation)] = ()  # a recursive CTE proves nothing about itself
            found = tuple(self._keys(relation))
            self._known[id(relation)] = found
        return found

    def _keys(self, relation: Relation) -> Iterable[Key]:
        if isinstance(relation, Leaf):
            return leaf_keys(relation)
        if isinstance(relation, Compound):
            return [Key(frozenset(relation.names))] if relation.unique and relation.names else []
        if isinstance(relation, Block):
            return (
                [key for rule in KEY_RULES for key in rule(self, relation)]
                if not relation.generates
                else all_outputs(self, relation)
            )
        return []

    def at_most_one(self, occurrence: Occurrence, block: Block) -> bool:
        """Whether each row of what stands before meets at most one row of the occurrence (rule J2)."""
        known = self._single.get(id(occurrence))
        if known is None:
            known = occurrence.method == "ASOF" or self._meets_one(occurrence, block)
            self._single[id(occurrence)] = known
        return known

    def _meets_one(self, occurrence: Occurrence, block: Block) -> bool:
        keys = self.of(occurrence.relation)
        if not keys:
            return False
        equal, safe = self._equated(occurrence, block)
        return any(key.columns <= equal and (key.null_safe or not key.columns & safe) for key in keys)

    def _equated(self, occurrence: Occurrence, block: Block) -> tuple[set[str], set[str]]:
        """Columns that ON equates with something of the earlier ones; and those of them by IS NOT DISTINCT FROM only."""
        strict: set[str] = set()
        safe: set[str] = set()
        for condition in occurrence.on:
            if isinstance(condition, exp.EQ | exp.NullSafeEQ):
                for column, other in (
                    (condition.this, condition.expression),
                    (condition.expression, condition.this),
                ):
                    name = self._pinned(column, other, occurrence, block)
                    if name:
                        (strict if isinstance(condition, exp.EQ) else safe).add(name)
        return strict | safe, safe - strict

    def _pinned(self, column: exp.Expr, other: exp.Expr, occurrence: Occurrence, block: Block) -> str:
        column = column.unnest()
        if not isinstance(column, exp.Column) or column.table.lower() != occurrence.name:
            return ""
        if is_latest_day(column, other, occurrence):
            return column.name.lower()
        if not names_none_of(other, occurrence.name):
            return ""
        key_family = family_of_type(self.families.type_of_column(occurrence.relation, column.name.lower()))
        return column.name.lower() if one_match(key_family, self.families.family_of(other, block)) else ""

    def fixed(self, block: Block) -> set[tuple[str, str]]:
        """(occurrence, column) pairs that WHERE equates with a constant or parameter."""
        found: set[tuple[str, str]] = set()
        for condition in block.where:
            if not isinstance(condition, exp.EQ):
                continue
            for column, other in (
                (condition.this, condition.expression),
                (condition.expression, condition.this),
            ):
                column = column.unnest()
                if isinstance(column, exp.Column) and self._constant(column, other, block):
                    found.add((column.table.lower(), column.name.lower()))
        return found

    def _constant(self, column: exp.Column, other: exp.Expr, block: Block) -> bool:
        if is_constant(other):
            return one_match(self.families.family_of(column, block), self.families.family_of(other, block))
        occurrence = block.by_name.get(column.table.lower())
        return occurrence is not None and is_latest_day(column, other, occurrence)

    def input_keys(self, block: Block) -> list[tuple[frozenset[tuple[str, str]], bool]]:
        """Keys of the joined rows of FROM as (occurrence, column) pairs, fixed ones left out; and whether null-safe."""
        if not block.occurrences:
            return [(frozenset(), True)]
        first, fixed = block.occurrences[0], self.fixed(block)
        if not all(self._keeps_unique(one, block) for one in block.occurrences[1:]):
            return []
        return [
            (frozenset((first.name, column) for column in key.columns) - fixed, key.null_safe)
            for key in self.of(first.relation)
        ]

    def _keeps_unique(self, occurrence: Occurrence, block: Block) -> bool:
        if occurrence.kind in ("SEMI", "ANTI") or occurrence.side in ("SEMI", "ANTI"):
            return True
        if occurrence.side not in ("", "LEFT") or occurrence.method not in ("", "ASOF") or occurrence.grouped:
            return False
        return self.at_most_one(occurrence, block) or is_one_row(occurrence.relation)


def leaf_keys(leaf: Leaf) -> list[Key]:
    """J3 a, b: a logical table's key with `ds`; a source's declared key with its partition."""
    table = leaf.table
    if not table.key:
        return []
    partition = {table.partition} if table.partition else set()
    return [Key(frozenset(table.key) | partition, table.null_safe_key)]


def group_keys(keys: Keys, block: Block) -> list[Key]:
    """J3 c: the GROUP BY expressions, each projected, without those that WHERE fixes."""
    group = block.group
    if group is None or any(value for name, value in group.args.items() if name != "expressions"):
        return []
    if any(isinstance(item, exp.Cube | exp.Rollup | exp.GroupingSets) for item in group.expressions):
        return []
    return projected(block, _unfixed(group.expressions, keys.fixed(block)), True)


def all_outputs(keys: Keys, block: Block) -> list[Key]:
    """J3 d: DISTINCT makes all outputs together unique."""
    return [Key(frozenset(block.position))] if block.distinct else []


def distinct_on_keys(keys: Keys, block: Block) -> list[Key]:
    """J3 e: DISTINCT ON leaves one row for each value of its expressions."""
    on = block.distinct_on
    return projected(block, _unfixed(on, keys.fixed(block)), True) if on else []


def single_row_keys(keys: Keys, block: Block) -> list[Key]:
    """J3 f: an aggregate without GROUP BY, or LIMIT 1, has at most one row."""
    limit = block.select.args.get("limit")
    one = (
        isinstance(limit, exp.Limit)
        and isinstance(limit.expression, exp.Literal)
        and str(limit.expression.this) == "1"
    )
    return [EMPTY] if block.aggregates or one else []


def row_number_keys(keys: Keys, block: Block) -> list[Key]:
    """J3 g: QUALIFY row_number() OVER (PARTITION BY p) = 1 leaves one row for each p; rank() does not."""
    found: list[Key] = []
    for condition in conjuncts(block.qualify):
        if not isinstance(condition, exp.EQ):
            continue
        for window, one in ((condition.this, condition.expression), (condition.expression, condition.this)):
            if (
                isinstance(window.unnest(), exp.Window)
                and isinstance(one, exp.Literal)
                and str(one.this) == "1"
            ):
                found += _first_rows(keys, block, window.unnest())
    return found


def _first_rows(keys: Keys, block: Block, window: exp.Expr) -> list[Key]:
    if not isinstance(window.this, exp.RowNumber):
        return []
    if window.args.get("alias"):
        named = [one for one in block.select.args.get("windows") or () if one.name == window.alias]
        if len(named) != 1:
            return []
        window = named[0]
    return projected(block, _unfixed(window.args.get("partition_by") or (), keys.fixed(block)), True)


def plain_block_keys(keys: Keys, block: Block) -> list[Key]:
    """J3 h: the first occurrence's key where every other one matches at most once; projected as itself."""
    if block.group is not None or block.aggregates:
        return []
    found: list[Key] = []
    for pairs, null_safe in keys.input_keys(block):
        columns = [exp.column(name, table=table, quoted=True) for table, name in pairs]
        found += projected(block, columns, null_safe)
    return found


KEY_RULES = (group_keys, all_outputs, distinct_on_keys, single_row_keys, row_number_keys, plain_block_keys)


def projected(block: Block, expressions: Sequence[exp.Expr], null_safe: bool) -> list[Key]:
    """The key under the names of the outputs that project each expression as it is; none if one is missing."""
    outputs = {
        _text(item.unalias()): name for name, item in zip(block.names or (), block.projections, strict=True)
    }
    names: set[str] = set()
    for expression in expressions:
        if isinstance(expression, exp.Column) and not expression.table:
            name = expression.name.lower() if expression.name.lower() in block.position else None
        else:
            name = outputs.get(_text(expression))
        if name is None:
            return []
        names.add(name)
    return [Key(frozenset(names), null_safe)]


def _text(node: exp.Expr) -> str:
    node = node.unnest()
    return (
        f"{node.table.lower()}.{node.name.lower()}"
        if isinstance(node, exp.Column) and node.table
        else node.sql("duckdb")
    )


def _unfixed(expressions: Sequence[exp.Expr], fixed: set[tuple[str, str]]) -> list[exp.Expr]:
    return [
        one for one in expressions
        if not (isinstance(one, exp.Column) and (one.table.lower(), one.name.lower()) in fixed)
    ]  # fmt: skip


def names_none_of(node: exp.Expr, occurrence: str) -> bool:
    """An expression without a column of the occurrence, a subquery or anything volatile (rule J2)."""
    for part in node.walk():
        if isinstance(part, exp.Query | exp.TableColumn) or is_volatile(part):
            return False
        if isinstance(part, exp.Column) and part.table.lower() in ("", occurrence):
            return False
    return True


def is_constant(node: exp.Expr) -> bool:
    """The same value for every row: literals and parameters only."""
    return not any(
        isinstance(part, exp.Column | exp.TableColumn | exp.Query | exp.AggFunc | exp.Window)
        or is_volatile(part)
        for part in node.walk()
    )


def is_latest_day(column: exp.Column, node: exp.Expr, occurrence: Occurrence) -> bool:
    """`ds = (SELECT max(ds) FROM the same table WHERE ds <= :parameter)`: one day, the same for every row."""
    query = node.this if isinstance(node, exp.Subquery) else node
    relation = occurrence.relation
    if not isinstance(query, exp.Select) or not isinstance(relation, Leaf) or len(query.expressions) != 1:
        return False
    if column.name.lower() != relation.table.partition:
        return False
    from_ = query.args.get("from_")
    table = from_.this if from_ is not None else None
    if not isinstance(table, exp.Table) or f"{table.db}.{table.name}".lower() != relation.table.name.lower():
        return False
    if any(
        query.args.get(key)
        for key in ("joins", "group", "having", "qualify", "limit", "offset", "with_", "laterals", "distinct")
    ):
        return False
    value = query.expressions[0].unalias()
    if (
        not isinstance(value, exp.Max)
        or not isinstance(value.this, exp.Column)
        or value.this.name.lower() != relation.table.partition
    ):
        return False
    own = table.alias_or_name.lower()
    return all(column.table.lower() == own for column in query.find_all(exp.Column))


def is_one_row(relation: Relation) -> bool:
    """Exactly one row, always: an aggregate without GROUP BY, HAVING, QUALIFY, LIMIT, OFFSET, unnest (rule J1)."""
    if not isinstance(relation, Block) or not relation.aggregates or relation.generates or relation.limited:
        return False
    return (
        relation.qualify is None and relation.select.args.get("having") is None and not relation.distinct_on
    )
