"""Plans, confirms, logs and undoes operations: the one path of UI, API, CLI and Python client (spec 4).

`in_turn(act)` runs `act(fleet, epoch, now) -> (answer, inputs)` between two decisions of the leader, alone: the inputs
are decided on and durable when it returns. Planning only looks; confirming plans again in the leader's turn and applies
what was planned only if nothing it rests on has changed.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from fieldwise.fleet.decide import Fleet
from fieldwise.fleet.values import Cancel, Input, Operate, Order
from fieldwise.model.access import Actor, Right, Thing, administers, may, operating_permit
from fieldwise.model.errors import BadRequest, FieldwiseError, NotFound
from fieldwise.model.event import OperationRecord, from_day, from_micros, to_micros
from fieldwise.model.operation import (
    FORCED,
    OperationOptions,
    OperationRequest,
    Verb,
)
from fieldwise.model.status import Environment, Mark, Status
from fieldwise.operations.choose import ANY, FIELD_STATUSES
from fieldwise.operations.plan import OperationPlan, difference, make_plan
from fieldwise.operations.scene import Scene
from fieldwise.operations.undo import UNDOABLE, NotUndoable, Overtaken, PastStep, plan_undo
from fieldwise.ports.clock import Clock
from fieldwise.ports.engine import Upkeep
from fieldwise.ports.operations import OperationRow
from fieldwise.ports.store import Store
from fieldwise.usecases.selection import select
from fieldwise.usecases.staleness import Staleness

Look = Callable[[Fleet], Any]
Act = Callable[[Fleet, int, int], tuple[Any, list[Input]]]
Again = Callable[[Fleet, int, Actor], OperationPlan]

EXPIRES = 15 * 60 * 1_000_000  # microseconds
KEPT_PLANS = 1_000
SHOWN_OBJECTS = 20
QUERY_LIMIT = 100_000


class PlanStale(FieldwiseError):
    """What the plan rests on has changed; nothing was applied."""

    code = "plan_stale"

    def __init__(self, said: Sequence[str], fresh: dict[str, Any]) -> None:
        super().__init__(
            "the plan is stale: " + "; ".join(said[:3]) + ("; ..." if len(said) > 3 else ""),
            "look at the new plan and confirm that",
        )
        self.difference = list(said)
        self.fresh = fresh


class PlanExpired(NotFound):
    """A plan lives for 15 minutes."""

    code = "plan_expired"


class PlanRefused(FieldwiseError):
    """The plan cannot be confirmed as it is."""

    code = "plan_refused"


class ReasonMissing(FieldwiseError):
    """This operation needs a reason."""

    code = "reason_missing"


class NotCancellable(FieldwiseError):
    """Nothing is left to cancel, or it is not yours."""

    code = "not_cancellable"


class KeyReused(FieldwiseError):
    """The idempotency key was used for something else."""

    code = "idempotency_key_reused"


@dataclass(frozen=True)
class Kept:
    """A plan that waits to be confirmed. `again` makes it anew: from a window as it is then, for who confirms it."""

    id: str
    plan: OperationPlan
    again: Again
    expires_at: int
    undo_of: int = 0


class Operator:
    """Operations on one environment of one home."""

    def __init__(
        self,
        store: Store,
        engine: Upkeep,
        clock: Clock,
        look: Callable[[Look], Any],
        in_turn: Callable[[Act], Any],
    ) -> None:
        """`look(act)` lets `act` read the open window."""
        self._store = store
        self._engine = engine
        self._clock = clock
        self.look = look
        self._in_turn = in_turn
        self._plans: dict[str, Kept] = {}
        self._lock = threading.Lock()

    # -- plan
    def plan(self, request: OperationRequest, actor: Actor) -> dict[str, Any]:
        """Changes nothing and is not logged. Raises BadRequest, NotFound."""
        request = self._resolved(request)

        def again(fleet: Fleet, now: int, actor: Actor) -> OperationPlan:
            return make_plan(self.scene(fleet, now, actor, request.options), request)

        return self._keep(again, actor)

    def plan_undo(self, operation: int, actor: Actor) -> dict[str, Any]:
        """The plan of taking an operation back. Raises NotUndoable, Overtaken, NotFound."""
        row = self._row(operation)
        if not _may_take_back(row, actor):
            raise NotUndoable(f"operation {operation} is {row.actor}'s: ask them or an administrator")
        if row.undone_by:
            raise NotUndoable(f"operation {operation} was undone by operation {row.undone_by}")
        if row.status != "applied":
            raise NotUndoable(f"operation {operation} is {row.status.replace('_', ' ')}")
        touched = sorted({step["instance"] for step in row.document["steps"]})
        later = self._store.later_operation(operation, touched)
        if later is not None:
            raise Overtaken(f"operation {later} touched the same instances since")
        verb = Verb(row.verb)
        steps = [
            PastStep(step["node_instance"], step["before"], step["was"], step["run"])
            for step in row.document["steps"]
            if step["node_instance"] not in row.refused
        ]
        request = OperationRequest(Verb.UNDO, tuple(touched), environment=Environment(row.environment))
        values = dict(row.document["values"])

        def again(fleet: Fleet, now: int, actor: Actor) -> OperationPlan:
            scene = self.scene(fleet, now, actor, request.options)
            return plan_undo(scene, request, verb, steps, values)

        return self._keep(again, actor, operation)

    def known_plan(self, plan: str) -> dict[str, Any]:
        """A plan made before. Raises PlanExpired."""
        return self._body(self._kept(plan))

    def scene(self, fleet: Fleet, now: int, actor: Actor, options: OperationOptions) -> Scene:
        return Scene(
            fleet,
            now,
            operating_permit(actor, Environment.PROD.value),
            Staleness(fleet, self._store, self._engine, options.check_sources),
            self._store.engine_seconds,
            lambda project: may(actor, Right.WIZARD, Thing(project)),
        )

    def plan_other(self, again: Again, actor: Actor) -> tuple[dict[str, Any], OperationPlan]:
        """A plan that something else than a verb on instances makes: the emergency wizard."""
        body = self._keep(again, actor)
        return body, self._kept(body["plan"]).plan

    def recent(self, verb: Verb, since: int) -> list[dict[str, Any]]:
        """Operations of a verb since an instant, with their items."""
        rows = self._store.operations({"verb": verb.value, "first": since}, 50, None)
        return [self.operation(row.id) for row in rows]

    def zone(self, project: str) -> str:
        """Time zone of a project, UTC if it is not known."""
        active = self._store.active_publications(Environment.PROD)
        return next((one.project.timezone for one in active if one.project.name == project), "UTC")

    def _keep(self, again: Again, actor: Actor, undo_of: int = 0) -> dict[str, Any]:
        now = to_micros(self._clock.now())
        plan: OperationPlan = self.look(lambda fleet: again(fleet, now, actor))
        kept = Kept(secrets.token_hex(8), plan, again, now + EXPIRES, undo_of)
        with self._lock:
            for old in [key for key, one in self._plans.items() if one.expires_at < now]:
                del self._plans[old]
            while len(self._plans) >= KEPT_PLANS:
                del self._plans[next(iter(self._plans))]
            self._plans[kept.id] = kept
        return self._body(kept)

    def _kept(self, plan: str) -> Kept:
        with self._lock:
            kept = self._plans.get(plan)
        if kept is None or kept.expires_at < to_micros(self._clock.now()):
            raise PlanExpired("there is no such plan any more: plans live for 15 minutes", "plan it again")
        return kept

    def _resolved(self, request: OperationRequest) -> OperationRequest:
        """A query becomes the instances it finds."""
        if not request.query:
            if not request.instances:
                raise BadRequest("which instances?", "name instances by id, or give a query")
            return request
        found, fields = select(self._store, request.query, request.environment, QUERY_LIMIT)
        if not found:
            raise NotFound(
                f"no instance matches {request.query}", "fieldwise instances list shows what there is"
            )
        return replace(request, instances=tuple(found), fields=request.fields or fields)

    # -- confirm
    def confirm(self, plan: str, digest: str, reason: str, actor: Actor, key: str = "") -> dict[str, Any]:
        """Apply exactly that plan. Raises PlanStale, PlanExpired, PlanRefused, ReasonMissing, KeyReused."""
        asked = hashlib.sha256(json.dumps([plan, digest, reason]).encode()).hexdigest()
        known = self._store.operation_by_key(actor.name, key) if key else None
        if known is not None:
            if known[1] != asked:
                raise KeyReused("this idempotency key was used for something else", "draw a new one")
            return self.operation(known[0], brief=True)
        kept = self._kept(plan)
        if kept.plan.basis.digest != digest:
            raise BadRequest("the hash is not that of the plan", "confirm with the hash the plan came with")
        if kept.plan.refused:
            raise PlanRefused(kept.plan.refused)
        if kept.plan.reason_required and not reason.strip():
            raise ReasonMissing(f"{kept.plan.request.verb.words} needs a reason", "1 to 500 characters")
        number = self._apply(kept, reason.strip(), actor, key, asked)
        with self._lock:
            self._plans.pop(plan, None)
        return self.operation(number, brief=True)

    def _apply(self, kept: Kept, reason: str, actor: Actor, key: str, asked: str) -> int:
        stale: list[tuple[list[str], OperationPlan]] = []

        def act(fleet: Fleet, epoch: int, now: int) -> tuple[int, list[Input]]:
            fresh = kept.again(fleet, now, actor)
            verb = fresh.request.verb
            said = difference(kept.plan.basis, fresh.basis, verb in FORCED)
            if said or fresh.refused:
                stale.append((said or [fresh.refused], fresh))
                return 0, []
            number = self._store.next_operation()
            return number, [
                order_and_record(fleet, fresh, number, reason, actor, now, key, asked, kept.undo_of)
            ]

        number: int = self._in_turn(act)
        if stale:
            said, fresh = stale[0]
            renewed = replace(kept, id=secrets.token_hex(8), plan=fresh)
            with self._lock:
                self._plans[renewed.id] = renewed
            raise PlanStale(said, self._body(renewed))
        return number

    def cancel(self, operation: int, actor: Actor) -> dict[str, Any]:
        """Apply nothing more of it; what was applied stays. By its author or an administrator. Raises NotCancellable."""
        row = self._row(operation)
        if row.status != "applying":
            raise NotCancellable(f"operation {operation} is {row.status}: there is nothing left to cancel")
        if not _may_take_back(row, actor):
            raise NotCancellable(f"operation {operation} is {row.actor}'s: ask them or an administrator")

        def act(fleet: Fleet, epoch: int, now: int) -> tuple[None, list[Input]]:
            return None, [Cancel(operation)]

        self._in_turn(act)
        return self.operation(operation, brief=True)

    # -- the log
    def _row(self, operation: int) -> OperationRow:
        row = self._store.operation(operation)
        if row is None:
            raise NotFound(f"there is no operation {operation}", "fieldwise operations lists them")
        return row

    def operation(self, operation: int, brief: bool = False) -> dict[str, Any]:
        """One entry of the log; unless brief with before and after of every node instance."""
        row = self._row(operation)
        body = _entry(row)
        if not brief:
            body |= {"plan_hash": row.document["hash"], "items": self._items(row)}
        return body

    def operations(
        self, filters: Mapping[str, Any], limit: int = 50, cursor: str | None = None
    ) -> dict[str, Any]:
        """Newest first, by keyset."""
        before = int(cursor) if cursor else None
        rows = self._store.operations(filters, limit + 1, before)
        more = str(rows[limit - 1].id) if len(rows) > limit else None
        return {"items": [_entry(row) for row in rows[:limit]], "cursor": more}

    def _items(self, row: OperationRow) -> list[dict[str, Any]]:
        runs: dict[int, list[dict[str, Any]]] = {}
        nodes: dict[int, dict[str, Any]] = {}
        for instance in {step["instance"] for step in row.document["steps"]}:
            for run in self._store.runs(instance):
                runs.setdefault(run["node_instance"], []).append(run)
            for node in self._store.node_instances(instance):
                nodes[node["id"]] = node
        return [_item(row, step, runs, nodes) for step in row.document["steps"]]

    # -- choosing
    def choices(self, instance: int, verb: Verb, fields: Sequence[str], actor: Actor) -> list[dict[str, Any]]:
        """Every field of an instance as the picker shows it when some are chosen (spec 4, "Choosing fields")."""
        now = to_micros(self._clock.now())
        options = OperationOptions()

        def look(fleet: Fleet) -> list[dict[str, Any]]:
            scene = self.scene(fleet, now, actor, options)
            owner = scene.owner(instance)
            if owner is None:
                raise NotFound(f"there is no instance {instance}")
            return _choices(scene, owner, FIELD_STATUSES.get(verb, ANY), fields)

        found: list[dict[str, Any]] = self.look(look)
        return found

    # -- words
    def _body(self, kept: Kept) -> dict[str, Any]:
        plan = kept.plan
        return plan_body(plan) | {
            "plan": kept.id,
            "hash": plan.basis.digest,
            "expires_at": _instant(kept.expires_at),
        }


def plan_body(plan: OperationPlan) -> dict[str, Any]:
    """A plan in the words of the contract (spec 4, "Contracts")."""
    impact = plan.impact
    return {
        "verb": plan.request.verb.value,
        "steps": [
            {
                "node_instance": step.node_instance, "instance": step.instance, "table": step.table, "node": step.node,
                "label": step.label, "fields": list(step.fields), "data_timestamp": from_day(step.data_day).isoformat(),
                "action": step.action.value, "from": Status(step.before).word, "to": Status(step.after).word,
                "level": step.level,
            }
            for step in plan.steps
        ],
        "required": [
            {
                "table": one.table, "data_timestamp": from_day(one.data_day).isoformat(), "instance": one.instance,
                "field": one.field, "cause": one.cause.value, "because": one.because,
            }
            for one in plan.required
        ],
        "conflicts": [{"object": c.object, "code": c.code, "message": c.message} for c in plan.conflicts],
        "skipped": [_skipped(one) for one in plan.skipped],
        "impact": {
            "node_instances": impact.node_instances, "fields": impact.fields, "tables": impact.tables,
            "projects": list(impact.projects), "owners": list(impact.owners), "running_stopped": impact.running_stopped,
            "engine_seconds": impact.engine_seconds,
            "finish_at": None if impact.finish_at is None else _instant(impact.finish_at), "baselines": [],
        },
        "older_than_input": [
            {
                "instance": one.instance, "object": one.object, "data_timestamp": from_day(one.data_day).isoformat(),
                "fields": list(one.fields),
            }
            for one in plan.older
        ],
        "ancestors_not_succeeded": [
            {
                "instance": one.instance, "object": one.object, "data_timestamp": from_day(one.data_day).isoformat(),
                "status": one.status,
            }
            for one in plan.ancestors
        ],
        "reason_required": plan.reason_required,
        "warning": plan.warning,
        "refused": plan.refused,
    }  # fmt: skip


def _skipped(one: Any) -> dict[str, Any]:
    return {
        "object": one.object,
        "code": one.code,
        "message": one.message,
        "instead": one.instead or None,
        "instance": one.instance or None,
        "node_instance": one.node_instance or None,
    }


def _may_take_back(row: OperationRow, actor: Actor) -> bool:
    """Its author, or an administrator of everything it touched (spec 4, "Undo")."""
    projects = {step["table"].partition(".")[0] for step in row.document["steps"]}
    return row.actor == actor.name or all(administers(actor, project) for project in projects)


def _instant(micros: int) -> str:
    return from_micros(micros).isoformat().replace("+00:00", "Z")


def order_and_record(
    fleet: Fleet,
    plan: OperationPlan,
    number: int,
    reason: str,
    actor: Actor,
    now: int,
    key: str = "",
    asked: str = "",
    undo_of: int = 0,
) -> Operate:
    """What the leader is given to apply a plan made from this very window."""
    order = _order(fleet, plan, number)
    return Operate(order, _record(fleet, plan, order, reason, actor, key, asked, undo_of, now))


def _order(fleet: Fleet, plan: OperationPlan, number: int) -> Order:
    """Node instances instead of rows; of each phase those that run come last, as they must stop first."""
    window = fleet.window
    phases = []
    for phase in plan.phases:
        rows = sorted(phase.rows, key=lambda row: bool(window.status[row] == Status.RUNNING))
        ids = tuple(int(window.id[row]) for row in rows)
        phases.append((phase.kind, ids, phase.value))
    return Order(number, plan.request.verb.value, tuple(phases))


def _record(
    fleet: Fleet,
    plan: OperationPlan,
    order: Order,
    reason: str,
    actor: Actor,
    key: str,
    asked: str,
    undo_of: int,
    now: int,
) -> OperationRecord:
    request = plan.request
    instances = tuple(dict.fromkeys(step.instance for step in plan.steps))
    edges = _changing_edges(fleet, order)
    document = {
        "objects": sorted({step.table for step in plan.steps})[:SHOWN_OBJECTS],
        "scope": {"instances": list(request.instances[:1000]), "query": request.query or None},
        "fields": None if request.fields is None else list(request.fields),
        "options": _options(request.options),
        "hash": plan.basis.digest,
        "values": [[kind, value] for kind, _, value in order.phases],
        "required": [[r.table, r.field, r.cause.value, r.because] for r in plan.required[:1000]],
        "skipped": [_skipped(one) for one in plan.skipped[:1000]],
        "steps": [_kept_step(fleet, step, request.verb, edges) for step in plan.steps],
    }
    total = sum(len(ids) for _, ids, _ in order.phases)
    phases = json.dumps([[kind, list(ids), value] for kind, ids, value in order.phases])
    return OperationRecord(
        order.operation, now, actor.name, str(actor.source), request.verb.value, reason, "applying", total,
        request.environment.value, json.dumps(document), phases, instances, key, asked, undo_of,
    )  # fmt: skip


def _options(options: OperationOptions) -> dict[str, Any]:
    """Only what was asked for beside the defaults."""
    default = OperationOptions()
    found: dict[str, Any] = {}
    for name in OperationOptions.__dataclass_fields__:
        value = getattr(options, name)
        if value != getattr(default, name):
            found[name] = [list(pick_or_id(one)) for one in value] if name == "pick" else value
    return json.loads(json.dumps(found, default=str))  # type: ignore[no-any-return]


def pick_or_id(one: Any) -> tuple[Any, ...]:
    return (one.instance, list(one.fields) if one.fields is not None else None)


def _changing_edges(fleet: Fleet, order: Order) -> dict[int, list[int]]:
    """Node instance -> the upstream instances that the order removes from it, or gives back to it."""
    window = fleet.window
    removed = {(int(window.id[row]), int(window.instance_id[up])) for row, up in window.removed}
    found: dict[int, list[int]] = {}
    for kind, ids, value in order.phases:
        if kind in ("remove_upstream", "restore_upstream"):
            gone = kind == "restore_upstream"
            for number in ids:
                ups = [up for up in value if ((number, up) in removed) == gone]
                found.setdefault(number, []).extend(ups)
    return found


def _kept_step(fleet: Fleet, step: Any, verb: Verb, edges: Mapping[int, list[int]]) -> dict[str, Any]:
    row = fleet.window.row(step.node_instance)
    assert row is not None, "the plan was made from this window"
    was: Any = None
    if verb is Verb.SET_PRIORITY:
        chosen = int(fleet.window.chosen_priority[row])
        was = None if chosen < 0 else chosen
    elif verb is Verb.SET_RESOURCE_GROUP:
        number = int(fleet.window.group[row])
        configured = int(fleet.catalog.node_group[int(fleet.window.node[row])])
        names = {group: name for (_, name), group in fleet.catalog.groups.items()}
        was = None if number == configured else names.get(number)
    elif verb is Verb.RESUME:
        was = fleet.paused_until(row)
    elif verb is Verb.SET_SUCCESS and fleet.window.marks[row] & int(Mark.PAUSED):
        was = {"until": fleet.paused_until(row)}
    elif step.node_instance in edges:
        was = edges[step.node_instance]
    return {
        "node_instance": step.node_instance, "instance": step.instance, "table": step.table, "node": step.node,
        "label": step.label, "fields": list(step.fields), "day": step.data_day, "action": step.action.value,
        "before": step.before, "after": step.after, "level": step.level, "run": int(fleet.window.run[row]), "was": was,
    }  # fmt: skip


def _entry(row: OperationRow) -> dict[str, Any]:
    document = row.document
    why = ""
    if row.undone_by:
        why = f"undone by operation {row.undone_by}"
    elif Verb(row.verb) not in UNDOABLE:
        why = f"{Verb(row.verb).words} cannot be undone"
    elif row.status != "applied":
        why = f"it is {row.status.replace('_', ' ')}"
    return {
        "operation": row.id, "status": row.status, "verb": row.verb, "source": row.source, "actor": row.actor,
        "at": _instant(row.at), "reason": row.reason, "applied": row.applied - len(row.refused), "total": row.total,
        "objects": document["objects"], "scope": document["scope"], "options": document["options"],
        "fields": document["fields"], "undo_of": row.undo_of or None, "undone_by": row.undone_by or None,
        "undoable": not why, "not_undoable_because": why, "skipped": document["skipped"],
    }  # fmt: skip


def _item(
    row: OperationRow,
    step: Mapping[str, Any],
    runs: Mapping[int, list[dict[str, Any]]],
    nodes: Mapping[int, dict[str, Any]],
) -> dict[str, Any]:
    number = step["node_instance"]
    node = nodes.get(number, {})
    return {
        "node_instance": number, "instance": step["instance"], "table": step["table"], "node": step["node"],
        "label": step["label"], "fields": step["fields"], "data_timestamp": from_day(step["day"]).isoformat(),
        "action": step["action"], "before": Status(step["before"]).word, "after": node.get("status", ""),
        "result": _result(row, step, runs.get(number, []), node),
    }  # fmt: skip


def _result(
    row: OperationRow, step: Mapping[str, Any], runs: Sequence[Mapping[str, Any]], node: Mapping[str, Any]
) -> str:
    """What became of one step, as it stands now."""
    if step["node_instance"] in row.refused:
        return "skipped"
    if step["action"] == "run":
        later = sorted((run for run in runs if run["number"] > step["run"]), key=lambda run: run["number"])
        # A run that was stopped because this operation needed its place is not its result.
        return (
            str(later[-1]["outcome"])
            if later
            else "waiting"
            if row.status in ("applied", "applying")
            else row.status
        )
    if step["action"] == "stop":
        if node.get("status") == "running":
            return "stopping"
        mine = [run for run in runs if run["number"] == step["run"]]
        return (
            "too_late"
            if mine and mine[0]["outcome"] == "succeeded" and step["before"] == Status.RUNNING
            else "stopped"
        )
    return "applied"


def _choices(
    scene: Scene, owner: int, statuses: frozenset[Any], chosen_names: Sequence[str]
) -> list[dict[str, Any]]:
    fields, known = scene.map(owner), scene.statuses(owner)
    given = scene.required(owner)
    chosen = fields.mask(chosen_names)
    causes = (
        {name: (cause, because) for name, cause, because in fields.causes(chosen, given)} if chosen else {}
    )
    closed = fields.closed(chosen | sum(given.values(), 0)) if chosen else 0
    newest = scene.maps[scene.newest(int(scene.window.instances.version[owner]))]
    found = []
    for one in fields.compiled.fields:
        bit = fields.bits[one.name]
        status = scene.field_status(owner, bit, known)
        group = [name for name in fields.words(fields.closed(bit)) if name != one.name]
        state, cause, because = "selectable" if not group else "group", "", ""
        if one.name not in newest.bits:
            state, cause, because = "disabled", "FIELD_DELETED", "it was removed from the table"
        elif not scene.may(owner, one.name):
            project, person = scene.belongs(owner, one.name)
            state, cause = "disabled", "NO_PERMISSION"
            because = f"it belongs to {person or project}"
        elif bit & closed & ~chosen:
            state = "required"
            cause, because = causes.get(one.name, ("", ""))
        elif status not in statuses:
            state, cause, because = "disabled", "STATUS", f"it is {status.word.replace('_', ' ')}"
        found.append(
            {
                "field": one.name, "key": one.name in fields.compiled.key, "state": state, "group": group,
                "cause": str(cause), "because": because, "status": status.word,
            }
        )  # fmt: skip
    return found


def parse_until(text: str) -> int:
    """An RFC 3339 instant. Raises BadRequest."""
    try:
        instant = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise BadRequest(f"{text} is not a time", "write it as 2026-11-21T08:00:00Z") from None
    return to_micros(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
