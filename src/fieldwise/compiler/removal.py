"""Which joins neither drop nor multiply rows and so may go for fields that read nothing of them (rules J1, J8)."""

from __future__ import annotations

from fieldwise.compiler.keys import Keys, is_one_row
from fieldwise.compiler.relations import Block, Occurrence


def left_join_matching_once(keys: Keys, occurrence: Occurrence, block: Block) -> bool:
    """J1, J2: a LEFT JOIN (also ASOF) with at most one match for each row."""
    if (
        occurrence.side != "LEFT"
        or occurrence.kind not in ("", "OUTER")
        or occurrence.method not in ("", "ASOF")
    ):
        return False
    return keys.at_most_one(occurrence, block)


def cross_join_with_one_row(keys: Keys, occurrence: Occurrence, block: Block) -> bool:
    """J1: CROSS JOIN or comma without ON onto exactly one row."""
    plain = occurrence.side == "" and occurrence.kind in ("", "CROSS") and occurrence.method == ""
    return plain and not occurrence.on and is_one_row(occurrence.relation)


REMOVAL_RULES = (left_join_matching_once, cross_join_with_one_row)


def removable(keys: Keys, occurrence: Occurrence, block: Block) -> bool:
    """Whether the occurrence may be left out for the fields that read no column of it."""
    if occurrence.join is None or occurrence.grouped:
        return False
    return any(rule(keys, occurrence, block) for rule in REMOVAL_RULES)
