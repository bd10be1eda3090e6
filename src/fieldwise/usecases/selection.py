"""Reads the selection language (spec 5): `table:retail.dim_user field:age status:failed data:2026-11-18..2026-11-19`.

Space = and; the same key again = or; quotes hold spaces together. `field:` chooses fields of what is found.
"""

from __future__ import annotations

import shlex

from fieldwise.model.errors import BadRequest
from fieldwise.model.status import Environment
from fieldwise.ports.store import Store

FILTERS = (
    "q", "kind", "table_kind", "project", "table", "status", "owner", "priority", "period", "paused", "dry_run", "tag",
    "run_type", "started_from", "started_to", "ended_from", "ended_to", "data_from", "data_to",
)  # fmt: skip
PAGE = 500


def parse(query: str) -> tuple[dict[str, list[str]], list[str]]:
    """(filters of the instance list, fields). Raises BadRequest with the word that is not understood."""
    try:
        words = shlex.split(query)
    except ValueError as error:
        raise BadRequest(
            f"the query is not understood: {error}", 'quotes come in pairs: owner:"ana maria"'
        ) from None
    filters: dict[str, list[str]] = {}
    fields: list[str] = []
    for word in words:
        key, colon, value = word.partition(":")
        if not colon or not value:
            raise BadRequest(f"{word} is not understood", "write key:value, for example status:failed")
        if key == "field":
            fields.append(value)
        elif key == "data":
            first, _, last = value.partition("..")
            filters["data_from"], filters["data_to"] = [first], [last or first]
        elif key in FILTERS:
            filters.setdefault(key, []).append(value)
        else:
            raise BadRequest(f"there is no key {key}", f"known: data, field, {', '.join(FILTERS)}")
    return filters, fields


def select(
    store: Store, query: str, environment: Environment, limit: int
) -> tuple[list[int], tuple[str, ...] | None]:
    """Ids of the instances a query finds, and the fields it names. Raises BadRequest above the limit."""
    filters, fields = parse(query)
    filters["env"] = [environment.value]
    found: list[int] = []
    cursor: str | None = None
    while True:
        page = store.instances(filters, "scheduled", PAGE, cursor)
        found += [item["id"] for item in page.items]
        cursor = page.cursor
        if len(found) > limit:
            raise BadRequest(f"the query finds more than {limit} instances", "make it narrower")
        if cursor is None:
            return found, tuple(fields) or None
