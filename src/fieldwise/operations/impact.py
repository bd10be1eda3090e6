"""Decides what a plan costs and touches: counts, projects, owners, engine time and when it would be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fieldwise.model.operation import Action, ImpactOfPlan
from fieldwise.model.status import Status
from fieldwise.operations.draft import Draft, RowStep
from fieldwise.operations.scene import Scene


def impact_of(scene: Scene, draft: Draft) -> ImpactOfPlan:
    """`engine_seconds`: mean of the last runs of every node that will run; `finish_at` by slots and longest path."""
    steps = draft.steps
    if not steps:
        return ImpactOfPlan()
    window = scene.window
    touched = {(step.owner, step.fields) for step in steps}
    projects: dict[str, None] = {}
    people: dict[str, None] = {}
    fields = 0
    seen: set[tuple[int, int]] = set()
    for owner, mask in touched:
        fields += mask.bit_count() if scene.map(owner).words(mask) else 0
        key = (int(window.instances.version[owner]), mask)
        if key in seen:
            continue
        seen.add(key)
        for name in scene.map(owner).words(mask) or ("",):
            project, person = scene.belongs(owner, name)
            projects[project] = None
            if person:
                people[person] = None
    tables = {int(window.instances.task[owner]) for owner, _ in touched}
    rows = np.array([step.row for step in steps if step.action in (Action.RUN, Action.STOP)], dtype=np.int64)
    running = int((window.status[rows] == Status.RUNNING).sum()) if len(rows) else 0
    seconds, finish = _time(scene, [step for step in steps if step.action is Action.RUN])
    return ImpactOfPlan(
        len({step.row for step in steps}), fields, len(tables), tuple(sorted(projects)), tuple(sorted(people)),
        running, seconds, finish,
    )  # fmt: skip


def _time(scene: Scene, steps: Sequence[RowStep]) -> tuple[float | None, int | None]:
    if not steps:
        return None, None
    window, names = scene.window, scene.fleet.catalog.names
    nodes = window.node[np.array([step.row for step in steps], dtype=np.int64)].tolist()
    distinct = sorted({names[node] for node in nodes})
    known = scene.seconds(distinct)
    if not known:
        return None, None
    usual = sum(known.values()) / len(known)
    total = 0.0
    by_level: dict[int, float] = {}
    by_group: dict[int, float] = {}
    groups = window.group[[step.row for step in steps]].tolist()
    for step, node, group in zip(steps, nodes, groups, strict=True):
        spent = known.get(names[node], usual)
        total += spent
        by_level[step.level] = max(by_level.get(step.level, 0.0), spent)
        by_group[group] = by_group.get(group, 0.0) + spent
    return round(total, 3), scene.now + int(_longest(scene, by_level, by_group) * 1_000_000)


def _longest(scene: Scene, by_level: Mapping[int, float], by_group: Mapping[int, float]) -> float:
    """Seconds: levels one after the other, or all work of a group through its slots, whichever takes longer."""
    slots = scene.fleet.catalog.group_slots
    through = [spent / max(1, slots[group]) for group, spent in by_group.items()]
    return max(sum(by_level.values()), *through)
