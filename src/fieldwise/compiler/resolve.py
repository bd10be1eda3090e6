"""What every table and column name of a query means: known tables, stars expanded, columns with their table."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify

from fieldwise.compiler.catalogue import Catalogue, QuerySchema
from fieldwise.compiler.problems import Problems
from fieldwise.compiler.traits import has_aggregate
from fieldwise.model.errors import ProblemCode


def resolve(
    tree: exp.Query, catalogue: Catalogue, project: str, dialect: str, problems: Problems
) -> exp.Query | None:
    """The tree with all names resolved, changed in place; None if a table is unknown or the names contradict."""
    before = len(problems.found)
    check_tables(tree, catalogue, project, problems)
    _check_aliases(tree, problems)
    if len(problems.found) > before:
        return None
    try:
        qualified = qualify(
            tree, dialect=dialect, schema=QuerySchema(catalogue, project), validate_qualify_columns=False,
            allow_partial_qualification=True, identify=True,
        )  # fmt: skip
    except SqlglotError as error:
        problems.at(
            ProblemCode.UNSUPPORTED,
            tree,
            f"the names cannot be resolved: {_first_line(error)}",
            "simplify the query",
        )
        return None
    assert isinstance(qualified, exp.Query)
    _expand_group_by_all(qualified)
    _undo_using(qualified)
    return qualified


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".")


def tables_of(tree: exp.Expr) -> Iterator[exp.Table]:
    """Tables named by the query, without those that are CTEs of an enclosing WITH and without functions."""
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and not (not table.db and _is_cte(table)):
            yield table


def _is_cte(table: exp.Table) -> bool:
    name = table.name.lower()
    node: exp.Expr | None = table
    while node is not None:
        with_ = node.args.get("with_")
        if with_ is not None and any(cte.alias.lower() == name for cte in with_.expressions):
            return True
        node = node.parent
    return False


def check_tables(tree: exp.Expr, catalogue: Catalogue, project: str, problems: Problems) -> None:
    """Say every table that does not exist, with the name that was probably meant."""
    for table in tables_of(tree):
        name = f"{table.db}.{table.name}" if table.db else table.name
        if table.db and not table.catalog and catalogue.table(name, project):
            continue
        full = f"{table.catalog}.{name}" if table.catalog else name
        owner = catalogue.foreign_source(name)
        if owner:
            problems.at(ProblemCode.UNKNOWN_TABLE, table, f"{full} is a source of project {owner}; another project's sources cannot be read",
                        f"declare the source in this project too, or read a logical table of {owner}")  # fmt: skip
            continue
        near = catalogue.near(name, project)
        hint = f'did you mean "{near}"?' if near else "tables are named project.table, sources schema.table"
        problems.at(ProblemCode.UNKNOWN_TABLE, table, f"there is no table {full}", hint)


def _check_aliases(tree: exp.Expr, problems: Problems) -> None:
    for select in tree.find_all(exp.Select):
        seen: set[str] = set()
        from_ = select.args.get("from_")
        items = [from_.this] if from_ is not None else []
        items += [join.this for join in select.args.get("joins") or ()]
        for item in items:
            name = item.alias_or_name.lower()
            if name and name in seen:
                problems.at(
                    ProblemCode.AMBIGUOUS_COLUMN,
                    item,
                    f"{item.alias_or_name} stands twice in one FROM",
                    "give each of them an alias of its own",
                )
            seen.add(name)


def _expand_group_by_all(tree: exp.Expr) -> None:
    """GROUP BY ALL names no columns: cutting a projection would change the groups."""
    for group in tree.find_all(exp.Group):
        if group.args.get("all") is not True or not isinstance(group.parent, exp.Select):
            continue
        plain = [item.unalias() for item in group.parent.expressions if not has_aggregate(item)]
        group.set("all", None)
        group.set("expressions", [item.copy() for item in plain if not isinstance(item, exp.Literal)])
        if not group.expressions:
            group.pop()


def _undo_using(tree: exp.Expr) -> None:
    """USING and NATURAL become coalesce(l.k, r.k); where the right side cannot add a value that is just l.k.

    Only what sqlglot made is rewritten: the user's own coalesce has written identifiers, and another type perhaps.
    """
    for select in list(tree.find_all(exp.Select)):
        joins = select.args.get("joins") or ()
        if not joins or any(join.side in ("RIGHT", "FULL") for join in joins):
            continue
        for coalesce in list(select.find_all(exp.Coalesce)):
            if _made_by_using(coalesce) and coalesce.parent_select is select:
                coalesce.replace(coalesce.this)


def _made_by_using(coalesce: exp.Coalesce) -> bool:
    parts = [coalesce.this, *coalesce.expressions]
    if not all(isinstance(part, exp.Column) and part.table for part in parts):
        return False
    written = [part for part in parts if part.this.meta.get("line") or part.args["table"].meta.get("line")]
    return not written and len({part.name for part in parts}) == 1
