"""Plans the removal of dependencies of one instance, and their return."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fieldwise.fleet.catalog import Array
from fieldwise.model.errors import BadRequest
from fieldwise.model.operation import Action, OperationRequest, Verb
from fieldwise.model.status import Status
from fieldwise.operations.draft import Draft, Phase, RowStep
from fieldwise.operations.scene import Scene


def direct_upstream(scene: Scene, rows: Array) -> list[int]:
    """Instances (by number) that the rows wait for, removed ones left out; the rows' own instance is not one."""
    window = scene.window
    ups = np.unique(window.instance[window.upstream.of(rows)])
    own = set(window.instance[rows].tolist())
    return [owner for owner in ups.tolist() if owner not in own]


def plan_upstream(scene: Scene, draft: Draft, request: OperationRequest, owners: Iterable[int]) -> None:
    """`remove_upstream`, `restore_upstream`: edges from the instance's (or the chosen fields') nodes to named instances."""
    if not request.options.upstream:
        raise BadRequest("which upstream instances?", "name direct upstream instances by id")
    for owner in owners:
        if request.verb is Verb.REMOVE_UPSTREAM:
            _remove(scene, draft, request, owner)
        else:
            _restore(scene, draft, request, owner)


def _rows(scene: Scene, request: OperationRequest, owner: int) -> Array:
    fields = scene.map(owner)
    mask = fields.mask(request.fields) if request.fields else 0
    nodes = fields.running(mask) if mask and not mask & fields.keys else fields.nodes
    rows = [scene.row(owner, node) for node in nodes]
    return np.array([row for row in rows if row >= 0], dtype=np.int64)


def _remove(scene: Scene, draft: Draft, request: OperationRequest, owner: int) -> None:
    rows = _rows(scene, request, owner)
    direct = direct_upstream(scene, rows)
    named: list[int] = []
    for instance in request.options.upstream:
        up = scene.owner(instance)
        if up is None or up not in direct:
            message = f"instance {instance} is not a direct upstream of it"
            draft.skip(scene, owner, "not_upstream", message)
        else:
            named.append(up)
    if named and not set(direct) - set(named):
        draft.refuse(scene, owner, "last_upstream", "at least one upstream instance must stay")
        return
    if named:
        _steps(scene, draft, owner, rows, named, "remove_upstream")


def _restore(scene: Scene, draft: Draft, request: OperationRequest, owner: int) -> None:
    rows = _rows(scene, request, owner)
    removed = scene.fleet.window.removed
    named = [
        up
        for instance in request.options.upstream
        if (up := scene.owner(instance)) is not None and any((int(row), up) in removed for row in rows)
    ]
    for instance in set(request.options.upstream) - {int(scene.window.instance_id[up]) for up in named}:
        draft.skip(scene, owner, "not_removed", f"no dependency on instance {instance} was removed")
    if named:
        _steps(scene, draft, owner, rows, named, "restore_upstream")


def _steps(scene: Scene, draft: Draft, owner: int, rows: Array, named: list[int], kind: str) -> None:
    masks = {scene.row(owner, node): node.fields for node in scene.map(owner).nodes}
    denied = scene.forbidden(owner, scene.map(owner).everything)
    if denied:
        draft.skip(scene, owner, "no_permission", f"you may not operate {scene.name(owner)}")
        return
    window = scene.window
    concerned = [
        int(row)
        for row in rows
        if kind == "restore_upstream"
        or set(window.instance[window.upstream.of(np.array([row]))].tolist()) & set(named)
    ]
    for row in concerned:
        status = Status(int(window.status[row]))
        draft.steps.append(RowStep(row, owner, masks.get(row, 0), Action.EDGE, status))
    ids = tuple(int(window.instance_id[up]) for up in named)
    if concerned:
        draft.phases.append(Phase(kind, tuple(concerned), ids))
