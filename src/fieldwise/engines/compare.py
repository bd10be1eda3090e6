"""Whether two relations hold the same rows, as multisets; floating point with a relative tolerance (spec 8, Equivalence)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from fieldwise.engines.quoting import identifier, identifiers

FLOATING = ("FLOAT", "DOUBLE")
TOLERANCE = 1e-9
SHOWN_ROWS = 3

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows only one side has; empty = equal."""

    columns: tuple[str, ...]
    only_left: tuple[Row, ...] = ()
    only_right: tuple[Row, ...] = ()
    types: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.only_left or self.only_right or self.types)

    def __str__(self) -> str:
        if not self:
            return "equal"
        lines = [*self.types]
        for side, rows in (("only left", self.only_left), ("only right", self.only_right)):
            if rows:
                shown = "; ".join(str(row) for row in rows[:SHOWN_ROWS])
                lines.append(f"{len(rows)} row(s) {side} ({', '.join(self.columns)}): {shown}")
        return "\n".join(lines)


def compare(
    cursor: duckdb.DuckDBPyConnection,
    left: str,
    right: str,
    columns: Sequence[str] = (),
    parameters: Mapping[str, object] | None = None,
) -> Difference:
    """`left`, `right`: SELECTs. `columns`: those to compare, by name; empty: all of the left.

    Equal rows are cancelled in the engine; what is left and differs only in floating point is paired here.
    """
    bound = dict(parameters) if parameters else None
    described = [_columns(cursor, side, bound) for side in (left, right)]
    names = tuple(columns) or tuple(described[0])
    types = _type_differences(names, *described)
    if types:
        return Difference(names, types=types)
    # A side that does not use every parameter would refuse to bind it: both stand in one statement.
    listed = identifiers(names)
    cursor.execute(
        f"WITH l AS ({_bare(left)}\n), r AS ({_bare(right)}\n), "
        f"counted AS (SELECT {listed}, 1 AS side FROM l UNION ALL SELECT {listed}, -1 FROM r) "
        f"SELECT sum(side), {listed} FROM counted GROUP BY {listed} HAVING sum(side) <> 0",
        bound,
    )
    only: tuple[list[Row], list[Row]] = ([], [])
    for count, *row in cursor.fetchall():
        only[count < 0].extend([tuple(row)] * abs(int(count)))
    if any(described[0][name] in FLOATING for name in names):
        _pair_nearly_equal(*only)
    return Difference(names, tuple(only[0]), tuple(only[1]))


def _bare(sql: str) -> str:
    return sql.rstrip().rstrip(";")


def _columns(cursor: duckdb.DuckDBPyConnection, sql: str, bound: dict[str, object] | None) -> dict[str, str]:
    used = {name: value for name, value in (bound or {}).items() if f"${name}" in sql}
    return {name: kind for name, kind, *_ in cursor.execute(f"DESCRIBE {sql}", used or None).fetchall()}


def _type_differences(names: Sequence[str], left: dict[str, str], right: dict[str, str]) -> tuple[str, ...]:
    return tuple(
        f"{identifier(name)} is {left.get(name, 'missing')} on the left and {right.get(name, 'missing')} on the right"
        for name in names
        if left.get(name) != right.get(name)
    )


def _pair_nearly_equal(left: list[Row], right: list[Row]) -> None:
    """Remove the pairs that differ only by rounding; rows are bucketed by everything that is not a float."""
    buckets: dict[Row, list[Row]] = {}
    for row in right:
        buckets.setdefault(_exact(row), []).append(row)
    unpaired = []
    for row in left:
        partner = next((one for one in buckets.get(_exact(row), ()) if _near(row, one)), None)
        if partner is None:
            unpaired.append(row)
        else:
            buckets[_exact(row)].remove(partner)
    left[:] = unpaired
    right[:] = [row for rows in buckets.values() for row in rows]


def _exact(row: Row) -> Row:
    return tuple(None if isinstance(value, float) else repr(value) for value in row)


def _near(left: Row, right: Row) -> bool:
    return all(
        math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        for a, b in zip(left, right, strict=True)
        if isinstance(a, float) and isinstance(b, float)
    )
