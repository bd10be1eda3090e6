"""Plans the verbs that change a status, a mark or a place in the queue and compute nothing."""

from __future__ import annotations

from collections.abc import Iterable

from fieldwise.model.errors import BadRequest
from fieldwise.model.operation import Action, OperationRequest, SuccessSet, Verb
from fieldwise.model.status import FieldStatus, Mark, Status
from fieldwise.operations.choose import choose
from fieldwise.operations.draft import Draft, Phase, RowStep, label
from fieldwise.operations.scene import Scene

N, WT, T = Status.NOT_RUNNING, Status.WAITING_TIME, Status.THROTTLED
WR, R, S, F = Status.WAITING_RESOURCES, Status.RUNNING, Status.SUCCEEDED, Status.FAILED
EVERY = frozenset(Status)
# Nodes by node status (spec 4, "Eligibility").
NODE_STATUSES: dict[Verb, frozenset[Status]] = {
    Verb.STOP: frozenset({WT, T, WR, R}),
    Verb.PAUSE: frozenset({N, WT, T}),
    Verb.RESUME: EVERY,
    Verb.SET_PRIORITY: EVERY,
    Verb.SET_RESOURCE_GROUP: EVERY - {R},
    Verb.REMOVE_UPSTREAM: EVERY,
    Verb.RESTORE_UPSTREAM: EVERY,
}
_SETS: dict[SuccessSet, frozenset[FieldStatus]] = {
    SuccessSet.FAILED: frozenset({FieldStatus.FAILED}),
    SuccessSet.NOT_RUN: frozenset({FieldStatus.NOT_RUNNING}),
    SuccessSet.BOTH: frozenset({FieldStatus.FAILED, FieldStatus.NOT_RUNNING}),
    SuccessSet.CUSTOM: frozenset({FieldStatus.FAILED, FieldStatus.NOT_RUNNING}),
}


def plan_set_success(scene: Scene, draft: Draft, request: OperationRequest, owners: Iterable[int]) -> None:
    """Failed and not-run fields become Succeeded; no data is written (spec 4)."""
    wanted = request.options.set or (SuccessSet.CUSTOM if request.fields else SuccessSet.BOTH)
    if wanted is SuccessSet.CUSTOM and request.fields is None:
        raise BadRequest("set: custom needs the fields", "name them with fields")
    rows: list[int] = []
    for owner in owners:
        choice = choose(scene, draft, request, owner, request.fields, _SETS[wanted])
        if choice is None:
            continue
        draft.require(scene, owner, choice.causes)
        for node in scene.map(owner).running(choice.closed):
            row = scene.row(owner, node)
            if row >= 0 and scene.window.status[row] in (N, F):
                step = RowStep(row, owner, node.fields & choice.closed, Action.SET_STATUS, S)
                draft.steps.append(step)
                rows.append(row)
    if rows:
        draft.phases.append(Phase("set_success", tuple(rows)))


def plan_stop(scene: Scene, draft: Draft, request: OperationRequest, owners: Iterable[int]) -> None:
    rows = _nodes(scene, draft, request, owners, Action.STOP, F)
    if rows:
        draft.phases.append(Phase("stop", tuple(rows)))


def plan_pause(scene: Scene, draft: Draft, request: OperationRequest, owners: Iterable[int]) -> None:
    """A node is held while anything it serves is held; the other fields that wait with it are listed."""
    until = request.options.until
    if until is not None and until <= scene.now:
        raise BadRequest("the pause would end before it begins", "choose a later time for until")
    rows = _nodes(scene, draft, request, owners, Action.MARK, None)
    if rows:
        draft.phases.append(Phase("pause", tuple(rows), until))


def plan_resume(scene: Scene, draft: Draft, request: OperationRequest, owners: Iterable[int]) -> None:
    rows = _nodes(scene, draft, request, owners, Action.MARK, None)
    if rows:
        draft.phases.append(Phase("resume", tuple(rows)))


def plan_priority(scene: Scene, draft: Draft, request: OperationRequest, owners: Iterable[int]) -> None:
    """Never spreads: exactly the nodes of the chosen metrics or tables."""
    if request.options.priority is None:
        raise BadRequest("which priority?", "highest, high, medium, low or lowest")
    rows = _nodes(scene, draft, request, owners, Action.MARK, None)
    if rows:
        draft.phases.append(Phase("priority", tuple(rows), int(request.options.priority)))


def plan_group(scene: Scene, draft: Draft, request: OperationRequest, owners: Iterable[int]) -> None:
    group = request.options.resource_group
    known = sorted({name for _, name in scene.fleet.catalog.groups})
    if not group or group not in known:
        raise BadRequest(f"there is no resource group {group or ''}", f"known: {', '.join(known)}")
    rows = _nodes(scene, draft, request, owners, Action.MARK, None)
    if rows:
        draft.phases.append(Phase("group", tuple(rows), group))


def _nodes(
    scene: Scene,
    draft: Draft,
    request: OperationRequest,
    owners: Iterable[int],
    action: Action,
    after: Status | None,
) -> list[int]:
    """The nodes that the verb takes; the others are listed with their reason."""
    rows: list[int] = []
    for owner in owners:
        fields = scene.map(owner)
        asked = fields.mask(request.fields) if request.fields else 0
        unknown = [name for name in request.fields or () if name not in fields.bits]
        if unknown and fields.words(fields.everything):
            raise BadRequest(f"{fields.task} has no field {', '.join(unknown)}")
        if request.fields and fields.words(fields.everything):
            nodes = fields.nodes if asked & fields.keys else fields.running(asked)
        else:
            nodes = fields.nodes
        for node in nodes:
            row = scene.row(owner, node)
            if row < 0 or not _permitted(scene, draft, owner, node.fields):
                continue
            why = _refusal(scene, request.verb, row)
            if why is not None:
                draft.skip(scene, owner, why[0], why[1], row=row)
                continue
            status = Status(int(scene.window.status[row]))
            if request.verb is Verb.PAUSE:
                _also_held(scene, draft, owner, node.label, node.fields & ~asked if asked else 0)
            target = (
                after if after is not None else WT if (request.verb, status) == (Verb.PAUSE, T) else status
            )
            draft.steps.append(RowStep(row, owner, node.fields, action, target))
            rows.append(row)
    return rows


def _permitted(scene: Scene, draft: Draft, owner: int, mask: int) -> bool:
    denied = scene.forbidden(owner, mask)
    if denied:
        names = scene.map(owner).words(denied)
        project, person = scene.belongs(owner, (names or ("",))[0])
        message = f"you may not operate {', '.join(names) or scene.name(owner)} of {project} (owner {person})"
        draft.skip(scene, owner, "no_permission", message)
    return not denied


def _also_held(scene: Scene, draft: Draft, owner: int, node: str, mask: int) -> None:
    names = scene.map(owner).words(mask)
    if names:
        message = f"{', '.join(names)} wait with node {node}"
        draft.skip(scene, owner, "also_held", message)


def _refusal(scene: Scene, verb: Verb, row: int) -> tuple[str, str] | None:
    """(code, words) if the node's status or marks do not fit the verb."""
    status = Status(int(scene.window.status[row]))
    marks = Mark(int(scene.window.marks[row]))
    name = label(scene, row)
    if status not in NODE_STATUSES[verb]:
        now = status.word.replace("_", " ").capitalize()
        wanted = ", ".join(s.word.replace("_", " ").capitalize() for s in sorted(NODE_STATUSES[verb]))
        return "status", f"node {name} is {now}; {verb.words} needs {wanted}"
    if verb is Verb.RESUME and Mark.PAUSED not in marks:
        return "not_paused", f"node {name} is not paused"
    if verb is Verb.PAUSE and Mark.PAUSED in marks:
        return "paused_already", f"node {name} is paused already"
    if verb is Verb.STOP and Mark.STOPPING in marks:
        return "stopping_already", f"node {name} is being stopped already"
    return None
