"""What a result must satisfy before it may be published, in as few statements as possible (spec 2)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import duckdb

from fieldwise.engines.quoting import identifier, identifiers
from fieldwise.model.attempt import AttemptRequest, OutputField
from fieldwise.workers.outcomes import CheckFailed

SHOWN_ROWS = 3


def check_result(cursor: duckdb.DuckDBPyConnection, scratch: str, request: AttemptRequest) -> int:
    """All checks of one result; returns its row count. Raises CheckFailed naming rows."""
    keys = [one.name for one in request.key]
    conditions = _conditions(request)
    counted = "".join(f", count(*) FILTER (WHERE NOT coalesce({sql}, true))" for _, sql in conditions)
    null_key = " OR ".join(f"{identifier(name)} IS NULL" for name in keys) or "false"
    row = cursor.execute(
        f"SELECT count(*), count(*) FILTER (WHERE {null_key}){counted} FROM {scratch}"
    ).fetchone()
    assert row is not None
    rows, null_keys, *failing = (int(value) for value in row)
    if null_keys:
        raise CheckFailed(
            f"{null_keys} row(s) have no key ({', '.join(keys)} must not be NULL)"
            + _examples(cursor, scratch, keys, null_key)
        )
    _check_bounds(request, rows)
    broken = [(name, sql, count) for (name, sql), count in zip(conditions, failing, strict=True) if count]
    if broken:
        words = [
            f"{count} row(s) fail {name}" + _examples(cursor, scratch, keys, f"NOT coalesce({sql}, true)")
            for name, sql, count in broken
        ]
        raise CheckFailed("; ".join(words))
    _check_unique(cursor, scratch, keys)
    return rows


def _check_unique(cursor: duckdb.DuckDBPyConnection, scratch: str, keys: Sequence[str]) -> None:
    if not keys:
        return
    named = identifiers(keys)
    twice = cursor.execute(
        f"SELECT {named}, count(*) FROM {scratch} GROUP BY {named} HAVING count(*) > 1 LIMIT {SHOWN_ROWS}"
    ).fetchall()
    if twice:
        shown = "; ".join(f"({', '.join(str(value) for value in row[:-1])}) {row[-1]} times" for row in twice)
        raise CheckFailed(f"the key ({', '.join(keys)}) is not unique: {shown}", "key_not_unique")


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
    """(how it is shown, SQL that is true for a good row) of every declared check."""
    return [
        (f"{one.name} {check}", condition(one, check))
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


def _examples(cursor: duckdb.DuckDBPyConnection, scratch: str, keys: Sequence[str], wrong: str) -> str:
    named = identifiers(keys) or "*"
    rows = cursor.execute(f"SELECT {named} FROM {scratch} WHERE {wrong} LIMIT {SHOWN_ROWS}").fetchall()
    return ", for example " + "; ".join(f"({', '.join(str(value) for value in row)})" for row in rows)


def check_types(found: Sequence[tuple[str, str]], request: AttemptRequest) -> None:
    """A column that changed its type since publishing fails with the difference."""
    types = dict(found)
    wanted = [one for one in (*request.key, *request.fields) if one.type]
    missing = [one.name for one in wanted if one.name not in types]
    if missing:
        raise CheckFailed(f"the result has no column {', '.join(missing)}", "columns_changed")
    changed = [
        f"{one.name}: {one.type} -> {types[one.name]}" for one in wanted if _other(types[one.name], one.type)
    ]
    if changed:
        raise CheckFailed(
            f"columns changed their type since publishing ({'; '.join(changed)}); publish again",
            "columns_changed",
        )


def _other(found: str, wanted: str) -> bool:
    plain = '"NULL"'
    return plain not in (found, wanted) and found != wanted


def check_source_keys(cursor: duckdb.DuckDBPyConnection, request: AttemptRequest) -> None:
    """A declared key of a source holds within the partition read, else joins would multiply rows (rule J9)."""
    for source, key, partition in request.source_keys:
        where, values = "", []
        if partition:
            where, values = (
                f" WHERE {identifier(partition)} = CAST(? AS {request.partition_type})",
                [request.partition],
            )
        named = identifiers(key)
        sql = f"SELECT {named}, count(*) FROM {source}{where} GROUP BY {named} HAVING count(*) > 1 LIMIT {SHOWN_ROWS}"
        twice = cursor.execute(sql, values).fetchall()
        if twice:
            shown = "; ".join(str(tuple(row[:-1])) for row in twice)
            raise CheckFailed(
                f"source {source} declares the key ({', '.join(key)}) and has it more than once: {shown}",
                "source_key",
            )
