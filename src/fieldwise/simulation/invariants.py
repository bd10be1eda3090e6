"""What must hold at every moment, checked on what the store and the warehouse hold, not on what the leader thinks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from fieldwise.fleet.transitions import next_status
from fieldwise.model.event import Event, Firing, Transition
from fieldwise.model.plan import Publication
from fieldwise.model.status import Mark, Status
from fieldwise.ports.store import Store
from fieldwise.simulation.engine import Warehouse
from fieldwise.usecases.facts import target_of
from fieldwise.usecases.versions import Versions

NO_LEDGER = Mark.FORCED_SUCCESS | Mark.DRY_RUN


def check(store: Store, warehouse: Warehouse, publication: Publication) -> list[str]:
    """All invariants that can be read from the stored state; sentences, empty if all hold."""
    firings = list(store.window(publication.environment))
    versions = Versions(store, publication.environment)
    return [
        *unique_firings(firings),
        *one_attempt(firings, versions),
        *ledger_rises(warehouse),
        *success_is_published(store, firings, versions, warehouse),
        *success_has_a_reason(firings, store),
        *within_limits(firings, publication),
        *within_budget(firings, publication),
        *events_fold(store, firings),
    ]


def unique_firings(firings: Iterable[Firing]) -> list[str]:
    seen: set[tuple[str, int, int]] = set()
    wrong = []
    for firing in firings:
        key = (firing.node, firing.scheduled_at, firing.flow)
        if key in seen:
            wrong.append(f"S1: {key} exists twice")
        seen.add(key)
    return wrong


def one_attempt(firings: Iterable[Firing], versions: Versions) -> list[str]:
    running: dict[object, int] = {}
    wrong = []
    for firing in firings:
        if firing.state.status == Status.RUNNING:
            target = target_of(versions.environment, versions.task(firing.task, firing.version), firing)
            if target in running:
                wrong.append(f"S2: {target} runs as attempts {running[target]} and {firing.state.attempt}")
            running[target] = firing.state.attempt
    return wrong


def ledger_rises(warehouse: Warehouse) -> list[str]:
    return [
        f"S4: {target} was published by attempts {attempts}"
        for target, attempts in warehouse.versions.items()
        if any(later <= earlier for earlier, later in pairwise(attempts))
    ]


def success_is_published(
    store: Store, firings: Iterable[Firing], versions: Versions, warehouse: Warehouse
) -> list[str]:
    """S5: a run that ended has succeeded if and only if the ledger took its attempt, ever."""
    targets = {
        firing.state.id: target_of(versions.environment, versions.task(firing.task, firing.version), firing)
        for firing in firings
    }
    wrong = []
    for instance in {firing.instance for firing in firings}:
        for run in store.runs(instance):
            target = targets[run["node_instance"]]
            published = run["attempt"] in warehouse.versions.get(target, ())
            if run["outcome"] != "running" and published != (run["outcome"] == "succeeded"):
                words = "in the ledger" if published else "not in the ledger"
                wrong.append(f"S5: attempt {run['attempt']} of {target} {run['outcome']}, it is {words}")
    return wrong


def success_has_a_reason(firings: Iterable[Firing], store: Store) -> list[str]:
    """S5: Succeeded means a succeeded latest run, a dry run, or an audited set-success."""
    wrong = []
    by_instance = {firing.instance: store.runs(firing.instance) for firing in firings}
    for firing in firings:
        state = firing.state
        if state.status != Status.SUCCEEDED or Mark(state.marks) & NO_LEDGER:
            continue
        ended = [r for r in by_instance[firing.instance] if r["node_instance"] == state.id]
        if not any(r["number"] == state.run and r["outcome"] == "succeeded" for r in ended):
            wrong.append(f"S5: {firing.node} Succeeded without a run that did")
    return wrong


def within_limits(firings: Iterable[Firing], publication: Publication) -> list[str]:
    """Slots of groups, by attempt sets: members of a fused run occupy the slots of one."""
    slots = {group.name: group.slots for group in publication.project.resource_groups}
    nodes = {node.id: node for task in publication.tasks for node in task.nodes}
    used: dict[str, set[tuple[int, int]]] = {}
    for firing in firings:
        if firing.state.status == Status.RUNNING:
            group = nodes[firing.node].resource_group
            started = firing.state.started_at or 0
            used.setdefault(group, set()).add((firing.instance, started))
    return [
        f"S19: group {group} has {slots[group]} slots and runs {len(sets)} sets"
        for group, sets in used.items()
        if len(sets) > slots[group]
    ]


def within_budget(firings: Iterable[Firing], publication: Publication) -> list[str]:
    retries = {task.name: task.definition.retries.times for task in publication.tasks}
    return [
        f"S21: {firing.node} used {firing.state.retries_used} retries of {retries[firing.task]}"
        for firing in firings
        if firing.state.retries_used > retries[firing.task] or firing.state.losses_used > 3
    ]


def events_fold(store: Store, firings: Iterable[Firing]) -> list[str]:
    """S9: every event is a row of the transition table. S16: folding the events gives the state."""
    wrong: list[str] = []
    by_instance: dict[int, list[Firing]] = {}
    for firing in firings:
        by_instance.setdefault(firing.instance, []).append(firing)
    for instance, members in by_instance.items():
        folded = fold(store.events(instance), wrong)
        for firing in members:
            state = firing.state
            if folded.get(state.id) != (state.status, state.marks):
                wrong.append(
                    f"S16: {state.id} is {state.status, state.marks}, its events say {folded.get(state.id)}"
                )
    return wrong


# Written out again on purpose: a second opinion on the transition table (spec 4, "Eligibility").
WAITING = {Status.WAITING_TIME, Status.THROTTLED, Status.WAITING_RESOURCES}
ALLOWED = {
    Event.STOPPED: {*WAITING, Status.RUNNING},
    Event.PAUSED: {Status.NOT_RUNNING, Status.WAITING_TIME, Status.THROTTLED},
    Event.FORCED_SUCCESS: {Status.NOT_RUNNING, Status.FAILED},
    Event.STARTED: {Status.NOT_RUNNING, *WAITING},
    Event.SUCCEEDED: {Status.RUNNING},
    Event.FAILED: {Status.RUNNING},
}


def preconditions(event: Transition) -> list[str]:
    """S10: an operation takes hold only in the statuses where it may."""
    allowed = ALLOWED.get(Event(event.event))
    if allowed is None or event.before in allowed:
        return []
    return [f"S10: {Event(event.event).name} in {Status(event.before).word} at {event.node_instance}"]


def fold(events: Iterable[Transition], wrong: list[str]) -> Mapping[int, tuple[int, int]]:
    states: dict[int, tuple[int, int]] = {}
    for event in events:
        known = states.get(event.node_instance)
        if known is None and event.event != Event.GENERATED:
            wrong.append(f"S16: {event.node_instance} has events before its birth")
        if known is not None:
            if known[0] != event.before:
                wrong.append(f"S16: {event.node_instance}: event from {event.before}, was {known[0]}")
            wrong += preconditions(event)
            if next_status(Event(event.event), Status(event.before)) != event.after:
                wrong.append(f"S9: {Event(event.event).name} took {event.before} to {event.after}")
        states[event.node_instance] = (event.after, event.marks)
    return states
