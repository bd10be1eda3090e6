"""The simulation is only worth what it catches: each deliberately broken build must violate its invariant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import fieldwise.fleet.changes as changes
import fieldwise.fleet.decide as decide
import fieldwise.leader.machine as machine
import fieldwise.store.database as database
import fieldwise.store.generation as generation
import fieldwise.usecases.generate as generate
from fieldwise.fleet.catalog import Catalog
from fieldwise.fleet.values import Options
from fieldwise.fleet.window import Window
from fieldwise.leader.doubts import Doubts
from fieldwise.model.attempt import Report, Target
from fieldwise.model.event import Event
from fieldwise.model.status import Status
from fieldwise.simulation.engine import Warehouse
from fieldwise.simulation.storm import storm
from fieldwise.store.sqlite import SqliteStore

Patch = pytest.MonkeyPatch
SEEDS = 60


def unique_firing_dropped(patch: Patch) -> None:
    """S1: a firing is no longer unique, and generation forgets how far it came."""
    queries = generation.queries

    def forgetful(noun: str) -> dict[str, str]:
        named = dict(queries(noun))
        if noun == "generation":
            named["known"] += " AND 0"
        return named

    migrate = SqliteStore.migrate

    def without_index(self: SqliteStore) -> int:
        number = migrate(self)
        self._database.writer.execute("DROP INDEX IF EXISTS instance_firing")
        return number

    patch.setattr(generation, "queries", forgetful)
    patch.setattr(SqliteStore, "migrate", without_index)
    patch.setattr(SqliteStore, "generated_until", lambda self, environment: {})


def publish_ignores_fence(patch: Patch) -> None:
    """S2: an attempt that was given up may still publish."""

    def publish(self: Warehouse, targets: Mapping[Target, int]) -> bool:
        for target, attempt in targets.items():
            self.ledger[target] = max(attempt, self.ledger.get(target, 0))
            self.versions.setdefault(target, []).append(attempt)
        self.on_publish(targets)
        return True

    patch.setattr(Warehouse, "publish", publish)


def epoch_not_checked(patch: Patch) -> None:
    """S3: the store takes the writes of a deposed leader."""
    patch.setattr(database.Database, "_check", lambda self, epoch: None)


def reports_believed(patch: Patch) -> None:
    """S5: what a worker says about a failure is believed without asking the ledger."""

    def settle(self: Doubts, reports: Any, now: int) -> list[Report]:
        believed = list(reports)
        for report in believed:
            for attempt in report.attempts:
                self._targets.pop(attempt, None)
        return believed

    patch.setattr(Doubts, "settle", settle)


def upstream_ignored(patch: Patch) -> None:
    """S7: nothing waits for its upstream."""
    take_edges = Window.take_edges

    def careless(self: Window, *words: Any) -> Any:
        answer = take_edges(self, *words)
        self.blocking[:] = 0
        return answer

    patch.setattr(Window, "take_edges", careless)


def table_widened(patch: Patch) -> None:
    """S9, S10: events that the table forbids happen all the same."""
    wide = np.array(changes._AFTER)
    wide[Event.STOPPED, :] = Status.FAILED
    wide[Event.FORCED_SUCCESS, :] = Status.SUCCEEDED
    patch.setattr(changes, "_AFTER", wide)
    patch.setattr(decide, "next_status", lambda event, status: status)


def event_not_written(patch: Patch) -> None:
    """S16: one event of every larger commit is lost."""
    commit = SqliteStore.commit

    def lossy(self: SqliteStore, epoch: int, batch: Any) -> None:
        if len(batch.transitions) > 2:
            batch.transitions.pop()
        commit(self, epoch, batch)

    patch.setattr(SqliteStore, "commit", lossy)


def missed_days_dropped(patch: Patch) -> None:
    """S17: a server that was down goes on with the present day."""
    local_days = generate._local_days
    patch.setattr(generate, "_local_days", lambda *words: list(local_days(*words))[1:])


def time_ignored(patch: Patch) -> None:
    """S18: instances start before their scheduled time."""
    fleet = machine.Fleet

    def hasty(*words: Any, options: Options, **named: Any) -> Any:
        return fleet(*words, options=Options(ignore_time=True), **named)

    patch.setattr(machine, "Fleet", hasty)


def slots_doubled(patch: Patch) -> None:
    """S19: a resource group admits one too many."""
    freeze = Catalog._freeze

    def generous(self: Catalog) -> None:
        if not getattr(self, "widened", False):
            self.widened = True  # type: ignore[attr-defined]
            self.group_slots[:] = [slots + 2 for slots in self.group_slots]
        freeze(self)

    patch.setattr(Catalog, "_freeze", generous)


def retries_unbounded(patch: Patch) -> None:
    """S21: the retry budget is not looked at."""
    freeze = Catalog._freeze

    def generous(self: Catalog) -> None:
        freeze(self)
        self.node_retries = self.node_retries + 5

    patch.setattr(Catalog, "_freeze", generous)


def recovery_forgets_the_running(patch: Patch) -> None:
    """L4: what ran when the process died is waited for, for ever."""
    patch.setattr(machine, "settle_running", lambda *words: [])


def fence_not_raised(patch: Patch) -> None:
    """S4: recovery asks the ledger but raises no fence, so that a zombie publishes over its successor."""
    from fieldwise.simulation.engine import SimulatedEngine

    def ask_only(self: SimulatedEngine, targets: Any) -> dict[Target, int]:
        self._reach()
        return {t: a for t, a in targets if self.warehouse.ledger.get(t) == a}

    def publish(self: Warehouse, targets: Mapping[Target, int]) -> bool:
        for target, attempt in targets.items():
            self.ledger[target] = attempt
            self.versions.setdefault(target, []).append(attempt)
        return True

    patch.setattr(SimulatedEngine, "raise_fence", ask_only)
    patch.setattr(Warehouse, "publish", publish)


MUTANTS: dict[str, tuple[Callable[[Patch], None], tuple[str, ...]]] = {
    "S1": (unique_firing_dropped, ("S1",)),
    "S2": (publish_ignores_fence, ("S2",)),
    "S3": (epoch_not_checked, ("S3",)),
    "S4": (fence_not_raised, ("S4",)),
    "S5": (reports_believed, ("S5",)),
    "S7": (upstream_ignored, ("S7",)),
    "S9": (table_widened, ("S9",)),
    "S10": (table_widened, ("S10",)),
    "S16": (event_not_written, ("S16",)),
    "S17": (missed_days_dropped, ("S17",)),
    "S18": (time_ignored, ("S18",)),
    "S19": (slots_doubled, ("S19",)),
    "S21": (retries_unbounded, ("S21",)),
    "L4": (recovery_forgets_the_running, ("L4",)),
}


@pytest.mark.parametrize("invariant", MUTANTS)
def test_mutant_is_caught(invariant: str, monkeypatch: Patch) -> None:
    mutate, codes = MUTANTS[invariant]
    mutate(monkeypatch)
    for seed in range(SEEDS):
        try:
            violations = storm(seed).violations
        except AssertionError:
            continue
        if any(sentence.startswith(code + ":") for sentence in violations for code in codes):
            return
    pytest.fail(f"{mutate.__name__} survived {SEEDS} seeds")
