"""Decides which fields of one instance a verb takes: eligibility by field status, then the closure with its causes."""

from __future__ import annotations

from dataclasses import dataclass

from fieldwise.model.errors import BadRequest
from fieldwise.model.operation import Cause, OperationRequest, Verb
from fieldwise.model.schedule import Rerun
from fieldwise.model.status import FieldStatus, Status, TaskKind
from fieldwise.operations.draft import Draft
from fieldwise.operations.fields import FieldMap
from fieldwise.operations.scene import Scene

ANY = frozenset(FieldStatus)
FINAL = frozenset({FieldStatus.SUCCEEDED, FieldStatus.FAILED})
# Fields by field status (spec 4, "Eligibility"); verbs on nodes are in `states`.
FIELD_STATUSES: dict[Verb, frozenset[FieldStatus]] = {
    Verb.RERUN: FINAL,
    Verb.RERUN_DOWNSTREAM: FINAL,
    Verb.FORCE_RERUN: ANY,
    Verb.FORCE_RERUN_DOWNSTREAM: ANY,
    Verb.EMERGENCY_RERUN: ANY,
    Verb.SET_SUCCESS: frozenset({FieldStatus.NOT_RUNNING, FieldStatus.FAILED}),
    Verb.START: frozenset({FieldStatus.NOT_RUNNING}),
}
INSTEAD = {
    Verb.RERUN: Verb.FORCE_RERUN.value,
    Verb.RERUN_DOWNSTREAM: Verb.FORCE_RERUN_DOWNSTREAM.value,
}
_BUSY = (FieldStatus.WAITING, FieldStatus.RUNNING)
REFUSES_NEVER = frozenset({Verb.RERUN, Verb.RERUN_DOWNSTREAM, Verb.FORCE_RERUN, Verb.FORCE_RERUN_DOWNSTREAM})


@dataclass(frozen=True, slots=True)
class Choice:
    """The fields taken of one instance. `changed`: those whose readers are concerned; `closed`: those that run."""

    owner: int
    chosen: int
    changed: int
    closed: int
    causes: tuple[tuple[str, Cause, str], ...]


def words_of(statuses: frozenset[FieldStatus]) -> str:
    names = [status.word.replace("_", " ").capitalize() for status in sorted(statuses)]
    return " or ".join(names)


def choose(
    scene: Scene,
    draft: Draft,
    request: OperationRequest,
    owner: int,
    names: tuple[str, ...] | None,
    allowed: frozenset[FieldStatus] | None = None,
) -> Choice | None:
    """None: nothing of the instance is taken; the draft says why."""
    verb = request.verb
    statuses = allowed if allowed is not None else FIELD_STATUSES[verb]
    if verb in REFUSES_NEVER and not _may_rerun(scene, draft, owner, verb):
        return None
    fields = scene.map(owner)
    asked = _asked(fields, names)
    chosen = _eligible(scene, draft, owner, verb, asked, statuses, names is None)
    denied = scene.forbidden(owner, chosen) if chosen else 0
    if denied:
        project, person = scene.belongs(owner, (fields.words(denied) or ("",))[0])
        shown = ", ".join(fields.words(denied)) or fields.task
        draft.skip(
            scene, owner, "no_permission", f"you may not operate {shown} of {project} (owner {person})"
        )
        chosen &= ~denied
    if not chosen:
        return None
    return close(scene, draft, owner, verb, chosen, statuses)


def close(
    scene: Scene,
    draft: Draft,
    owner: int,
    verb: Verb,
    chosen: int,
    statuses: frozenset[FieldStatus],
    whole: bool = False,
) -> Choice | None:
    """The closure of chosen fields, checked field by field (spec 4, "Choosing fields")."""
    fields = scene.map(owner)
    given = scene.required(owner)
    changed = chosen
    for mask in given.values():
        changed |= mask
    changed, closed, causes = fields.closure(chosen, changed, given)
    denied = scene.forbidden(owner, closed & ~chosen) if closed & ~chosen else 0
    if denied:
        name = fields.words(denied)[0]
        project, person = scene.belongs(owner, name)
        why = next((because for one, _, because in causes if one == name), "")
        message = f"{name} must go along ({why}), and you may not operate it: ask {person or 'its owner'} ({project})"
        draft.refuse(scene, owner, "required_without_permission", message)
        return None
    if verb in (Verb.RERUN, Verb.RERUN_DOWNSTREAM) and not _required_idle(scene, draft, owner, verb, closed):
        return None
    return Choice(owner, chosen, changed, closed, causes)


def _asked(fields: FieldMap, names: tuple[str, ...] | None) -> int:
    if names is None:
        own = 0
        for node in fields.nodes:
            own |= node.fields
        return own
    unknown = [name for name in names if name not in fields.bits]
    if unknown and fields.compiled.definition.kind is TaskKind.MODELING:
        known = ", ".join(fields.words(fields.everything))
        raise BadRequest(f"{fields.task} has no field {', '.join(unknown)}", f"its fields: {known}")
    return fields.mask(names) if fields.compiled.definition.kind is TaskKind.MODELING else fields.everything


def _eligible(
    scene: Scene,
    draft: Draft,
    owner: int,
    verb: Verb,
    asked: int,
    statuses: frozenset[FieldStatus],
    whole: bool,
) -> int:
    """Of the fields asked for those whose status fits; the others are listed as skipped."""
    fields, known = scene.map(owner), scene.statuses(owner)
    if statuses == ANY:
        return asked
    chosen = 0
    out: dict[FieldStatus, list[str]] = {}
    mask = asked
    while mask:
        bit = mask & -mask
        mask ^= bit
        status = scene.field_status(owner, bit, known)
        if status in statuses:
            chosen |= bit
        else:
            out.setdefault(status, []).append((fields.words(bit) or (fields.task,))[0])
    for status, names in out.items():
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        now = status.word.replace("_", " ").capitalize()
        message = f"{shown}: {now}; {verb.words} needs {words_of(statuses)}"
        draft.skip(scene, owner, "status", message, INSTEAD.get(verb, ""))
    return chosen


def _may_rerun(scene: Scene, draft: Draft, owner: int, verb: Verb) -> bool:
    """The task's rerun property (spec 3, "Retries, timeouts")."""
    rule = scene.definition(owner).rerun
    name = scene.name(owner)
    if rule is Rerun.NEVER:
        draft.skip(scene, owner, "rerun_never", never(name))
        return False
    asks = rule is Rerun.ON_FAILURE and verb in (Verb.RERUN, Verb.RERUN_DOWNSTREAM)
    if asks and Status.FAILED not in scene.statuses(owner).values():
        message = f"{name} may be rerun only from Failed (rerun: on_failure)"
        draft.skip(scene, owner, "rerun_on_failure", message, INSTEAD[verb])
        return False
    return True


def never(task: str) -> str:
    return (
        f"{task} may not be rerun (rerun: never). Set `rerun: always` or `on_failure` in its schedule settings "
        "and publish, then plan again."
    )


def _required_idle(scene: Scene, draft: Draft, owner: int, verb: Verb, closed: int) -> bool:
    """A required field that waits or runs refuses the item; one that is Not Running goes along."""
    known = scene.statuses(owner)
    fields = scene.map(owner)
    for node in fields.running(closed):
        status = known.get(node.place)
        if status is not None and (status.waiting or status is Status.RUNNING):
            names = ", ".join(fields.words(node.fields)[:3]) or fields.task
            now = status.word.replace("_", " ")
            message = f"{names} must go along and is {now} (node {node.label})"
            draft.skip(scene, owner, "required_busy", message, INSTEAD[verb])
            return False
    return True
