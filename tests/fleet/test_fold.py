"""Every multiset of up to five node statuses folds as spec 3, "Field status" says."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest
from warehouse import Birth, World, node, publication, table

from fieldwise.fleet.fold import field_status, fold_counts, instance_states
from fieldwise.fleet.values import Facts
from fieldwise.fleet.window import Window
from fieldwise.model.status import FieldStatus, Status

MULTISETS = [m for size in range(6) for m in combinations_with_replacement(Status, size)]


def reading(statuses: tuple[Status, ...]) -> FieldStatus:
    """The sentence of the spec, in its order."""
    if any(s is Status.SUCCEEDED for s in statuses):
        return FieldStatus.SUCCEEDED
    if any(s is Status.RUNNING for s in statuses):
        return FieldStatus.RUNNING
    if any(s in (Status.WAITING_TIME, Status.THROTTLED, Status.WAITING_RESOURCES) for s in statuses):
        return FieldStatus.WAITING
    if statuses and set(statuses) == {Status.FAILED}:
        return FieldStatus.FAILED
    return FieldStatus.NOT_RUNNING


def test_there_are_all_multisets():
    assert len(MULTISETS) == 792


@pytest.mark.parametrize("order", [1, -1])
def test_every_multiset_folds(order: int):
    for statuses in MULTISETS:
        assert field_status(statuses[::order]) is reading(statuses)


def test_counts_fold_like_statuses():
    counts = np.array([[m.count(s) for s in Status] for m in MULTISETS])
    assert fold_counts(counts).tolist() == [reading(m) for m in MULTISETS]


@pytest.mark.parametrize("shared", [False, True])
def test_an_instance_counts_fields_and_nodes(shared: bool):
    fields = {"n1": ("x", "y"), "n2": ("z",), "n3": ("z", "x") if shared else ("w",)}
    a = table("a", *(node("a", label, fields=names) for label, names in fields.items()))
    for statuses in combinations_with_replacement(Status, 3):
        firings = Birth().instance(a, 100)
        firings = [
            f._replace(state=f.state._replace(status=s)) for f, s in zip(firings, statuses, strict=True)
        ]
        window = Window.build([publication(a)], firings, Facts())
        (state,) = instance_states(window, np.array([0]))
        assert state.nodes == tuple(statuses.count(s) for s in Status)
        by_label = dict(zip(fields, statuses, strict=True))
        makers = {
            name: [by_label[n] for n in fields if name in fields[n]] for n in fields for name in fields[n]
        }
        folded = [
            reading(tuple(nodes)) for nodes in (*makers.values(), list(statuses))
        ]  # the last is the key
        assert state.fields == tuple(folded.count(s) for s in FieldStatus)


def test_an_instance_starts_first_and_ends_last():
    a = table("a", node("a", "n1"), node("a", "n2", group="other"))
    world = World([publication(a)], Birth().days([a], [5]))
    first = world.take().batch.instances
    assert [(s.started_at, s.ended_at) for s in first] == [(world.now, None)]
    started = world.now
    world.now += 10
    last = world.finish().batch.instances
    assert [(s.started_at, s.ended_at) for s in last] == [(started, world.now)]
