"""What a query is made of: blocks with their occurrences, set operations, leaves; the same for every field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from fieldwise.compiler.catalogue import Catalogue, CatalogueTable
from fieldwise.compiler.traits import Traits, traits_of


@dataclass(slots=True, eq=False)
class Relation:
    """Anything with rows. `names`: output columns in lower case, None if not known."""

    node: exp.Expr
    names: tuple[str, ...] | None


@dataclass(slots=True, eq=False)
class Leaf(Relation):
    """A table of the catalogue."""

    table: CatalogueTable


@dataclass(slots=True, eq=False)
class Opaque(Relation):
    """Rows we do not look into: VALUES, functions, unnest, PIVOT, renamed or limited brackets.

    `inner`: relations inside of which all columns are needed.
    """

    inner: tuple[Relation, ...] = ()


@dataclass(slots=True, eq=False)
class Compound(Relation):
    """UNION, INTERSECT, EXCEPT. `splits`: UNION ALL by position without ORDER BY or LIMIT: columns can be cut."""

    left: Relation
    right: Relation
    splits: bool = False
    unique: bool = False


@dataclass(slots=True, eq=False)
class CommonTable:
    """A CTE; `relation` is None while it is being built (a recursive reference)."""

    node: exp.CTE
    relation: Relation | None = None
    paths: int = 1
    """How many ways lead from one reference to leaves; large ones are analysed once for all readers."""


@dataclass(slots=True, eq=False)
class Occurrence:
    """An item of a FROM list. `grouped`: inside a bracketed join, which is one unit and never removed."""

    name: str
    node: exp.Expr
    relation: Relation
    join: exp.Join | None = None
    grouped: bool = False
    common: CommonTable | None = None
    on: tuple[exp.Expr, ...] = ()

    @property
    def side(self) -> str:
        return str(self.join.side).upper() if self.join is not None else ""

    @property
    def kind(self) -> str:
        return str(self.join.kind).upper() if self.join is not None else ""

    @property
    def method(self) -> str:
        return str(self.join.method).upper() if self.join is not None else ""


@dataclass(slots=True, eq=False)
class Block(Relation):
    """One SELECT. `where`: its top-level conjuncts. `clauses`: every expression all its users need (rule P1)."""

    select: exp.Select
    common: Mapping[str, CommonTable] = field(default_factory=dict)
    occurrences: list[Occurrence] = field(default_factory=list)
    where: tuple[exp.Expr, ...] = ()
    clauses: list[exp.Expr] = field(default_factory=list)
    projections: list[exp.Expr] = field(default_factory=list)
    position: dict[str, int] = field(default_factory=dict)
    by_name: dict[str, Occurrence] = field(default_factory=dict)
    traits: tuple[Traits, ...] = ()
    makers: tuple[bool, ...] = ()
    """Of each projection: what it does, and whether it makes rows."""

    @property
    def group(self) -> exp.Group | None:
        return self.select.args.get("group")

    @property
    def distinct(self) -> bool:
        return self.select.args.get("distinct") is not None and not self.distinct_on

    @property
    def distinct_on(self) -> tuple[exp.Expr, ...]:
        distinct = self.select.args.get("distinct")
        on = distinct.args.get("on") if distinct is not None else None
        if on is None:
            return ()
        return tuple(on.expressions) if isinstance(on, exp.Tuple) else (on.unnest(),)

    @property
    def ordered_by_all(self) -> bool:
        """ORDER BY ALL names every column without writing them."""
        order = self.select.args.get("order")
        return order is not None and any(isinstance(item.this, exp.Var) for item in order.expressions)

    @property
    def limited(self) -> bool:
        return any(self.select.args.get(key) is not None for key in ("limit", "offset", "fetch"))

    @property
    def qualify(self) -> exp.Expr | None:
        found = self.select.args.get("qualify")
        return found.this if found is not None else None

    @property
    def generates(self) -> bool:
        return any(self.makers)

    @property
    def aggregates(self) -> bool:
        """Aggregated without GROUP BY: one row."""
        if self.group is not None:
            return False
        return self.select.args.get("having") is not None or any(
            one & Traits.AGGREGATES for one in self.traits
        )


def conjuncts(condition: exp.Expr | None) -> tuple[exp.Expr, ...]:
    """The parts of a condition that are joined by AND at the top."""
    found: list[exp.Expr] = []
    stack = [condition] if condition is not None else []
    while stack:
        node = stack.pop()
        if isinstance(node, exp.Paren):
            stack.append(node.this)
        elif isinstance(node, exp.And):
            stack += [node.expression, node.this]
        elif not (isinstance(node, exp.Boolean) and node.this):
            found.append(node)
    return tuple(found)


def makes_rows(traits: Traits) -> bool:
    """Whether a generator stands in the projection, at any depth outside nested queries (rule P3)."""
    return bool(traits & Traits.MAKES_ROWS)


SHARED_PATHS = 400
"""A CTE whose inlining would visit more blocks than this is analysed once, for all its readers together."""


class RelationBuilder:
    """Builds relations of one resolved query; each subquery once."""

    def __init__(self, catalogue: Catalogue, project: str) -> None:
        self._catalogue = catalogue
        self._project = project
        self._built: dict[int, Relation] = {}
        self.paths = 1
        self.common: list[CommonTable] = []

    def build(self, query: exp.Expr, common: Mapping[str, CommonTable]) -> Relation:
        """The relation of a query in whose scope the given CTEs are visible."""
        known = self._built.get(id(query))
        if known is None:
            known = self._build(query, common)
            self._built[id(query)] = known
        return known

    def _build(self, query: exp.Expr, common: Mapping[str, CommonTable]) -> Relation:
        common = self._with(query, common)
        if isinstance(query, exp.Subquery):
            return self._bracket(query, common)
        if isinstance(query, exp.Select):
            return self._block(query, common)
        if isinstance(query, exp.SetOperation):
            return self._compound(query, common)
        return Opaque(query, None)

    def _with(self, query: exp.Expr, common: Mapping[str, CommonTable]) -> Mapping[str, CommonTable]:
        with_ = query.args.get("with_")
        if with_ is None:
            return common
        scope = dict(common)
        for cte in with_.expressions:
            outside = self.paths
            self.paths = 1
            table = CommonTable(cte)
            self.common.append(table)
            if with_.args.get("recursive"):
                scope[cte.alias.lower()] = table
            table.relation = self._renamed(self.build(cte.this, scope), cte)
            if with_.args.get("recursive") and _names_itself(cte):
                table.relation = Opaque(
                    cte, table.relation.names, (table.relation,)
                )  # all its columns: rule P4
            table.paths, self.paths = self.paths, outside
            scope[cte.alias.lower()] = table
        return scope

    def _bracket(self, query: exp.Subquery, common: Mapping[str, CommonTable]) -> Relation:
        modifiers = ("order", "limit", "offset", "where", "joins", "distinct", "group", "laterals")
        inner = self.build(query.this, common)
        if query.args.get("pivots") or any(query.args.get(key) for key in modifiers):
            return Opaque(query, None if query.args.get("pivots") else inner.names, (inner,))
        return inner

    def _renamed(self, relation: Relation, node: exp.Expr) -> Relation:
        """A column alias list that sqlglot did not push inside: all columns are needed (rule P4)."""
        alias = node.args.get("alias")
        columns = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
        if not columns:
            return relation
        return Opaque(node, tuple(column.name.lower() for column in columns), (relation,))

    def _compound(self, query: exp.SetOperation, common: Mapping[str, CommonTable]) -> Relation:
        left, right = self.build(query.this, common), self.build(query.expression, common)
        modified = any(query.args.get(key) for key in ("order", "limit", "offset", "by_name", "on"))
        all_rows = isinstance(query, exp.Union) and query.args.get("distinct") is False
        splits = all_rows and not modified and _cuttable(left) and _cuttable(right)
        unique = query.args.get("distinct") is not False and not query.args.get("by_name")
        return Compound(query, left.names, left, right, splits, unique)

    def _block(self, select: exp.Select, common: Mapping[str, CommonTable]) -> Block:
        names = tuple(item.alias_or_name.lower() for item in select.expressions)
        block = Block(select, names, select, common)
        block.projections = list(select.expressions)
        block.traits = tuple(traits_of(item) for item in block.projections)
        block.makers = tuple(makes_rows(one) for one in block.traits)
        block.position = {name: index for index, name in reversed(list(enumerate(names)))}
        self._occurrences(block)
        where = select.args.get("where")
        block.where = conjuncts(where.this if where is not None else None)
        block.clauses = _clauses(select)
        return block

    def _occurrences(self, block: Block) -> None:
        from_ = block.select.args.get("from_")
        if from_ is not None:
            self._item(block, from_.this, None, grouped=False)
        for join in block.select.args.get("joins") or ():
            self._item(block, join.this, join, grouped=False)
        for lateral in block.select.args.get("laterals") or ():
            self._add(
                block, Occurrence(lateral.alias_or_name.lower(), lateral, Opaque(lateral, None), None, True)
            )

    def _item(self, block: Block, node: exp.Expr, join: exp.Join | None, grouped: bool) -> None:
        inner = node.this if isinstance(node, exp.Subquery) else None
        if isinstance(node, exp.Subquery) and isinstance(inner, exp.Table | exp.Subquery) and not node.alias:
            self._item(block, inner, join, grouped=True)
            self._nested(block, node)
            return
        occurrence = Occurrence(_name_in_from(node), node, self._relation(block, node), join, grouped)
        occurrence.common = self._common(block, node)
        occurrence.on = conjuncts(join.args.get("on")) if join is not None else ()
        self._add(block, occurrence)
        self._nested(block, node)

    def _nested(self, block: Block, node: exp.Expr) -> None:
        """Joins that hang on a table instead of on the SELECT: a bracketed join."""
        for join in node.args.get("joins") or () if not isinstance(node, exp.Select) else ():
            if block.occurrences:
                block.occurrences[-1].grouped = True
            self._item(block, join.this, join, grouped=True)

    def _add(self, block: Block, occurrence: Occurrence) -> None:
        block.occurrences.append(occurrence)
        block.by_name[occurrence.name] = occurrence

    def _common(self, block: Block, node: exp.Expr) -> CommonTable | None:
        if isinstance(node, exp.Table) and not node.db and isinstance(node.this, exp.Identifier):
            found = block.common.get(node.name.lower())
            if found is not None:
                self.paths += found.paths
            return found
        return None

    def _relation(self, block: Block, node: exp.Expr) -> Relation:
        relation = self._plain_relation(block, node)
        if node.args.get("pivots") and not isinstance(relation, Opaque):
            return Opaque(node, None, (relation,))
        if isinstance(relation, Leaf | Opaque) and isinstance(node, exp.Table | exp.Values | exp.Unnest):
            return self._aliased(relation, node)
        return self._renamed(relation, node)

    def _aliased(self, relation: Relation, node: exp.Expr) -> Relation:
        alias = node.args.get("alias")
        columns = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
        if not columns:
            return relation
        names = tuple(column.name.lower() for column in columns)
        return (
            Opaque(node, names, (relation,)) if isinstance(relation, Leaf) else Opaque(relation.node, names)
        )

    def _plain_relation(self, block: Block, node: exp.Expr) -> Relation:
        if isinstance(node, exp.Table):
            if not isinstance(node.this, exp.Identifier):
                return Opaque(node, None)
            if not node.db:
                common = block.common.get(node.name.lower())
                return (
                    common.relation
                    if common is not None and common.relation is not None
                    else Opaque(node, None)
                )
            table = self._catalogue.table(f"{node.db}.{node.name}", self._project)
            assert table is not None
            node.this.args["this"], node.args["db"].args["this"] = table.table_name, table.schema_name
            return Leaf(node, tuple(table.columns), table)
        if isinstance(node, exp.Subquery):
            return self.build(node, block.common)
        if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
            return self.build(node.this, block.common)
        return Opaque(node, None)


def _name_in_from(node: exp.Expr) -> str:
    """What the columns of an item of FROM are qualified with: the alias behind PIVOT, if there is one, hides its own."""
    pivots = node.args.get("pivots") or ()
    return ((pivots[-1].alias if pivots else "") or node.alias_or_name).lower()


def _names_itself(cte: exp.CTE) -> bool:
    name = cte.alias.lower()
    return any(not table.db and table.name.lower() == name for table in cte.this.find_all(exp.Table))


def _cuttable(side: Relation) -> bool:
    """Whether a branch of UNION ALL needs no projection for its own rows, so that both are cut in step."""
    if isinstance(side, Compound):
        return side.splits
    if not isinstance(side, Block) or side.limited or side.generates:
        return False
    return side.select.args.get("distinct") is None and side.select.args.get("order") is None


def _clauses(select: exp.Select) -> list[exp.Expr]:
    """Everything that decides a block's rows or their order, without projections and joins (rule P1)."""
    found: list[exp.Expr] = []
    for key in (
        "where",
        "group",
        "having",
        "qualify",
        "order",
        "limit",
        "offset",
        "fetch",
        "distinct",
        "sample",
        "cluster",
    ):
        clause = select.args.get(key)
        if isinstance(clause, exp.Expr):
            found.append(clause)
    found += select.args.get("windows") or []
    return found
