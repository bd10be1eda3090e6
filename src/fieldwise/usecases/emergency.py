"""Force rerun across projects in three locked steps: a draft that only goes forward (spec 4, "The emergency wizard")."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from fieldwise.fleet.decide import Fleet
from fieldwise.model.access import Actor
from fieldwise.model.errors import NotFound
from fieldwise.model.event import from_day, to_micros
from fieldwise.model.operation import OperationOptions, OperationRequest, Verb
from fieldwise.operations.across_projects import Basic, NotEligible, below, plan_across, projects_below, unmet
from fieldwise.operations.plan import OperationPlan
from fieldwise.operations.scene import Scene
from fieldwise.ports.clock import Clock
from fieldwise.usecases.operate import Again, Operator

BASIC_WARNING = (
    "These settings cannot be changed afterwards. A wrong choice costs computing and waiting time. Check data timestamp, "
    "start instance, start point and cross-day before you confirm."
)
KEPT_DRAFTS = 200
HOURS = 24


@dataclass(frozen=True)
class Draft:
    id: str
    instance: int
    actor: str
    step: int = 1
    basic: Basic | None = None
    selected: tuple[str, ...] = ()
    plan: str = ""
    digest: str = ""


class Emergency:
    """One draft per call of `begin`; at most one operation in progress."""

    def __init__(self, operator: Operator, clock: Clock) -> None:
        self._operator = operator
        self._clock = clock
        self._drafts: dict[str, Draft] = {}
        self._lock = threading.Lock()

    def begin(self, instance: int, actor: Actor) -> dict[str, Any]:
        """Raises NotEligible with the first rule that is not met, NotFound."""

        def look(scene: Scene, owner: int) -> dict[str, Any]:
            rules = unmet(scene, owner, self._today(scene, owner))
            if rules:
                raise NotEligible(rules[0][0], "; ".join(said for _, said in rules))
            return {"object": scene.name(owner), "data_timestamp": from_day(scene.day(owner)).isoformat()}

        found = self._look(instance, actor, look)
        self._nothing_in_progress()
        draft = Draft(secrets.token_hex(8), instance, actor.name)
        with self._lock:
            while len(self._drafts) >= KEPT_DRAFTS:
                del self._drafts[next(iter(self._drafts))]
            self._drafts[draft.id] = draft
        return {"id": draft.id, "step": 1, "instance": instance, "warning": BASIC_WARNING, **found}

    def basic(
        self, draft_id: str, children: bool, cross_day: bool, confirmed: bool, actor: Actor
    ) -> dict[str, Any]:
        draft = self._draft(draft_id, actor)
        if draft.step != 1:
            raise NotEligible("basic_locked", "the first step is locked", "begin a new emergency rerun")
        if not confirmed:
            raise NotEligible("not_confirmed", BASIC_WARNING)
        basic = Basic(children, cross_day)

        def look(scene: Scene, owner: int) -> list[dict[str, Any]]:
            counts = projects_below(scene, owner, basic, below(scene, owner, basic))
            return [
                {
                    "project": name,
                    "display_name": name,
                    "administrator": scene.administers(name),
                    "instances": count,
                }
                for name, count in sorted(counts.items())
            ]

        projects = self._look(draft.instance, actor, look)
        self._keep(replace(draft, step=2, basic=basic))
        return {"step": 2, "projects": projects, "warning": ""}

    def projects(
        self, draft_id: str, selected: Sequence[str], confirmed: bool, actor: Actor
    ) -> dict[str, Any]:
        draft = self._draft(draft_id, actor)
        basic = draft.basic
        if draft.step != 2 or basic is None:
            raise NotEligible("projects_locked", "this step is locked or not reached yet")
        if not selected:
            raise NotEligible("no_project_selected", "select at least one project")

        def look(scene: Scene, owner: int) -> dict[str, int]:
            own = scene.definition(owner).project
            if not basic.children and own not in selected:
                raise NotEligible("start_project_not_selected", f"the start is of project {own}: select it")
            foreign = [name for name in selected if not scene.administers(name)]
            if foreign:
                shown = ", ".join(foreign)
                raise NotEligible("project_not_administered", f"you are not administrator of {shown}")
            return projects_below(scene, owner, basic, below(scene, owner, basic))

        counts = self._look(draft.instance, actor, look)
        unknown = [name for name in selected if name not in counts]
        if unknown:
            raise NotEligible("no_project_selected", f"{', '.join(unknown)} has no instance below the start")
        others = len(set(counts) - set(selected))
        message = (
            f"Instances of {len(selected)} selected projects will be run again; instances of {others} other projects "
            "will be dry-run only."
        )
        if not confirmed:
            raise NotEligible("not_confirmed", message)
        chosen = replace(draft, step=3, selected=tuple(selected))
        body, plan = self._operator.plan_other(self._again(chosen, basic), actor)
        self._keep(replace(chosen, plan=body["plan"], digest=body["hash"]))
        return {
            "step": 3,
            "force_rerun": plan.extras["force_rerun"],
            "dry_run": plan.extras["dry_run"],
            "baselines": [],
            "conflicts": body["conflicts"],
            "finish_at": body["impact"]["finish_at"],
            "hash": body["hash"],
            "message": message,
        }

    def submit(self, draft_id: str, digest: str, reason: str, accepted: bool, actor: Actor) -> dict[str, Any]:
        draft = self._draft(draft_id, actor)
        if draft.step != 3:
            raise NotEligible("not_confirmed", "confirm the first two steps before")
        if not reason.strip():
            raise NotEligible("reason_missing", "a reason is needed", "1 to 500 characters")
        if not accepted:
            raise NotEligible("not_accepted", "confirm that you have checked the impact")
        self._nothing_in_progress()
        operation = self._operator.confirm(draft.plan, digest, reason, actor)
        with self._lock:
            self._drafts.pop(draft_id, None)
        return operation

    def _again(self, draft: Draft, basic: Basic) -> Again:
        options = OperationOptions(cross_day=basic.cross_day)
        request = OperationRequest(Verb.EMERGENCY_RERUN, (draft.instance,), options=options)

        def again(fleet: Fleet, now: int, actor: Actor) -> OperationPlan:
            scene = self._operator.scene(fleet, now, actor, options)
            owner = scene.owner(draft.instance)
            if owner is None:
                raise NotFound(f"there is no instance {draft.instance}")
            return plan_across(scene, request, owner, basic, draft.selected)

        return again

    # -- what they share
    def _look(self, instance: int, actor: Actor, act: Any) -> Any:
        now = to_micros(self._clock.now())

        def look(fleet: Fleet) -> Any:
            scene = self._operator.scene(fleet, now, actor, OperationOptions())
            owner = scene.owner(instance)
            if owner is None:
                raise NotFound(f"there is no instance {instance}")
            return act(scene, owner)

        return self._operator.look(look)

    def _today(self, scene: Scene, owner: int) -> date:
        project = scene.definition(owner).project
        return self._clock.now().astimezone(ZoneInfo(self._operator.zone(project))).date()

    def _nothing_in_progress(self) -> None:
        """The lease: freed when every target is final, paused or waits for something outside, and after a day."""
        since = to_micros(self._clock.now()) - HOURS * 3_600_000_000
        for row in self._operator.recent(Verb.EMERGENCY_RERUN, since):
            open_ = [item for item in row["items"] if item["result"] in ("waiting", "running")]
            if row["status"] == "applying" or open_:
                message = (
                    f"operation {row['operation']} by {row['actor']} is in progress ({len(open_)} to go)"
                )
                raise NotEligible("force_rerun_in_progress", message, "wait for it to end")

    def _draft(self, draft_id: str, actor: Actor) -> Draft:
        with self._lock:
            draft = self._drafts.get(draft_id)
        if draft is None or draft.actor != actor.name:
            raise NotFound("there is no such draft any more", "begin a new emergency rerun")
        return draft

    def _keep(self, draft: Draft) -> None:
        with self._lock:
            self._drafts[draft.id] = draft
