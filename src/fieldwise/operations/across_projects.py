"""Plans the force rerun of everything below an instance, across projects (spec 4, "The emergency wizard")."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from fieldwise.model.errors import FieldwiseError
from fieldwise.model.event import from_day
from fieldwise.model.operation import Action, OperationRequest
from fieldwise.model.status import InstanceType, Mark, Status
from fieldwise.operations.draft import Draft, Phase, RowStep
from fieldwise.operations.plan import OperationPlan, finish
from fieldwise.operations.reach import Reach
from fieldwise.operations.recompute import list_never, never_rows
from fieldwise.operations.scene import Scene

DAYS_BACK = (1, 2)  # T-1 and T-2


class NotEligible(FieldwiseError):
    """An emergency rerun cannot start here; the code names the rule."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.code = code


@dataclass(frozen=True, slots=True)
class Basic:
    """The first, locked step. `children`: the start itself is left as it is."""

    children: bool
    cross_day: bool


def unmet(scene: Scene, owner: int, today: date) -> list[tuple[str, str]]:
    """(code, words) of every rule that the start instance does not meet; `today`: in the zone of its project."""
    found: list[tuple[str, str]] = []
    window = scene.window
    if int(window.instances.type[owner]) != InstanceType.RECURRING:
        found.append(("not_recurring", "only recurring instances can be the start"))
    day = from_day(scene.day(owner))
    allowed = [date.fromordinal(today.toordinal() - back) for back in DAYS_BACK]
    if day not in allowed:
        message = f"data timestamp must be {allowed[0]} or {allowed[1]}, is {day}"
        found.append(("data_timestamp_out_of_range", message))
    statuses = scene.statuses(owner).values()
    busy = [status for status in statuses if status.waiting or status is Status.RUNNING]
    if busy or not any(status.final for status in statuses):
        now = (busy[0] if busy else Status.NOT_RUNNING).word.replace("_", " ")
        found.append(("status_not_final", f"status must be Succeeded or Failed, is {now}"))
    project = scene.definition(owner).project
    if not scene.administers(project):
        found.append(("not_administrator", f"you are not administrator of {project} or of the tenant"))
    return found


def below(scene: Scene, owner: int, basic: Basic) -> Reach:
    """Everything that depends on any field of the start."""
    reach = Reach(scene.window, scene.maps, scene.flow, scene.extra, basic.cross_day, None, never_rows(scene))
    return reach.go({owner: scene.map(owner).everything})


def projects_below(scene: Scene, owner: int, basic: Basic, reach: Reach) -> dict[str, int]:
    """Instances of each project that would be touched, the start among them unless it is left as it is."""
    found: dict[str, int] = {}
    for one in reach.reached.tolist():
        if one == owner and basic.children:
            continue
        project = scene.definition(one).project
        found[project] = found.get(project, 0) + 1
    return found


def plan_across(
    scene: Scene, request: OperationRequest, owner: int, basic: Basic, selected: Collection[str]
) -> OperationPlan:
    """Targets of the selected projects run again from the top; instances of the others are passed by a dry run."""
    draft = Draft()
    reach = below(scene, owner, basic)
    start: list[int] = []
    targets: list[tuple[int, int]] = []
    passed: list[int] = []
    counts = {"force_rerun": 0, "dry_run": 0}
    for one in reach.reached.tolist():
        if one == owner and basic.children:
            continue
        mask = scene.map(one).closed(reach.mask(one))
        if scene.definition(one).project in selected:
            counts["force_rerun"] += 1
            for row in _steps(scene, draft, one, mask, int(reach.level[one]), one == owner):
                if one == owner:
                    start.append(row)
                else:
                    targets.append((int(reach.level[one]), row))
        else:
            rows = _passed(scene, draft, one, mask, int(reach.level[one]))
            counts["dry_run"] += bool(rows)
            passed += rows
    list_never(scene, draft, [*start, *(row for _, row in targets), *passed])
    if passed:
        draft.phases.append(Phase("pass_through", tuple(passed)))
    if targets:
        draft.phases.append(Phase("rerun", tuple(row for _, row in sorted(targets, reverse=True))))
    if start:
        draft.phases.append(Phase("force", tuple(start)))
    return finish(scene, request, draft, counts)


def _steps(scene: Scene, draft: Draft, owner: int, mask: int, level: int, start: bool) -> list[int]:
    rows = []
    for node in scene.map(owner).running(mask):
        row = scene.row(owner, node)
        if row < 0:
            continue
        if int(scene.window.marks[row]) & int(Mark.PAUSED):
            draft.skip(scene, owner, "paused", "it stays paused", row=row)
        after = Status.WAITING_TIME if start else Status.NOT_RUNNING
        draft.steps.append(RowStep(row, owner, node.fields & mask, Action.RUN, after, level))
        rows.append(row)
    return rows


def _passed(scene: Scene, draft: Draft, owner: int, mask: int, level: int) -> list[int]:
    """Only what has ended is passed: what waits or runs goes its own way, and what is below waits for it."""
    rows = []
    for node in scene.map(owner).running(mask):
        row = scene.row(owner, node)
        if row >= 0 and Status(int(scene.window.status[row])).final:
            step = RowStep(row, owner, node.fields & mask, Action.DRY_RUN, Status.NOT_RUNNING, level)
            draft.steps.append(step)
            rows.append(row)
    return rows
