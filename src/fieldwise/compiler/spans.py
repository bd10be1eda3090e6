"""Which partitions a metric's statistical span covers, as a predicate on its source's partition (spec 2)."""

from __future__ import annotations

import re

from fieldwise.compiler.catalogue import CatalogueTable

_FIXED = re.compile(r"([1-9]\d*)([dh])")
_UNITS = {"mtd": "month", "qtd": "quarter", "ytd": "year"}


def span_predicate(span: str, table: CatalogueTable, alias: str) -> str | None:
    """SQL with `$name` placeholders; "" for all of a table without partition; None if the span does not fit the table."""
    if not table.partition:
        return "" if span == "td" else None
    column = f'{alias}."{table.partition}"'
    if table.partition_type.upper().startswith("TIMESTAMP"):
        return _of_slots(span, column)
    return _of_days(span, column)


def _of_days(span: str, column: str) -> str | None:
    if span in _UNITS:
        return f"{column} BETWEEN date_trunc('{_UNITS[span]}', $data_date) AND $data_date"
    if span == "td":
        return f"{column} <= $data_date"
    found = _FIXED.fullmatch(span)
    if found is None or found[2] == "h":
        return None
    days = int(found[1])
    return (
        f"{column} = $data_date"
        if days == 1
        else f"{column} BETWEEN $data_date - INTERVAL {days - 1} DAY AND $data_date"
    )


def _of_slots(span: str, column: str) -> str | None:
    """Over hours or minutes: hours count back from the slot's end, days are local days up to the data timestamp's end."""
    if span in _UNITS:
        return f"{column} >= date_trunc('{_UNITS[span]}', $day_start) AND {column} < $day_end"
    if span == "td":
        return f"{column} < $slot_end"
    found = _FIXED.fullmatch(span)
    if found is None:
        return None
    count = int(found[1])
    if found[2] == "h":
        return f"{column} >= $slot_end - INTERVAL {count} HOUR AND {column} < $slot_end"
    start = "$day_start" if count == 1 else f"$day_start - INTERVAL {count - 1} DAY"
    return f"{column} >= {start} AND {column} < $day_end"
