"""Plans the way back of an operation, where there is one (spec 4, "Undo")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fieldwise.model.errors import FieldwiseError
from fieldwise.model.operation import Action, OperationRequest, Verb
from fieldwise.model.status import Mark, Status
from fieldwise.operations.draft import Draft, Phase, RowStep
from fieldwise.operations.plan import OperationPlan, finish
from fieldwise.operations.scene import Scene


class NotUndoable(FieldwiseError):
    """There is no way back from this operation."""

    code = "not_undoable"


class Overtaken(FieldwiseError):
    """Something it touched, or a reader of it, ran or was operated since."""

    code = "overtaken"


class PastStep(NamedTuple):
    """A step of the operation to undo. `was`: what the kind replaced, of edges the upstream instances, of a
    pause when it would have ended; `run`: number of the last run before it."""

    node_instance: int
    before: int
    was: Any
    run: int


UNDOABLE = frozenset(
    {
        Verb.PAUSE,
        Verb.RESUME,
        Verb.SET_PRIORITY,
        Verb.SET_RESOURCE_GROUP,
        Verb.REMOVE_UPSTREAM,
        Verb.RESTORE_UPSTREAM,
        Verb.SET_SUCCESS,
    }
)


def plan_undo(
    scene: Scene,
    request: OperationRequest,
    verb: Verb,
    steps: Sequence[PastStep],
    values: Mapping[str, Any],
) -> OperationPlan:
    """`values`: of the phases of the operation, by kind. Raises NotUndoable, Overtaken."""
    if verb not in UNDOABLE:
        raise NotUndoable(f"{verb.words} cannot be undone")
    draft = Draft()
    rows = [(step, row) for step in steps if (row := scene.window.row(step.node_instance)) is not None]
    if not rows:
        raise Overtaken("what it touched left the window of what can be operated")
    _not_overtaken(scene, verb, rows)
    for step, row in rows:
        owner = int(scene.window.instance[row])
        mask = next((n.fields for n in scene.map(owner).nodes if scene.row(owner, n) == row), 0)
        after, action = _after(scene, verb, step, row)
        draft.steps.append(RowStep(row, owner, mask, action, after))
    draft.phases += _phases(verb, rows, values)
    return finish(scene, request, draft)


def _not_overtaken(scene: Scene, verb: Verb, rows: Sequence[tuple[PastStep, int]]) -> None:
    for step, row in rows:
        if int(scene.window.run[row]) != step.run:
            raise Overtaken(f"{scene.title(int(scene.window.instance[row]))} ran since")
        paused = bool(scene.window.marks[row] & int(Mark.PAUSED))
        if (verb is Verb.PAUSE and not paused) or (verb is Verb.RESUME and paused):
            raise Overtaken(f"{scene.title(int(scene.window.instance[row]))} was paused or resumed since")
        if verb is Verb.SET_SUCCESS and not scene.window.marks[row] & int(Mark.FORCED_SUCCESS):
            raise Overtaken(f"{scene.title(int(scene.window.instance[row]))} changed since")


def _after(scene: Scene, verb: Verb, step: PastStep, row: int) -> tuple[Status, Action]:
    now = Status(int(scene.window.status[row]))
    if verb is Verb.SET_SUCCESS:
        return Status(step.before), Action.SET_STATUS
    if verb in (Verb.REMOVE_UPSTREAM, Verb.RESTORE_UPSTREAM):
        return now, Action.EDGE
    return now, Action.MARK


def _phases(verb: Verb, rows: Sequence[tuple[PastStep, int]], values: Mapping[str, Any]) -> list[Phase]:
    every = tuple(row for _, row in rows)
    match verb:
        case Verb.PAUSE:
            return [Phase("resume", every)]
        case Verb.RESUME:
            return _grouped("pause", rows)
        case Verb.SET_PRIORITY:
            return _grouped("priority", rows)
        case Verb.SET_RESOURCE_GROUP:
            return _grouped("group", rows)
        case Verb.REMOVE_UPSTREAM:
            return _edges("restore_upstream", rows, values.get("remove_upstream", ()))
        case Verb.RESTORE_UPSTREAM:
            return _edges("remove_upstream", rows, values.get("restore_upstream", ()))
        case _:
            failed = tuple(row for step, row in rows if step.before == Status.FAILED)
            other = tuple(row for step, row in rows if step.before != Status.FAILED)
            phases = [Phase("unset", failed)] if failed else []
            phases += [Phase("rerun", other)] if other else []
            # The success lifted their pause.
            lifted = [(step._replace(was=step.was["until"]), row) for step, row in rows if step.was]
            return phases + _grouped("pause", [(step, row) for step, row in lifted if row in other])


def _edges(kind: str, rows: Sequence[tuple[PastStep, int]], otherwise: Sequence[int]) -> list[Phase]:
    """Every row gets back what was changed on it; `otherwise`: of operations whose steps do not tell."""
    told = [
        (step._replace(was=tuple(otherwise if step.was is None else step.was)), row) for step, row in rows
    ]
    return _grouped(kind, [(step, row) for step, row in told if step.was])


def _grouped(kind: str, rows: Sequence[tuple[PastStep, int]]) -> list[Phase]:
    """A phase for each value that was replaced."""
    by_value: dict[Any, list[int]] = {}
    for step, row in rows:
        by_value.setdefault(step.was, []).append(row)
    return [Phase(kind, tuple(found), value) for value, found in by_value.items()]
