"""One transaction on one cursor: all or nothing, and no doubt about which."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb


@contextmanager
def transaction(cursor: duckdb.DuckDBPyConnection, mode: str = "") -> Iterator[None]:
    cursor.execute(f"BEGIN TRANSACTION {mode}")
    try:
        yield
        cursor.execute("COMMIT")
    except BaseException:
        rollback(cursor)
        raise


def rollback(cursor: duckdb.DuckDBPyConnection) -> None:
    try:
        cursor.execute("ROLLBACK")
    except duckdb.Error:
        pass  # the engine ended the transaction itself
