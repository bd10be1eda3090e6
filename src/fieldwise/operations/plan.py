"""Decides the frozen answer to what an operation would do: steps, what goes along and why, conflicts, impact, hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fieldwise.model.errors import BadRequest
from fieldwise.model.operation import (
    FORCED,
    Action,
    Conflict,
    ImpactOfPlan,
    Neighbour,
    OperationRequest,
    Required,
    Skipped,
    Step,
    Verb,
)
from fieldwise.model.status import Environment, Mark, Status
from fieldwise.operations.draft import Draft, Phase
from fieldwise.operations.impact import impact_of
from fieldwise.operations.recompute import list_other_nodes, plan_downstream, plan_rerun
from fieldwise.operations.scene import Scene
from fieldwise.operations.states import (
    plan_group,
    plan_pause,
    plan_priority,
    plan_resume,
    plan_set_success,
    plan_stop,
)
from fieldwise.operations.upstream import plan_upstream

Planner = Callable[[Scene, Draft, OperationRequest, Iterable[int]], None]

PLANNERS: dict[Verb, Planner] = {
    Verb.RERUN: plan_rerun,
    Verb.FORCE_RERUN: plan_rerun,
    Verb.RERUN_DOWNSTREAM: plan_downstream,
    Verb.FORCE_RERUN_DOWNSTREAM: plan_downstream,
    Verb.SET_SUCCESS: plan_set_success,
    Verb.STOP: plan_stop,
    Verb.PAUSE: plan_pause,
    Verb.RESUME: plan_resume,
    Verb.SET_PRIORITY: plan_priority,
    Verb.SET_RESOURCE_GROUP: plan_group,
    Verb.REMOVE_UPSTREAM: plan_upstream,
    Verb.RESTORE_UPSTREAM: plan_upstream,
}
RECOMPUTING = FORCED | {Verb.RERUN, Verb.RERUN_DOWNSTREAM}
FORCE_WARNING = (
    "Neither upstream results nor the scheduled time are checked for the start. The run may fail or write wrong data, "
    "and data below may be affected. Confirm that nothing downstream is harmed."
)
DOWNSTREAM_WARNING = "All {n} instances are set to Not Running first; only the start skips the checks."


@dataclass(frozen=True)
class Basis:
    """What a plan rests on (spec 4, "Confirm"): if it is another when it is confirmed, nothing is applied.

    `steps`: node instance -> (action, class of its status, held); `rest`: everything else, by name.
    """

    steps: Mapping[int, tuple[str, str, str]]
    rest: Mapping[str, Any]

    @property
    def digest(self) -> str:
        document = {"steps": sorted((k, *v) for k, v in self.steps.items()), "rest": self.rest}
        return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True)
class OperationPlan:
    """A plan over one state of the window. `phases` name rows of that window; `steps` is for people."""

    request: OperationRequest
    steps: tuple[Step, ...]
    phases: tuple[Phase, ...]
    required: tuple[Required, ...]
    conflicts: tuple[Conflict, ...]
    skipped: tuple[Skipped, ...]
    older: tuple[Neighbour, ...]
    ancestors: tuple[Neighbour, ...]
    impact: ImpactOfPlan
    basis: Basis
    reason_required: bool
    warning: str
    extras: Mapping[str, Any] = field(default_factory=dict)

    @property
    def refused(self) -> str:
        """Why it cannot be confirmed; empty if it can."""
        blocking = [conflict for conflict in self.conflicts if conflict.blocking]
        if blocking:
            return f"{blocking[0].object}: {blocking[0].message}"
        if not self.steps:
            return "nothing is eligible" + (f": {self.skipped[0].message}" if self.skipped else "")
        return ""


def make_plan(scene: Scene, request: OperationRequest) -> OperationPlan:
    """Raises BadRequest for what makes no sense; what is merely not eligible is listed."""
    draft = Draft()
    owners = _owners(scene, draft, request)
    planner = PLANNERS.get(request.verb)
    if planner is None:
        raise BadRequest(f"{request.verb.words} cannot be planned here")
    planner(scene, draft, request, owners)
    return finish(scene, request, draft)


def finish(
    scene: Scene, request: OperationRequest, draft: Draft, extras: Mapping[str, Any] | None = None
) -> OperationPlan:
    if request.verb in RECOMPUTING:
        list_other_nodes(scene, draft)
    draft.conflicts += [*_denied(scene, draft), *_held(scene, draft)]
    return OperationPlan(
        request,
        tuple(_steps(scene, draft)),
        tuple(draft.phases),
        tuple(draft.required),
        tuple(draft.conflicts),
        tuple(draft.skipped),
        tuple(draft.older),
        tuple(draft.ancestors),
        impact_of(scene, draft),
        _basis(scene, request, draft),
        _reason_required(request, draft),
        _warning(request, draft),
        extras or {},
    )


def _owners(scene: Scene, draft: Draft, request: OperationRequest) -> list[int]:
    found = []
    for instance in dict.fromkeys(request.instances):
        owner = scene.owner(instance)
        if owner is None:
            message = "it does not exist, or it left the window of what can be operated"
            draft.skipped.append(Skipped(str(instance), "not_found", message, "", instance))
        else:
            found.append(owner)
    return found


def _steps(scene: Scene, draft: Draft) -> list[Step]:
    window, catalog = scene.window, scene.fleet.catalog
    rows = np.array([step.row for step in draft.steps], dtype=np.int64)
    ids, nodes = window.id[rows].tolist(), window.node[rows].tolist()
    statuses = window.status[rows].tolist()
    owners = np.array([step.owner for step in draft.steps], dtype=np.int64)
    instances, days = window.instance_id[owners].tolist(), window.instances.day[owners].tolist()
    words: dict[tuple[int, int], tuple[str, ...]] = {}
    found = []
    for step, number, node, status, instance, day in zip(
        draft.steps, ids, nodes, statuses, instances, days, strict=True
    ):
        key = (node, step.fields)
        if key not in words:
            words[key] = scene.map(step.owner).words(step.fields)
        known = catalog.nodes[node]
        found.append(
            Step(
                number, instance, catalog.compiled[node].name, known.id, known.label, words[key], day,
                step.action, status, int(step.after), step.level,
            )
        )  # fmt: skip
    return found


_CLASSES: dict[int, str] = {
    Status.NOT_RUNNING: "idle",
    Status.WAITING_TIME: "waiting",
    Status.THROTTLED: "waiting",
    Status.WAITING_RESOURCES: "waiting",
    Status.RUNNING: "running",
    Status.SUCCEEDED: "idle",
    Status.FAILED: "idle",
}


def _basis(scene: Scene, request: OperationRequest, draft: Draft) -> Basis:
    window = scene.window
    rows = np.array([step.row for step in draft.steps], dtype=np.int64)
    holds = (window.marks[rows] & int(Mark.PAUSED | Mark.HELD)).tolist()
    columns = (window.id[rows].tolist(), draft.steps, window.status[rows].tolist(), holds)
    steps = {
        number: (step.action.value, _CLASSES[status], ",".join(Mark(held).words) if held else "")
        for number, step, status, held in zip(*columns, strict=True)
    }
    versions = sorted({int(window.instances.version[step.owner]) for step in draft.steps})
    catalog = scene.fleet.catalog
    rest = {
        "verb": request.verb.value,
        "required": sorted((r.instance, r.field, r.cause.value) for r in draft.required),
        "versions": [
            (
                catalog.compiled[catalog.version_nodes[v][0]].name,
                catalog.publication_of[catalog.version_nodes[v][0]],
            )
            for v in versions
        ],
        "newest": sorted(
            {catalog.publication_of[catalog.version_nodes[scene.newest(v)][0]] for v in versions}
        ),
        "removed": sorted(
            (int(window.id[row]), int(window.instance_id[up]))
            for row, up in window.removed
            if int(window.id[row]) in steps
        ),
        "conflicts": sorted((c.object, c.code) for c in draft.conflicts),
        "values": [(phase.kind, str(phase.value)) for phase in draft.phases],
    }
    return Basis(steps, rest)


def difference(before: Basis, now: Basis, forced: bool) -> list[str]:
    """What changed since a plan was made, in sentences; empty: it may be applied as planned.

    For force verbs a step that went from running to its end by itself counts as unchanged.
    """
    said: list[str] = []
    for number, step in before.steps.items():
        fresh = now.steps.get(number)
        if fresh is None:
            said.append(f"node instance {number} is no longer part of it")
        elif fresh != step and not (
            forced and step[1] == "running" and fresh[1] == "idle" and step[0] == fresh[0]
        ):
            said.append(f"node instance {number} was {_words(step)} and is {_words(fresh)} now")
    said += [f"node instance {n} is part of it now" for n in now.steps if n not in before.steps]
    names = {
        "required": "the fields that must go along are others",
        "versions": "definitions were published",
        "newest": "definitions were published",
        "removed": "dependencies were removed or restored",
        "conflicts": "there are other conflicts",
    }
    said += [words for name, words in names.items() if before.rest.get(name) != now.rest.get(name)]
    return list(dict.fromkeys(said))


def _words(step: tuple[str, str, str]) -> str:
    return ("at rest" if step[1] == "idle" else step[1]) + (f" ({step[2]})" if step[2] else "")


def _denied(scene: Scene, draft: Draft) -> list[Conflict]:
    """Whatever made the steps, each needs the right on what it touches; an instance passed by a dry run needs none."""
    versions = scene.window.instances.version[[step.owner for step in draft.steps]].tolist()
    asked = {
        (version, step.fields): step.owner
        for step, version in zip(draft.steps, versions, strict=True)
        if step.action is not Action.DRY_RUN
    }
    found = []
    for (_, fields), owner in asked.items():
        denied = scene.forbidden(owner, fields)
        if denied:
            names = scene.map(owner).words(denied)
            project, person = scene.belongs(owner, (names or ("",))[0])
            message = (
                f"you may not operate {', '.join(names) or scene.name(owner)} of {project} (owner {person})"
            )
            found.append(Conflict(scene.title(owner), "no_permission", message))
    return found


def _held(scene: Scene, draft: Draft) -> list[Conflict]:
    """Operations on one node instance are serialized: what another one holds cannot be planned now."""
    found: list[Conflict] = []
    if not scene.fleet.orders.open():
        return found
    for owner in dict.fromkeys(step.owner for step in draft.steps if scene.fleet.operated(step.row)):
        number = next(
            scene.fleet.operated(s.row)
            for s in draft.steps
            if s.owner == owner and scene.fleet.operated(s.row)
        )
        found.append(Conflict(scene.title(owner), "held", f"operation {number} is being applied to it"))
    return found


def _reason_required(request: OperationRequest, draft: Draft) -> bool:
    """Spec 4, "Log": required for the dangerous ones, in prod."""
    several = len({step.owner for step in draft.steps}) > 1
    if request.verb is Verb.EMERGENCY_RERUN:
        return True
    if request.verb is Verb.FORCE_RERUN_DOWNSTREAM:
        return several
    return (
        request.verb in (Verb.SET_SUCCESS, Verb.REMOVE_UPSTREAM) and request.environment is Environment.PROD
    )


def _warning(request: OperationRequest, draft: Draft) -> str:
    if request.verb not in FORCED:
        return ""
    if request.verb is Verb.FORCE_RERUN:
        return FORCE_WARNING
    count = len({step.owner for step in draft.steps})
    return f"{FORCE_WARNING} {DOWNSTREAM_WARNING.format(n=count)}"
