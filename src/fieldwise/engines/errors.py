"""DuckDB's exceptions as ours, and which of them are worth another try."""

from __future__ import annotations

import re

import duckdb

from fieldwise.model.errors import EngineRefused

LONGEST = 600
CONFLICT = re.compile(
    r"conflict|has been altered|transaction context|write-write|duplicate key", re.IGNORECASE
)


def short(error: BaseException) -> str:
    """The engine's own words without candidates and stack traces."""
    text = str(error).strip()
    text = re.split(r"\n\s*(?:Stack Trace|at )", text)[0].strip()
    return text if len(text) <= LONGEST else text[:LONGEST] + " ..."


def refused(error: duckdb.Error) -> EngineRefused:
    return EngineRefused(short(error))


def conflict(error: BaseException) -> bool:
    """Two transactions met: the loser repeats (reliability F15, F16)."""
    if isinstance(error, duckdb.TransactionException):
        return True
    return (
        isinstance(error, duckdb.Error)
        and bool(CONFLICT.search(str(error)))
        and not isinstance(error, duckdb.ParserException)
    )
