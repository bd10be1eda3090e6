"""Every SQL form: its nodes are those written beside it, and each of them, alone and fused, is the query in one piece."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pytest
from sqlcases import (
    Case,
    cases,
    compiled,
    connect,
    differences,
    grouping,
    multiset,
    one_piece,
    rows_of,
)

from fieldwise.compiler import cut, fuse
from fieldwise.model.plan import CompiledTask

FORMS = cases("forms.sql") + cases("cuts.sql")


@pytest.fixture(scope="module")
def warehouses() -> list[duckdb.DuckDBPyConnection]:
    return [connect(seed) for seed in (1, 2, 3)]


@pytest.mark.parametrize("case", FORMS, ids=str)
def test_nodes_are_those_written_beside_the_query(case: Case) -> None:
    found = compiled(case.sql, case.key)
    assert grouping(found) == case.expected["nodes"]
    if "why" in case.expected:
        assert case.expected["why"] in found.nodes[0].why
        assert "cannot be computed apart" in found.nodes[0].why
    assert sum(node.row_node for node in found.nodes) == 1


@pytest.mark.parametrize("case", FORMS, ids=str)
def test_nodes_and_fused_sets_equal_one_piece(
    case: Case, warehouses: list[duckdb.DuckDBPyConnection]
) -> None:
    found = compiled(case.sql, case.key)
    for con in warehouses:
        assert differences(con, found, case.sql) == []


@pytest.mark.parametrize("case", FORMS, ids=str)
def test_a_fused_node_is_the_node(case: Case) -> None:
    """The stored text and cuts give what the tree gave."""
    found = compiled(case.sql, case.key)
    for node in found.nodes:
        alone = fuse(_without_texts(found), [node.id])
        assert alone.sql == node.sql
        assert alone.parameters == node.parameters


@pytest.mark.parametrize("case", FORMS, ids=str)
def test_every_single_field_equals_one_piece(case: Case, warehouses: list[duckdb.DuckDBPyConnection]) -> None:
    """Cut more finely than nodes ever are: each comparable field alone."""
    found = compiled(case.sql, case.key)
    names, whole = one_piece(warehouses[0], case.sql)
    folded = [name.lower() for name in names]
    for field in found.fields:
        if field.key or not field.comparable or "why" in case.expected:
            continue
        sql, parameters = cut(found, [field.name])
        got_names, got = rows_of(warehouses[0], sql, parameters)
        assert set(got_names) == {*found.key, field.name}, sql
        there = [[row[folded.index(name.lower())] for name in got_names] for row in whole]
        assert multiset(got) == multiset(there), sql


def _without_texts(found: CompiledTask) -> CompiledTask:
    return replace(found, nodes=tuple(replace(node, sql="") for node in found.nodes))
