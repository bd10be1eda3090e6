"""What must hold at every moment, checked on what the store and the warehouse hold, not on what the leader thinks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
        *success_is_published(firings, versions, warehouse),
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
        if any(later <= earlier for earlier, later in zip(attempts, attempts[1:], strict=False))
    ]


def success_is_published(firings: Iterable[Firing], versions: Versions, warehouse: Warehouse) -> list[str]:
    wrong = []
    for firing in firings:
        state = firing.state
        target = target_of(versions.environment, versions.task(firing.task, firing.version), firing)
        there = warehouse.ledger.get(target)
        if state.status == Status.SUCCEEDED and not Mark(state.marks) & NO_LEDGER and there != state.attempt:
            wrong.append(f"S5: {target} Succeeded as attempt {state.attempt}, the ledger has {there}")
        if state.status != Status.SUCCEEDED and there is not None and there == state.attempt:
            if state.status == Status.FAILED:
                wrong.append(f"S5: {target} Failed although the ledger has its attempt {there}")
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
    wrong = []
    by_instance: dict[int, list[Firing]] = {}
    for firing in firings:
        by_instance.setdefault(firing.instance, []).append(firing)
    for instance, members in by_instance.items():
        folded = fold(store.events(instance), wrong)
        for firing in members:
            state = firing.state
            if folded.get(state.id) != (state.status, state.marks):
                wrong.append(f"S16: {state.id} is {state.status, state.marks}, its events say {folded.get(state.id)}")
    return wrong


def fold(events: Iterable[Transition], wrong: list[str]) -> Mapping[int, tuple[int, int]]:
    states: dict[int, tuple[int, int]] = {}
    for event in events:
        known = states.get(event.node_instance)
        if known is None and event.event != Event.GENERATED:
            wrong.append(f"S16: {event.node_instance} has events before its birth")
        if known is not None:
            if known[0] != event.before:
                wrong.append(f"S16: {event.node_instance}: event from {event.before}, was {known[0]}")
            if next_status(Event(event.event), Status(event.before)) != event.after:
                wrong.append(f"S9: {Event(event.event).name} took {event.before} to {event.after}")
        states[event.node_instance] = (event.after, event.marks)
    return states
