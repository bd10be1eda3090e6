"""Schema and named SQL: numbered migrations make exactly the schema that is written down; every statement has its sentence."""

from __future__ import annotations

import re
import sqlite3
from importlib import resources
from pathlib import Path

import pytest

from fieldwise.store.database import Database
from fieldwise.store.named import migrations, queries

FOLDER = Path(str(resources.files("fieldwise.store")))
NOUNS = sorted(path.stem for path in (FOLDER / "queries").glob("*.sql"))


def words(sql: str) -> str:
    return " ".join(re.sub(r"--[^\n]*", "", sql).split())


def test_migrations_make_the_schema_that_is_written_down() -> None:
    database = Database(":memory:")
    database.migrate()
    made = [words(sql) for (sql,) in database.rows("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")]
    written = sqlite3.connect(":memory:")
    written.executescript((FOLDER / "schema.sql").read_text())
    shown = [words(sql) for (sql,) in written.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")]
    written.close()
    database.close()
    assert sorted(made) == sorted(shown)


def test_migrations_are_numbered_without_a_hole_and_run_once() -> None:
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))
    database = Database(":memory:")
    assert database.migrate() == database.migrate() == len(migrations())
    database.close()


def test_a_store_from_the_future_is_left_alone(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "state.db"))
    database.migrate()
    database.writer.execute("PRAGMA user_version = 999")
    with pytest.raises(Exception, match="newer"):
        database.migrate()
    database.close()


@pytest.mark.parametrize("noun", NOUNS)
def test_every_statement_has_a_name_and_a_sentence(noun: str) -> None:
    text = (FOLDER / "queries" / f"{noun}.sql").read_text()
    for block in re.split(r"^-- \w+ --$", text, flags=re.MULTILINE)[1:]:
        assert block.lstrip().startswith("-- "), block
    assert all(queries(noun).values())
