"""Which SQL dialect a project's text is parsed in and which one its engine is given, as data."""

from __future__ import annotations

DIALECT_OF_ENGINE: dict[str, str] = {
    "duckdb": "duckdb",
    "postgres": "postgres",
    "postgresql": "postgres",
    "spark": "spark",
}


def dialect_of(engine: str) -> str:
    """The sqlglot name of an engine's dialect; an unknown engine is taken by its own name."""
    return DIALECT_OF_ENGINE.get(engine, engine)
