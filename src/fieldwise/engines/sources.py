"""Sources in the warehouse: views over files, tables that tasks fill (spec 2, "A project on disk")."""

from __future__ import annotations

from pathlib import Path

import duckdb

from fieldwise.engines.errors import refused
from fieldwise.engines.quoting import identifier, literal, relation
from fieldwise.model.definition import SourceFormat, SourceTable
from fieldwise.model.errors import EngineRefused

READERS = {
    SourceFormat.PARQUET: "read_parquet({location}, union_by_name = true)",
    SourceFormat.CSV: "read_csv({location}, header = true)",
    SourceFormat.JSON: "read_json_auto({location})",
}


def reading(folder: str, source: SourceTable) -> str:
    """The FROM item of a source: a reader function for files, else the engine's table."""
    if source.format is SourceFormat.ENGINE_TABLE:
        return relation(source.location) if "." in source.location else identifier(source.location)
    if source.format is SourceFormat.FROM_TASK:
        return relation(source.name)
    location = Path(folder, source.location)
    return READERS[source.format].format(location=literal(str(location)))


def selection(folder: str, source: SourceTable) -> str:
    """The SELECT of a source: declared columns are cast, others come as they are."""
    if not source.columns or source.format is SourceFormat.ENGINE_TABLE:
        return f"SELECT * FROM {reading(folder, source)}"
    casts = ", ".join(
        f"CAST({identifier(name)} AS {kind}) AS {identifier(name)}" for name, kind in source.columns
    )
    return f"SELECT {casts} FROM {reading(folder, source)}"


def columns_of(
    connection: duckdb.DuckDBPyConnection, folder: str, source: SourceTable
) -> tuple[tuple[str, str], ...]:
    """Declared columns, else read from the file or table. Raises EngineRefused."""
    if source.format is SourceFormat.FROM_TASK and source.columns:
        return source.columns
    try:
        found = connection.execute(f"DESCRIBE {selection(folder, source)}").fetchall()
    except duckdb.Error as error:
        raise refused(error) from None
    return tuple((name, kind) for name, kind, *_ in found)


def register(connection: duckdb.DuckDBPyConnection, folder: str, source: SourceTable) -> None:
    """Make `schema.table` readable. A table filled by a task keeps what it holds."""
    schema = identifier(source.name.partition(".")[0])
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    match source.format:
        case SourceFormat.FROM_TASK:
            if source.columns:
                declared = ", ".join(f"{identifier(name)} {kind}" for name, kind in _with_partition(source))
                connection.execute(f"CREATE TABLE IF NOT EXISTS {relation(source.name)} ({declared})")
        case SourceFormat.ENGINE_TABLE if source.location == source.name:
            pass
        case _:
            _view(connection, source.name, selection(folder, source))
    connection.execute(
        "INSERT INTO fieldwise.source VALUES (?, ?) ON CONFLICT DO UPDATE SET folder = excluded.folder",
        [source.name, folder],
    )


def _with_partition(source: SourceTable) -> tuple[tuple[str, str], ...]:
    if any(name.lower() == "ds" for name, _ in source.columns):
        return source.columns
    return (("ds", "DATE"), *source.columns)


def _view(connection: duckdb.DuckDBPyConnection, name: str, select: str) -> None:
    try:
        connection.execute(f"CREATE OR REPLACE VIEW {relation(name)} AS {select}")
    except duckdb.CatalogException as error:
        raise EngineRefused(
            f"{name} is a table in the warehouse and cannot become a source", "choose another schema"
        ) from error
    except duckdb.Error as error:
        raise refused(error) from None
