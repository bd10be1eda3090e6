"""Plans the verbs that compute again: rerun and force rerun, alone and downstream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from fieldwise.fleet.catalog import Array
from fieldwise.model.errors import BadRequest
from fieldwise.model.operation import (
    FORCED,
    Action,
    Conflict,
    Neighbour,
    OperationRequest,
    Range,
    StartMode,
    Verb,
)
from fieldwise.model.schedule import Rerun
from fieldwise.model.status import FieldStatus, Status
from fieldwise.operations.choose import FINAL, Choice, choose, close, never
from fieldwise.operations.draft import Draft, Phase, RowStep
from fieldwise.operations.reach import Reach
from fieldwise.operations.scene import Scene

SHOWN = 200  # neighbours named at most
LOOKED_DOWN = 30  # levels that are searched for what a rerun of the start alone leaves older than its input


def plan_rerun(scene: Scene, draft: Draft, request: OperationRequest, owners: Iterable[int]) -> None:
    """`rerun` and `force_rerun`: the instances themselves."""
    forced = request.verb is Verb.FORCE_RERUN
    failed_only = request.verb is Verb.RERUN and request.options.range is Range.ALL_FAILED
    allowed = frozenset({FieldStatus.FAILED}) if failed_only else None
    choices = [
        choice
        for owner in owners
        if (choice := choose(scene, draft, request, owner, request.fields, allowed))
    ]
    rows: list[int] = []
    for choice in choices:
        draft.require(scene, choice.owner, choice.causes)
        rows += _steps(scene, draft, choice.owner, choice.closed, 0, forced, forced)
    if rows:
        draft.phases.append(Phase("force" if forced else "rerun", tuple(rows)))
    _ancestors(scene, draft, choices)
    below = _reached(scene, choices, request, levels=LOOKED_DOWN)
    _left_older(scene, draft, below, set(rows), {c.owner for c in choices})


def plan_downstream(scene: Scene, draft: Draft, request: OperationRequest, owners: Iterable[int]) -> None:
    """`rerun_downstream` and `force_rerun_downstream`: the start's fields and what depends on them."""
    forced = request.verb in FORCED
    choices = [choice for owner in owners if (choice := _start(scene, draft, request, owner))]
    if not choices:
        return
    starts = {choice.owner: choice for choice in choices}
    reach = _reached(scene, choices, request, never_rows(scene))
    start_rows: list[int] = []
    dry = request.options.start_mode is StartMode.DRY_RUN
    for choice in choices:
        draft.require(scene, choice.owner, choice.causes)
        own = _steps(scene, draft, choice.owner, choice.closed, 0, forced, forced, dry)
        start_rows += own
    rows, levels = _descendants(scene, draft, request, reach, starts, forced)
    list_never(scene, draft, [*start_rows, *rows])
    order = np.argsort(-np.array(levels, dtype=np.int64), kind="stable").tolist() if rows else []
    if rows:
        draft.phases.append(Phase("rerun", tuple(rows[i] for i in order)))
    kind = "dry_run" if dry else "force" if forced else "rerun"
    draft.phases.append(Phase(kind, tuple(start_rows)))
    if not forced:
        _ancestors(scene, draft, choices)
        _gaps(scene, draft, reach, {*rows, *start_rows}, starts)
    _left_older(scene, draft, reach, {*rows, *start_rows}, set(starts))


def _start(scene: Scene, draft: Draft, request: OperationRequest, owner: int) -> Choice | None:
    """The start of the downstream family: final as a whole unless forced (spec 3, "The instance is ...")."""
    if request.verb is Verb.RERUN_DOWNSTREAM:
        known = scene.statuses(owner).values()
        busy = [status for status in known if status.waiting or status is Status.RUNNING]
        if busy:
            now = busy[0].word.replace("_", " ")
            message = f"a node of it is {now}; rerun downstream starts from Succeeded or Failed"
            draft.skip(scene, owner, "status", message, Verb.FORCE_RERUN_DOWNSTREAM.value)
            return None
    return choose(scene, draft, request, owner, request.fields)


def _reached(
    scene: Scene,
    choices: Iterable[Choice],
    request: OperationRequest,
    closed: Array | None = None,
    levels: int | None = None,
) -> Reach:
    options = request.options
    reach = Reach(
        scene.window, scene.maps, scene.flow, scene.extra, options.cross_day, options.level or levels, closed
    )
    return reach.go({choice.owner: choice.changed for choice in choices})


def never_rows(scene: Scene) -> Array | None:
    """Rows of tasks that may not be rerun: they stay as they are, and nothing is followed through them."""
    catalog = scene.fleet.catalog
    never_nodes = np.array(
        [compiled.definition.rerun is Rerun.NEVER for compiled in catalog.compiled], dtype=bool
    )
    if not never_nodes.any():
        return None
    found: Array = never_nodes[scene.window.node]
    return found


def list_never(scene: Scene, draft: Draft, rows: Iterable[int]) -> None:
    """Tasks right below that may not be rerun are conflicts: they stay as they are."""
    closed = never_rows(scene)
    taken = np.array(sorted(rows), dtype=np.int64)
    if closed is None or not len(taken):
        return
    below = np.unique(scene.window.downstream.of(taken)).astype(np.int64)
    for owner in np.unique(scene.window.instance[below[closed[below]]]).tolist():
        message = never(scene.name(owner))
        draft.conflicts.append(Conflict(scene.title(owner), "rerun_never", message, False))


def _descendants(
    scene: Scene,
    draft: Draft,
    request: OperationRequest,
    reach: Reach,
    starts: Mapping[int, Choice],
    forced: bool,
) -> tuple[list[int], list[int]]:
    """Rows of the descendants that the range takes, with their levels."""
    picked = _picked(scene, request, reach)
    rows: list[int] = []
    levels: list[int] = []
    for owner in reach.reached.tolist():
        if owner in starts:
            continue
        mask = reach.mask(owner)
        if picked is not None:
            if owner not in picked:
                continue
            mask &= picked[owner]
        mask = _in_range(scene, draft, request, owner, mask, forced)
        if not mask:
            continue
        choice = _descendant(scene, draft, request, owner, mask, forced)
        if choice is None:
            continue
        draft.require(scene, owner, choice.causes)
        level = int(reach.level[owner])
        taken = _steps(scene, draft, owner, choice.closed, level, forced, False, final=not forced)
        rows += taken
        levels += [level] * len(taken)
    return rows, levels


def _descendant(
    scene: Scene, draft: Draft, request: OperationRequest, owner: int, mask: int, forced: bool
) -> Choice | None:
    if scene.definition(owner).rerun is Rerun.NEVER:
        draft.conflicts.append(Conflict(scene.title(owner), "rerun_never", never(scene.name(owner)), False))
        return None
    denied = scene.forbidden(owner, mask)
    if denied:
        fields = scene.map(owner)
        project, person = scene.belongs(owner, (fields.words(denied) or ("",))[0])
        message = f"depends on the start, and you may not operate it: ask {person or 'its owner'} ({project})"
        draft.refuse(scene, owner, "no_permission", message)
        return None
    return close(scene, draft, owner, Verb.FORCE_RERUN, mask, FINAL)


def _picked(scene: Scene, request: OperationRequest, reach: Reach) -> dict[int, int] | None:
    options = request.options
    if options.range is not Range.CUSTOM and not options.pick:
        return None
    found: dict[int, int] = {}
    for pick in options.pick:
        owner = scene.owner(pick.instance)
        if owner is None or not reach.changed[owner]:
            raise BadRequest(
                f"instance {pick.instance} does not depend on the chosen fields", "pick a descendant"
            )
        fields = scene.map(owner)
        if pick.fields is None:
            found[owner] = fields.everything
            continue
        outside = [name for name in pick.fields if not fields.bits.get(name, 0) & reach.mask(owner)]
        if outside:
            shown = ", ".join(outside)
            raise BadRequest(f"{shown} of {scene.title(owner)} does not depend on the chosen fields")
        found[owner] = found.get(owner, 0) | fields.mask(pick.fields)
    return found


def _in_range(
    scene: Scene, draft: Draft, request: OperationRequest, owner: int, mask: int, forced: bool
) -> int:
    """Of the fields that depend on the start those that the range takes by field status."""
    if forced:
        return mask
    wanted = request.options.range or Range.ALL_FINAL
    statuses = frozenset({FieldStatus.FAILED}) if wanted is Range.ALL_FAILED else FINAL
    fields, known = scene.map(owner), scene.statuses(owner)
    taken = 0
    left: dict[FieldStatus, list[str]] = {}
    rest = mask
    while rest:
        bit = rest & -rest
        rest ^= bit
        status = scene.field_status(owner, bit, known)
        if status in statuses:
            taken |= bit
        elif status not in FINAL:
            left.setdefault(status, []).append((fields.words(bit) or (fields.task,))[0])
    for status, names in left.items():
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        now = status.word.replace("_", " ").capitalize()
        draft.skip(scene, owner, "status", f"{shown}: {now}; only Succeeded and Failed descendants are rerun")
    return taken


def _steps(
    scene: Scene,
    draft: Draft,
    owner: int,
    closed: int,
    level: int,
    forced: bool,
    start: bool,
    dry: bool = False,
    final: bool = False,
) -> list[int]:
    """A step for every node that the closed fields need. `final`: only nodes that are Succeeded or Failed."""
    taken = []
    for node in scene.map(owner).running(closed):
        row = scene.row(owner, node)
        if row < 0 or (final and scene.window.status[row] < Status.SUCCEEDED):
            continue
        after = Status.SUCCEEDED if dry else Status.WAITING_TIME if start else Status.NOT_RUNNING
        action = Action.DRY_RUN if dry else Action.RUN
        draft.steps.append(RowStep(row, owner, node.fields & closed, action, after, level))
        taken.append(row)
    return taken


def _gaps(scene: Scene, draft: Draft, reach: Reach, chosen: set[int], starts: Mapping[int, Choice]) -> None:
    """What lies between and is not chosen must be Succeeded, else what is below it could never run."""
    window = scene.window
    between: set[int] = set()
    for owner in reach.reached.tolist():
        if owner not in starts:
            between.update(row for row in scene.rows(owner, reach.mask(owner)) if row not in chosen)
    frontier = sorted(chosen)
    seen: set[int] = set()
    while frontier and between:
        ups = np.unique(window.upstream.of(np.array(frontier, dtype=np.int64))).tolist()
        frontier = [row for row in ups if row in between and row not in seen]
        seen.update(frontier)
    for row in sorted(seen):
        status = Status(int(window.status[row]))
        if status is not Status.SUCCEEDED:
            owner = int(window.instance[row])
            now = status.word.replace("_", " ")
            message = f"it lies between the start and what was chosen, is not chosen itself and is {now}"
            draft.refuse(scene, owner, "gap_not_succeeded", message)


def list_other_nodes(scene: Scene, draft: Draft) -> None:
    """Instances of a version whose nodes are others than those in force run the code they were generated with."""
    catalog, seen = scene.fleet.catalog, set()
    for owner in dict.fromkeys(step.owner for step in draft.steps):
        version = int(scene.window.instances.version[owner])
        if version in seen or scene.newest(version) == version:
            continue
        seen.add(version)
        if catalog.renewed(version) is None:
            message = f"{scene.name(owner)} was published with other nodes: this instance runs its older code"
            draft.conflicts.append(Conflict(scene.title(owner), "older_code", message, False))


def _ancestors(scene: Scene, draft: Draft, choices: Iterable[Choice]) -> None:
    """Direct upstream that is not Succeeded: the run will wait for it."""
    window = scene.window
    own = {row for choice in choices for row in scene.rows(choice.owner, choice.closed)}
    if not own:
        return
    ups = np.unique(window.upstream.of(np.array(sorted(own), dtype=np.int64)))
    for row in ups[window.status[ups] != Status.SUCCEEDED].tolist()[:SHOWN]:
        if row not in own:
            draft.ancestors.append(_neighbour(scene, int(window.instance[row]), 0, row))


def _left_older(scene: Scene, draft: Draft, reach: Reach, chosen: set[int], starts: set[int]) -> None:
    """Descendants that ran before and are not part of the plan: they will be older than their input."""
    window = scene.window
    rows, _ = window.rows_of(reach.reached)
    taken = np.zeros(len(window), dtype=bool)
    taken[sorted(chosen)] = True
    left_out = rows[(window.status[rows] == Status.SUCCEEDED) & ~taken[rows]]
    for owner in np.unique(window.instance[left_out]).tolist():
        if len(draft.older) >= SHOWN:
            return
        if owner in starts:
            continue
        left = [
            row
            for row in scene.rows(owner, reach.mask(owner))
            if row not in chosen and window.status[row] == Status.SUCCEEDED
        ]
        if left:
            draft.older.append(_neighbour(scene, owner, reach.mask(owner), left[0]))


def _neighbour(scene: Scene, owner: int, mask: int, row: int) -> Neighbour:
    status = Status(int(scene.window.status[row])).word
    return Neighbour(
        int(scene.window.instance_id[owner]),
        scene.name(owner),
        scene.day(owner),
        scene.map(owner).words(mask),
        status,
    )
