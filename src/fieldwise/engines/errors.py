"""DuckDB's exceptions as ours: which are conflicts, which are the machine's fault, which end the process."""

from __future__ import annotations

import re

import duckdb

from fieldwise.model.errors import EngineRefused

LONGEST = 600
CONFLICT = re.compile(r"conflict|has been altered|duplicate key", re.IGNORECASE)
ALTERED = re.compile(r"altered by a different transaction|has been altered|has been dropped", re.IGNORECASE)
NO_SPACE = re.compile(r"no space left|disk is full|could not write|disk quota", re.IGNORECASE)
DEAD = re.compile(r"database has been invalidated|FATAL", re.IGNORECASE)


class Moved(Exception):
    """The partition's row was written by somebody else since it was read; the publish is repeated."""


def short(error: BaseException) -> str:
    """The engine's own words without candidates and stack traces."""
    text = str(error).strip()
    text = re.split(r"\n\s*(?:Stack Trace|at )", text)[0].strip()
    return text if len(text) <= LONGEST else text[:LONGEST] + " ..."


def refused(error: duckdb.Error) -> EngineRefused:
    return EngineRefused(short(error))


def conflict(error: BaseException) -> bool:
    """Two transactions met: the loser repeats (reliability F15, F16)."""
    if isinstance(error, Moved):
        return True
    if isinstance(error, duckdb.TransactionException):
        return "read-only" not in str(error)
    kinds = (duckdb.ConstraintException, duckdb.CatalogException)
    return isinstance(error, kinds) and bool(CONFLICT.search(str(error)))


def altered(error: BaseException) -> bool:
    """A publish of definitions changed the table under the run: it starts from scratch."""
    return conflict(error) and bool(ALTERED.search(str(error)))


def dead(error: BaseException) -> bool:
    """The database in this process is of no use any more; only a new process helps."""
    return isinstance(error, duckdb.FatalException) or bool(DEAD.search(str(error)))


def infrastructure(error: BaseException) -> bool:
    """The machine's fault, not the user's: memory, disk, a broken engine (reliability F10, F26)."""
    if isinstance(error, (duckdb.OutOfMemoryException, duckdb.InternalException, MemoryError)) or dead(error):
        return True
    return isinstance(error, (duckdb.IOException, OSError)) and bool(NO_SPACE.search(str(error)))
