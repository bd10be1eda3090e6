"""A warehouse of numbers: ledger, fence and one version per target, with an engine's ways to fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fieldwise.model.attempt import Target
from fieldwise.model.definition import SourceTable
from fieldwise.model.errors import EngineUnavailable
from fieldwise.ports.engine import Rows, ShapeChange
from fieldwise.simulation.faults import Crash, Faults


@dataclass(slots=True)
class Warehouse:
    """What outlives every process. `versions`: every attempt that ever published a target, in order."""

    ledger: dict[Target, int] = field(default_factory=dict)
    fence: dict[Target, int] = field(default_factory=dict)
    versions: dict[Target, list[int]] = field(default_factory=dict)
    on_publish: Callable[[Mapping[Target, int]], None] = lambda targets: None

    def publish(self, targets: Mapping[Target, int]) -> bool:
        """All or nothing; False: an attempt is fenced, or a greater one was there."""
        for target, attempt in targets.items():
            if attempt <= self.fence.get(target, 0) or attempt <= self.ledger.get(target, 0):
                return False
        for target, attempt in targets.items():
            self.ledger[target] = attempt
            self.versions.setdefault(target, []).append(attempt)
        self.on_publish(targets)
        return True


class SimulatedEngine:
    """The Engine port over a Warehouse."""

    def __init__(self, warehouse: Warehouse, faults: Faults) -> None:
        self.warehouse = warehouse
        self._faults = faults
        self.sources_ready = True

    def _reach(self) -> None:
        if self._faults.strikes("crash_outside"):
            raise Crash("before the engine was called")
        if self._faults.strikes("engine_unavailable"):
            raise EngineUnavailable("the engine cannot be reached")

    def _answer(self) -> None:
        if self._faults.strikes("engine_answer_lost"):
            raise EngineUnavailable("the engine's answer was lost")
        if self._faults.strikes("crash_outside"):
            raise Crash("after the engine did it")

    def source_columns(self, folder: str, source: SourceTable) -> tuple[tuple[str, str], ...]:
        return source.columns

    def register_sources(self, folder: str, sources: Sequence[SourceTable]) -> None:
        self._reach()
        self._answer()

    def change_shapes(self, changes: Sequence[ShapeChange], version: str) -> None:
        self._reach()
        self._answer()

    def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, limit: int | None = None
    ) -> Rows:
        self._reach()
        return Rows(("ready",), ("BOOLEAN",), ((self.sources_ready,),))

    def published(self, targets: Sequence[Target]) -> dict[Target, int]:
        self._reach()
        return {
            target: self.warehouse.ledger[target] for target in targets if target in self.warehouse.ledger
        }

    def raise_fence(self, targets: Sequence[tuple[Target, int]]) -> dict[Target, int]:
        self._reach()
        there = {}
        for target, attempt in targets:
            if self.warehouse.ledger.get(target) == attempt:
                there[target] = attempt
            self.warehouse.fence[target] = max(self.warehouse.fence.get(target, 0), attempt)
        self._answer()
        return there

    def greatest_attempt(self) -> int:
        self._reach()
        return max([*self.warehouse.ledger.values(), *self.warehouse.fence.values()], default=0)
