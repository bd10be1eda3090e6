"""Each of these broken operations is caught by the tests beside it: else those tests prove nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stage  # noqa: F401  (finds the warehouse of the fleet)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from test_operation_closure import check_causes, check_closed, chosen
from test_operation_matrix import cases, check_plan
from test_operation_pairs import check_pair
from test_operation_reach import check_reach

from fieldwise.fleet import decide
from fieldwise.fleet.operating import Orders
from fieldwise.model.operation import Cause, Verb
from fieldwise.model.status import FieldStatus, Status
from fieldwise.operations import choose, plan, recompute, states
from fieldwise.operations.fields import FieldMap
from fieldwise.operations.flow import Flow
from fieldwise.operations.reach import Reach

Patch = Callable[[pytest.MonkeyPatch], None]
Check = Callable[[], object]
originals = {
    "closed": FieldMap.closed,
    "causes": FieldMap.causes,
    "read": Flow._read,
    "add": Reach._add,
    "basis": plan._basis,
}


def generated(check: Any, *strategies: st.SearchStrategy[Any]) -> Check:
    """Without shrinking, which a broken program makes long."""
    return settings(
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        deadline=None,
        max_examples=400,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )(given(*strategies)(check.hypothesis.inner_test))


def matrix(verb: Verb) -> Check:
    def check() -> None:
        for case in cases(verb):
            check_plan(case)

    return check


def allow(verb: Verb, *statuses: Status) -> Patch:
    table = {**states.NODE_STATUSES, verb: frozenset(statuses)}
    return lambda p: p.setattr(states, "NODE_STATUSES", table)


def closed_once(self: FieldMap, mask: int) -> int:
    for node in self.nodes:
        if node.fields & mask:
            mask |= node.fields
    return self.spread(mask)


def without_keys_read(self: Flow, reader: int, upstream: int, days: int) -> int:
    return originals["read"](self, reader, upstream, days) & ~self._maps[upstream].keys


def never_again(self: Reach, owners: object, reached: object, level: int) -> object:
    """An instance once reached does not grow."""
    new = self.changed[owners] == 0
    return originals["add"](self, owners[new], reached[new], level)


def no_status(scene: object, request: object, draft: object) -> plan.Basis:
    made = originals["basis"](scene, request, draft)
    return plan.Basis({k: (v[0], "idle", v[2]) for k, v in made.steps.items()}, made.rest)


CLOSED = generated(check_closed, chosen())
CAUSES = generated(check_causes, chosen(), st.sampled_from([Cause.STALE, Cause.MODEL_REFRESH]))
REACH = generated(check_reach, st.integers(0, 2**40), st.booleans(), st.sampled_from([None, 1, 2]))
MUTANTS: dict[str, tuple[Patch, Check]] = {
    "the closure makes one round": (lambda p: p.setattr(FieldMap, "closed", closed_once), CLOSED),
    "a key is a field like others": (lambda p: p.setattr(FieldMap, "spread", lambda _, mask: mask), CLOSED),
    "nothing is made from anything": (
        lambda p: p.setattr("fieldwise.operations.fields._composites", lambda *_: ()),
        CLOSED,
    ),
    "causes are told twice": (
        lambda p: p.setattr(FieldMap, "causes", lambda s, c, r: originals["causes"](s, c, r) * 2),
        CAUSES,
    ),
    "given causes are forgotten": (
        lambda p: p.setattr(FieldMap, "causes", lambda s, c, _r: originals["causes"](s, c, {})),
        CAUSES,
    ),
    "windows are not told apart": (lambda p: p.setattr(Flow, "_covers", lambda *_: True), REACH),
    "keys are not read": (lambda p: p.setattr(Flow, "_read", without_keys_read), REACH),
    "an instance is reached only once": (lambda p: p.setattr(Reach, "_add", never_again), REACH),
    "lineage is not asked": (
        lambda p: p.setattr(
            Flow, "affected", lambda s, r, *_: s._maps[int(s._catalog.node_version[r])].everything
        ),
        REACH,
    ),
    "what waits may be rerun": (
        lambda p: p.setitem(choose.FIELD_STATUSES, Verb.RERUN, frozenset(FieldStatus)),
        matrix(Verb.RERUN),
    ),
    "a required field that runs is rerun": (
        lambda p: p.setattr(choose, "_required_idle", lambda *_: True),
        matrix(Verb.RERUN),
    ),
    "rerun downstream starts though a node is busy": (
        lambda p: p.setattr(recompute, "_start", lambda s, d, r, o: choose.choose(s, d, r, o, r.fields)),
        matrix(Verb.RERUN_DOWNSTREAM),
    ),
    "Waiting for resources can be paused": (
        allow(Verb.PAUSE, *list(Status)[:4]),
        matrix(Verb.PAUSE),
    ),
    "what runs cannot be stopped": (allow(Verb.STOP, *list(Status)[1:4]), matrix(Verb.STOP)),
    "the group of a running one changes": (
        allow(Verb.SET_RESOURCE_GROUP, *Status),
        matrix(Verb.SET_RESOURCE_GROUP),
    ),
    "success is set on what runs": (
        lambda p: p.setattr(states, "N", Status.RUNNING),
        matrix(Verb.SET_SUCCESS),
    ),
    "a forced one is not stopped first": (
        lambda p: p.setattr(Orders, "to_stop", lambda _: iter(())),
        matrix(Verb.FORCE_RERUN),
    ),
    "force is a plain rerun": (
        lambda p: p.setitem(decide.PHASES, "force", decide.Rerun),
        matrix(Verb.FORCE_RERUN),
    ),
    "an order never ends": (lambda p: p.setattr(Orders, "finished", lambda _: []), matrix(Verb.STOP)),
    "a plan does not rest on statuses": (
        lambda p: p.setattr(plan, "_basis", no_status),
        lambda: (
            check_pair(Verb.FORCE_RERUN, Verb.SET_PRIORITY, True)
            + check_pair(Verb.FORCE_RERUN, Verb.RERUN, False)
            + check_pair(Verb.SET_SUCCESS, Verb.RERUN, True)
        ),
    ),
    "what is held is planned": (
        lambda p: p.setattr(plan, "_held", lambda *_: []),
        lambda: (
            check_pair(Verb.FORCE_RERUN, Verb.SET_RESOURCE_GROUP, False)
            + check_pair(Verb.FORCE_RERUN, Verb.STOP, False)
        ),
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name: str, monkeypatch: pytest.MonkeyPatch):
    patch, check = MUTANTS[name]
    patch(monkeypatch)
    with pytest.raises((AssertionError, KeyError, IndexError, StopIteration)):
        check()
