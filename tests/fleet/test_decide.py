"""What a decision does, case by case."""

from __future__ import annotations

from warehouse import Birth, World, need, node, publication, report, simple, table

from fieldwise.fleet.values import DAY
from fieldwise.model.status import Status


def test_a_chain_runs_one_after_the_other():
    a, b = simple("a"), simple("b", need("a"))
    world = World([publication(a, b)], Birth().days([a, b], [5]))
    world.take()
    assert world.started() == [[1]]
    world.finish()
    assert world.started() == [[2]]
    world.finish()
    assert world.started() == []
    assert world.statuses() == [Status.SUCCEEDED, Status.SUCCEEDED]


def test_nodes_of_a_table_are_fused():
    a = table("a", node("a", "n1"), node("a", "n2"))
    world = World([publication(a)], Birth().days([a], [5]))
    world.take()
    assert world.started() == [[1, 2]]
