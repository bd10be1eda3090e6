"""Opens the warehouse file and locks its settings: who may open it, what it may touch (spec 7, "Isolation of user code")."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import duckdb

from fieldwise.engines.quoting import literal
from fieldwise.model.errors import EngineUnavailable

OPEN_WITHIN_SECONDS = 15.0
PAUSE_SECONDS = 0.05


def open_file(path: str, within: float = OPEN_WITHIN_SECONDS) -> duckdb.DuckDBPyConnection:
    """Open the file; the process that had it before may still be dying. Raises EngineUnavailable."""
    deadline = time.monotonic() + within
    while True:
        try:
            return duckdb.connect(path)
        except duckdb.Error as error:
            held = isinstance(error, duckdb.IOException) and "lock" in str(error).lower()
            if not held or time.monotonic() > deadline:
                raise EngineUnavailable(f"the warehouse cannot be opened: {str(error)[:300]}") from None
            time.sleep(PAUSE_SECONDS)


def harden(connection: duckdb.DuckDBPyConnection, scratch: Path, folders: Iterable[str]) -> None:
    """Files only below the scratch folder and the given ones, no extensions, settings locked."""
    scratch.mkdir(parents=True, exist_ok=True)
    allowed = ", ".join(literal(folder.rstrip("/") + "/") for folder in (str(scratch), *folders))
    for setting in (
        f"temp_directory = {literal(str(scratch / 'spill'))}",
        f"allowed_directories = [{allowed}]",
        "autoinstall_known_extensions = false",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET GLOBAL {setting}")
