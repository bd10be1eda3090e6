"""The same statement over other relations: dev tables live in schemas of their own (spec 2, "Publish")."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp, parse_one

from fieldwise.compiler.dialects import dialect_of
from fieldwise.compiler.emit import render


def relocate(sql: str, relations: Mapping[str, str], engine: str = "duckdb") -> str:
    """Rendered SQL with tables replaced: `project.table` (any spelling) -> `schema.table` as in the engine.

    Every table in rendered text has an alias, so nothing else names it.
    """
    folded = {name.lower(): relation for name, relation in relations.items()}
    dialect = dialect_of(engine)
    tree: exp.Expr = parse_one(sql, dialect=dialect)
    for table in tree.find_all(exp.Table):
        relation = folded.get(f"{table.db}.{table.name}".lower()) if table.db else None
        if relation is not None:
            schema, _, name = relation.partition(".")
            table.set("db", exp.to_identifier(schema, quoted=True))
            table.set("this", exp.to_identifier(name, quoted=True))
    return render(tree, dialect)
