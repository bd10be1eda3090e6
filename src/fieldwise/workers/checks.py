"""What a result must satisfy before it may be published, in as few statements as possible (spec 2)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import duckdb

from fieldwise.engines.quoting import identifier, identifiers
from fieldwise.model.attempt import AttemptRequest, OutputField
from fieldwise.workers.outcomes import CheckFailed

SHOWN_ROWS = 3
FEW_ROWS = 1000  # below, fetching the keys is cheaper than a second aggregation
BITS_PER_ROW = 64
MOST_BITS = 1 << 31
PLAIN = re.compile(r"^(?:U?(?:TINY|SMALL|BIG|HUGE)INT|U?INTEGER|VARCHAR|DATE|TIMESTAMP.*|BOOLEAN|DECIMAL.*)$")
INTEGER = re.compile(r"^(?:U?(?:TINY|SMALL)INT|U?INTEGER|BIGINT)$")


def check_rows(cursor: duckdb.DuckDBPyConnection, source: str, request: AttemptRequest, rows: int) -> None:
    """All checks of one result of `rows` rows; `source` is its FROM item. Raises CheckFailed naming rows."""
    _check_bounds(request, rows)
    conditions = _conditions(request)
    if rows == 0 or not (request.key or conditions):
        return
    if rows <= FEW_ROWS and all(PLAIN.match(one.type) for one in request.key):
        good = _few_are_good(cursor, source, request, conditions)
    else:
        good = _many_are_good(cursor, source, request, conditions, rows)
    if not good:
        _explain(cursor, source, request, conditions)


def _check_bounds(request: AttemptRequest, rows: int) -> None:
    if request.rows_minimum is not None and rows < request.rows_minimum:
        raise CheckFailed(f"{rows} rows, at least {request.rows_minimum} are declared")
    if request.rows_maximum is not None and rows > request.rows_maximum:
        raise CheckFailed(f"{rows} rows, at most {request.rows_maximum} are declared")
    if request.refuse_empty and rows == 0:
        raise CheckFailed(
            "0 rows where each of the last 7 runs had some; set allow_empty: true if that is right", "empty"
        )


def _conditions(request: AttemptRequest) -> list[tuple[str, str]]:
    """(how it is shown, SQL that is true for a bad row) of every declared check."""
    return [
        (f"{one.name} {check}", f"NOT coalesce({condition(one, check)}, true)")
        for one in (*request.key, *request.fields)
        for check in one.checks
    ]


def condition(field: OutputField, check: str) -> str:
    """`not_null`, `>= 0`, `in ('a', 'b')`, `between 1 and 2`, or any condition that names the field itself."""
    name = identifier(field.name)
    text = check.strip()
    if text.lower() in ("not_null", "not null"):
        return f"{name} IS NOT NULL"
    if re.match(r"(?i)^(?:[<>=!]|in\b|not\s|between\b|like\b|ilike\b|is\b|similar\b)", text):
        return f"({name} {text})"
    return f"({text})"


def _few_are_good(
    cursor: duckdb.DuckDBPyConnection,
    source: str,
    request: AttemptRequest,
    conditions: Sequence[tuple[str, str]],
) -> bool:
    keys = [identifier(one.name) for one in request.key]
    width = len(keys)
    found = cursor.execute(
        f"SELECT {', '.join([*keys, *(sql for _, sql in conditions)])} FROM {source}"
    ).fetchall()
    seen = {row[:width] for row in found}
    no_nulls = not any(value is None for row in seen for value in row)
    unique = not width or len(seen) == len(found)
    return no_nulls and unique and not any(any(row[width:]) for row in found)


def _many_are_good(
    cursor: duckdb.DuckDBPyConnection,
    source: str,
    request: AttemptRequest,
    conditions: Sequence[tuple[str, str]],
    rows: int,
) -> bool:
    names = [identifier(one.name) for one in request.key]
    dense = bool(names) and all(INTEGER.match(one.type) for one in request.key)
    parts = [f"count({name})" for name in names]
    parts += [f"{act}({name})" for name in names for act in ("min", "max")] if dense else []
    parts += [f"count(*) FILTER (WHERE {sql})" for _, sql in conditions]
    row = cursor.execute(f"SELECT {', '.join(parts)} FROM {source}").fetchone()
    assert row is not None
    counts, row = row[: len(names)], row[len(names) :]
    ranges, row = (row[: 2 * len(names)], row[2 * len(names) :]) if dense else ((), row)
    if any(count != rows for count in counts) or any(row):
        return False
    return not names or _different_keys(cursor, source, names, ranges, rows) == rows


def _different_keys(
    cursor: duckdb.DuckDBPyConnection, source: str, names: Sequence[str], ranges: Sequence[int], rows: int
) -> int:
    """How many keys there are: by a bitmap if they are integers close together (15 times faster), else by hash.

    Fewer hashes than rows may also be a collision, once in a million results of six million rows: `_explain` knows.
    """
    position, stride = [], 1
    for index, name in enumerate(names):
        if not ranges:
            break
        lowest, highest = ranges[2 * index], ranges[2 * index + 1]
        position.append(f"(CAST({name} AS BIGINT) - ({lowest})) * {stride}")
        stride *= highest - lowest + 1
    if ranges and stride <= min(MOST_BITS, BITS_PER_ROW * rows):
        bits = f"bitstring_agg(CAST({' + '.join(position)} AS BIGINT), CAST(0 AS BIGINT), CAST({stride} AS BIGINT))"
        row = cursor.execute(f"SELECT bit_count({bits}) FROM {source}").fetchone()
    else:
        row = cursor.execute(f"SELECT count(DISTINCT hash({', '.join(names)})) FROM {source}").fetchone()
    assert row is not None
    return int(row[0])


def _explain(
    cursor: duckdb.DuckDBPyConnection,
    source: str,
    request: AttemptRequest,
    conditions: Sequence[tuple[str, str]],
) -> None:
    """The result is not good: say why, with rows."""
    keys = [one.name for one in request.key]
    null_key = " OR ".join(f"{identifier(name)} IS NULL" for name in keys) or "false"
    words = []
    for shown, sql in ((f"key ({', '.join(keys)}) not_null", null_key), *conditions):
        row = cursor.execute(f"SELECT count(*) FROM {source} WHERE {sql}").fetchone()
        if row is not None and row[0]:
            words.append(f"{row[0]} row(s) fail {shown}{_examples(cursor, source, keys, sql)}")
    if words:
        raise CheckFailed("; ".join(words))
    named = identifiers(keys)
    twice = cursor.execute(
        f"SELECT {named}, count(*) FROM {source} GROUP BY {named} HAVING count(*) > 1 ORDER BY ALL LIMIT {SHOWN_ROWS}"
    ).fetchall()
    if twice:
        shown = "; ".join(f"({', '.join(str(value) for value in row[:-1])}) {row[-1]} times" for row in twice)
        raise CheckFailed(f"the key ({', '.join(keys)}) is not unique: {shown}", "key_not_unique")


def _examples(cursor: duckdb.DuckDBPyConnection, source: str, keys: Sequence[str], wrong: str) -> str:
    named = identifiers(keys) or "*"
    rows = cursor.execute(f"SELECT {named} FROM {source} WHERE {wrong} LIMIT {SHOWN_ROWS}").fetchall()
    return ", for example " + "; ".join(f"({', '.join(str(value) for value in row)})" for row in rows)


def check_types(found: Sequence[tuple[str, str]], request: AttemptRequest) -> None:
    """A column that changed its type since publishing fails with the difference."""
    types = dict(found)
    wanted = [one for one in (*request.key, *request.fields) if one.type]
    missing = [one.name for one in wanted if one.name not in types]
    if missing:
        raise CheckFailed(f"the result has no column {', '.join(missing)}; publish again", "columns_changed")
    changed = [
        f"{one.name}: {one.type} -> {types[one.name]}"
        for one in wanted
        if types[one.name].upper() != one.type.upper() and '"NULL"' not in (types[one.name], one.type)
    ]
    if changed:
        raise CheckFailed(
            f"columns changed their type since publishing ({'; '.join(changed)}); publish again",
            "columns_changed",
        )
