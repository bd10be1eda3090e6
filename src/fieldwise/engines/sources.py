"""Sources in the warehouse: views over files, tables that tasks fill (spec 2, "A project on disk")."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from fieldwise.engines.errors import refused
from fieldwise.engines.quoting import identifier, literal, relation
from fieldwise.model.definition import SourceFormat, SourceTable
from fieldwise.model.errors import EngineRefused

Columns = tuple[tuple[str, str], ...]

FILES = (SourceFormat.PARQUET, SourceFormat.CSV, SourceFormat.JSON)


def absolute(folder: str, location: str) -> str:
    """A source's location; relative ones start at the project's folder."""
    return location if "://" in location else os.path.normpath(Path(folder).absolute() / location)


def folders_of(folder: str, sources: Iterable[SourceTable]) -> list[str]:
    """What the engine must be allowed to read: the project, and the folders of sources that lie outside it."""
    home = os.path.normpath(Path(folder).absolute())
    found = {home}
    for source in sources:
        if source.format in FILES and "://" not in source.location:
            fixed = re.split(r"[*?\[{]", absolute(folder, source.location))[0]
            parent = os.path.dirname(fixed)
            if not (parent + "/").startswith(home + "/"):
                found.add(parent)
    return sorted(found)


def reading(folder: str, source: SourceTable, columns: Columns = ()) -> str:
    """The FROM item of a source. Text files have no types of their own: known columns pin them."""
    if source.format is SourceFormat.ENGINE_TABLE:
        return relation(source.location) if "." in source.location else identifier(source.location)
    if source.format is SourceFormat.FROM_TASK:
        return relation(source.name)
    location = literal(absolute(folder, source.location))
    types = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns)
    if source.format is SourceFormat.PARQUET:
        return f"read_parquet({location}, union_by_name = true)"
    if source.format is SourceFormat.CSV:
        return f"read_csv({location}, header = true" + (f", types = {{{types}}})" if types else ")")
    return f"read_json({location}" + (f", columns = {{{types}}})" if types else ")")


def columns_of(cursor: duckdb.DuckDBPyConnection, folder: str, source: SourceTable) -> Columns:
    """All columns, read from the file or table; declared ones with their declared type. Raises EngineRefused."""
    if source.format is SourceFormat.FROM_TASK and source.columns:
        return _with_partition(source)
    declared = dict(source.columns)
    found = describe(cursor, reading(folder, source))
    names = {name for name, _ in found}
    missing = [name for name in declared if name not in names]
    if missing:
        raise EngineRefused(
            f"{source.name} has no column {', '.join(missing)}; it has {', '.join(name for name, _ in found)}",
            "correct `columns` of the source",
        )
    return tuple((name, declared.get(name, kind)) for name, kind in found)


def describe(cursor: duckdb.DuckDBPyConnection, item: str) -> Columns:
    try:
        found = cursor.execute(f"DESCRIBE SELECT * FROM {item}").fetchall()
    except duckdb.Error as error:
        raise refused(error) from None
    return tuple((name, kind) for name, kind, *_ in found)


def register(cursor: duckdb.DuckDBPyConnection, folder: str, source: SourceTable) -> None:
    """Make `schema.table` readable. A table filled by a task keeps what it holds. Raises EngineRefused."""
    _refuse_second_owner(cursor, folder, source)
    cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(source.name.partition('.')[0])}")
    match source.format:
        case SourceFormat.FROM_TASK:
            if source.columns:
                declared = ", ".join(f"{identifier(name)} {kind}" for name, kind in _with_partition(source))
                cursor.execute(f"CREATE TABLE IF NOT EXISTS {relation(source.name)} ({declared})")
        case SourceFormat.ENGINE_TABLE if source.location == source.name:
            pass
        case _:
            _view(cursor, source.name, _selection(cursor, folder, source))
    cursor.execute(
        "INSERT OR REPLACE INTO fieldwise.source VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [source.name, source.project, folder, source.format.value, _place(folder, source), source.partition,
         source.from_task, json.dumps(dict(source.columns))],
    )  # fmt: skip


def _place(folder: str, source: SourceTable) -> str:
    return absolute(folder, source.location) if source.format in FILES else source.location


def _refuse_second_owner(cursor: duckdb.DuckDBPyConnection, folder: str, source: SourceTable) -> None:
    """One name in the warehouse is one table: two projects may share it only if it is the same."""
    row = cursor.execute(
        "SELECT project, location FROM fieldwise.source WHERE name = ?", [source.name]
    ).fetchone()
    if row is not None and row[0] != source.project and row[1] != _place(folder, source):
        raise EngineRefused(
            f"{source.name} is a source of project {row[0]}, at {row[1]}", "choose another `schema`"
        )


def _selection(cursor: duckdb.DuckDBPyConnection, folder: str, source: SourceTable) -> str:
    """Known columns by name, cast where the file has another type, so that a changed file is noticed, not hidden."""
    item = reading(folder, source, source.columns)
    if not source.columns:
        return f"SELECT * FROM {item}"
    found = dict(describe(cursor, item))
    shown = ", ".join(_column(name, kind, found.get(name, kind)) for name, kind in source.columns)
    return f"SELECT {shown} FROM {item}"


def _column(name: str, wanted: str, found: str) -> str:
    if found.upper() == wanted.upper():
        return identifier(name)
    return f"CAST({identifier(name)} AS {wanted}) AS {identifier(name)}"


def _with_partition(source: SourceTable) -> Columns:
    if any(name.lower() == "ds" for name, _ in source.columns):
        return source.columns
    return (("ds", "DATE"), *source.columns)


def _view(cursor: duckdb.DuckDBPyConnection, name: str, select: str) -> None:
    try:
        cursor.execute(f"CREATE OR REPLACE VIEW {relation(name)} AS {select}")
    except duckdb.CatalogException as error:
        raise EngineRefused(
            f"{name} is a table in the warehouse and cannot become a source: {error}"
        ) from None
    except duckdb.Error as error:
        raise refused(error) from None


@dataclass(frozen=True, slots=True)
class Registered:
    """A source as the last publish of its project declared it; `columns` with the types of that moment."""

    name: str
    format: str
    location: str
    partition: str
    from_task: str
    columns: dict[str, str]


def registered(cursor: duckdb.DuckDBPyConnection) -> dict[str, Registered]:
    rows = cursor.execute(
        "SELECT name, format, location, partition, from_task, columns FROM fieldwise.source"
    ).fetchall()
    return {row[0]: Registered(row[0], row[1], row[2], row[3], row[4], json.loads(row[5])) for row in rows}
