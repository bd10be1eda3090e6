"""Rules J1-J10: which joins go, each rule with its counter-examples; what is left is the query in one piece."""

from __future__ import annotations

import duckdb
import pytest
from sqlcases import Case, cases, compiled, connect, differences, grouping

CASES = cases("removal.sql")


@pytest.fixture(scope="module")
def warehouses() -> list[duckdb.DuckDBPyConnection]:
    return [connect(seed) for seed in (11, 12)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_join_goes_exactly_where_the_rule_proves_it(case: Case) -> None:
    assert grouping(compiled(case.sql, case.key)) == case.expected["nodes"]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_nodes_equal_one_piece(case: Case, warehouses: list[duckdb.DuckDBPyConnection]) -> None:
    found = compiled(case.sql, case.key)
    for con in warehouses:
        assert differences(con, found, case.sql) == []
