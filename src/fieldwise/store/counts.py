"""Counts by status as an instance row keeps them: JSON to show, bits to filter by."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

NODES, FIELDS = 7, 5
OPEN_BITS = 0b0011111  # node statuses that are not final
# Instances that have not wholly succeeded have an index; it is used when a query says its condition again.
# (`NOT IN` would make SQLite build a table of the numbers for every row.)
UNDONE = "i.present <> 32 AND i.present <> 1056"
DONE_BITS = 32 | 1056


@lru_cache(65_536)
def shape(nodes: tuple[int, ...], fields: tuple[int, ...]) -> tuple[str, str, int]:
    """(counts of nodes, counts of fields, which statuses occur). Few shapes occur, each a million times."""
    return text(nodes), text(fields), present(nodes, fields)


def text(counts: Sequence[int]) -> str:
    return "[" + ",".join(map(str, counts)) + "]"


def present(nodes: Sequence[int], fields: Sequence[int]) -> int:
    """Which statuses occur, as bits: 7 of nodes, then 5 of fields; lists filter by it."""
    return sum(1 << place for place, count in enumerate((*nodes, *fields)) if count)
