"""Two relations are equal as multisets, and a difference says which rows."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from fieldwise.engines.compare import compare
from fieldwise.engines.duckdb import InMemoryEngine

ENGINE = InMemoryEngine()
ROWS = st.lists(st.tuples(st.none() | st.integers(0, 2), st.none() | st.sampled_from("ab")), max_size=5)


def select(rows: list[tuple[int | None, str | None]]) -> str:
    cells = [f"SELECT CAST({'NULL' if a is None else a} AS INTEGER) AS a, CAST({'NULL' if b is None else repr(b)} AS VARCHAR) AS b"
             for a, b in rows]  # fmt: skip
    return " UNION ALL ".join(cells) or "SELECT 1::INTEGER AS a, 'x' AS b WHERE false"


@given(ROWS, ROWS)
def test_relations_are_compared_as_multisets(
    left: list[tuple[int | None, str | None]], right: list[tuple[int | None, str | None]]
) -> None:
    found = compare(ENGINE.cursor(), select(left), select(right))
    assert Counter(found.only_left) == Counter(left) - Counter(right)
    assert Counter(found.only_right) == Counter(right) - Counter(left)
    assert bool(found) == (Counter(left) != Counter(right))


def test_rounding_is_no_difference_and_a_cent_is() -> None:
    one, other = "SELECT 1 AS k, 0.1::DOUBLE + 0.2::DOUBLE AS x", "SELECT 1 AS k, 0.3::DOUBLE AS x"
    assert not compare(ENGINE.cursor(), one, other)
    assert str(compare(ENGINE.cursor(), one, "SELECT 1 AS k, 0.31::DOUBLE AS x")).startswith(
        "1 row(s) only left (k, x): (1, 0.3"
    )


def test_nothing_is_not_a_number() -> None:
    assert compare(ENGINE.cursor(), "SELECT NULL::DOUBLE AS x", "SELECT 0::DOUBLE AS x")
    assert not compare(ENGINE.cursor(), "SELECT 'nan'::DOUBLE AS x", "SELECT 'nan'::DOUBLE AS x")


def test_another_type_is_a_difference() -> None:
    found = compare(ENGINE.cursor(), "SELECT 1::INTEGER AS a", "SELECT 1::BIGINT AS a")
    assert str(found) == '"a" is INTEGER on the left and BIGINT on the right'


def test_only_the_columns_asked_for_and_only_the_parameters_used() -> None:
    left, right = "SELECT $a AS a, 1 AS b", "SELECT 2 AS b, 5 AS a"
    assert not compare(ENGINE.cursor(), left, right, ["a"], {"a": 5})
    assert compare(ENGINE.cursor(), left, right, ["a", "b"], {"a": 5})
