"""One suite for every store: a new implementation joins the list, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stored_shop import Shop, opened

from fieldwise.store.sqlite import SqliteStore

IMPLEMENTATIONS: dict[str, Callable[[Path], SqliteStore]] = {
    "sqlite": lambda folder: SqliteStore(folder / "state.db"),
    "sqlite-memory": lambda folder: SqliteStore(":memory:"),
}


@pytest.fixture(params=list(IMPLEMENTATIONS))
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """A store in which the project `shop` is published and this test leads."""
    store = IMPLEMENTATIONS[request.param](tmp_path)
    yield opened(store)
    store.close()
