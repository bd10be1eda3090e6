"""The stored OpenAPI document is the application's own: the web client is generated from it."""

from __future__ import annotations

import json
from pathlib import Path

from fieldwise.api.app import create_app

STORED = Path(__file__).parents[2] / "web" / "openapi.json"


def test_the_stored_contract_is_current() -> None:
    assert json.loads(STORED.read_text()) == create_app(None, "").openapi(), "run `make client`"


def test_every_operation_has_an_id_of_its_own() -> None:
    document = create_app(None, "").openapi()
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))
