"""The core decides from values alone: no module of it reads a clock, draws a number, waits or opens anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import fieldwise

PACKAGE = Path(fieldwise.__file__).parent
PURE = ("model", "definitions", "compiler", "calendar", "fleet", "operations", "watch")
FORBIDDEN_MODULES = {"time", "random", "threading", "asyncio", "logging", "os", "sqlite3", "duckdb"}
CLOCK_CALLS = {"now", "utcnow", "today"}
MAY_READ_SQL = {"compiler", "definitions"}


def impurities(source: str, may_read_sql: bool) -> Iterator[tuple[int, str]]:
    """Line and reason of everything in the source that the core may not do."""
    forbidden = FORBIDDEN_MODULES if may_read_sql else FORBIDDEN_MODULES | {"sqlglot"}
    for node in ast.walk(ast.parse(source)):
        imported: list[str] = []
        if isinstance(node, ast.Import):
            imported = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            imported = [node.module or ""]
        for name in imported:
            if name.partition(".")[0] in forbidden:
                yield node.lineno, f"imports {name}"
        # The bare attribute counts as well: `clock = datetime.now` reads the clock one line later.
        if isinstance(node, ast.Attribute) and node.attr in CLOCK_CALLS and _is_a_date_class(node.value):
            yield node.lineno, f"reads the clock: {ast.unparse(node)}"


def _is_a_date_class(node: ast.expr) -> bool:
    """`datetime`, `date`, `datetime.datetime` or an alias such as `dt.date`; not a value such as `window.now`."""
    return ast.unparse(node).rpartition(".")[2] in {"datetime", "date"}


def pure_files() -> list[Path]:
    return sorted(path for package in PURE for path in (PACKAGE / package).rglob("*.py"))


@pytest.mark.parametrize("path", pure_files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_core_knows_no_clock_no_chance_and_no_database(path: Path) -> None:
    package = path.relative_to(PACKAGE).parts[0]
    found = list(impurities(path.read_text(encoding="utf-8"), package in MAY_READ_SQL))
    assert not found, "\n".join(f"{path}:{line}: {reason}" for line, reason in found)


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "import os.path",
        "from random import choice",
        "def late():\n    import sqlite3",
        "import sqlglot",
        "from datetime import datetime\nat = datetime.now()",
        "from datetime import datetime, UTC\nat = datetime.now(UTC)",
        "import datetime\nat = datetime.datetime.utcnow()",
        "import datetime as dt\nday = dt.date.today()",
        "from datetime import datetime\nclock = datetime.now",
    ],
)
def test_an_impurity_is_found(source: str) -> None:
    assert list(impurities(source, may_read_sql=False))


@pytest.mark.parametrize(
    "source",
    [
        "at = window.now",
        "from fieldwise.ports import clock",
        "from datetime import datetime, timedelta",
        "from . import time",
    ],
)
def test_a_pure_module_passes(source: str) -> None:
    assert not list(impurities(source, may_read_sql=False))
