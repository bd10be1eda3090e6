"""Names as SQL text; one place, so that no name reaches a statement unquoted."""

from __future__ import annotations

from collections.abc import Iterable


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def relation(name: str) -> str:
    """`project.table` as `"project"."table"`."""
    schema, _, table = name.partition(".")
    return f"{identifier(schema)}.{identifier(table)}"


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def identifiers(names: Iterable[str], prefix: str = "") -> str:
    return ", ".join(prefix + identifier(name) for name in names)
