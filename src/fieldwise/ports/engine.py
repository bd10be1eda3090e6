"""The warehouse engine as the rest sees it. Errors: EngineUnavailable (nothing known), EngineRefused (its message)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fieldwise.model.attempt import InputRead, Target
from fieldwise.model.definition import SourceTable


@dataclass(frozen=True, slots=True)
class Rows:
    """A query's answer: column names, engine types, rows of plain Python values; `more` = it was cut at the limit."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class TableShape:
    """A physical table as it should be: columns in order with types, without `ds` (which comes first)."""

    relation: str  # project.table
    partition_type: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShapeChange:
    """One step of a publish's DDL: never destroys (spec 2, "Publish").

    `action`: create | add_columns | drop_columns | replace | remove. `columns`: those added or dropped.
    Dropped columns, replaced and removed tables move to schema `fieldwise_dropped`.
    """

    action: str
    shape: TableShape
    columns: tuple[tuple[str, str], ...] = ()


class Engine(Protocol):
    def source_columns(self, folder: str, source: SourceTable) -> tuple[tuple[str, str], ...]:
        """Names and engine types of a source's columns, read from the file or table. Raises EngineRefused."""
        ...

    def register_sources(self, folder: str, sources: Sequence[SourceTable]) -> None:
        """Make `schema.table` of each source readable in the warehouse: a view on files, a table for from_task."""
        ...

    def change_shapes(self, changes: Sequence[ShapeChange], version: str) -> None:
        """Apply all changes in one engine transaction; repeating the same version is harmless."""
        ...

    def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, limit: int | None = None
    ) -> Rows:
        """Run one read-only statement."""
        ...

    def published(self, targets: Sequence[Target]) -> dict[Target, int]:
        """The ledger: greatest published attempt of each target that has one."""
        ...

    def raise_fence(self, targets: Sequence[tuple[Target, int]]) -> dict[Target, int]:
        """Refuse every attempt <= the given one from now on; returns targets whose ledger already has that attempt."""
        ...

    def greatest_attempt(self) -> int:
        """Greatest attempt in ledger or fence; the store's counter is raised above it at every start."""
        ...


class Describer(Protocol):
    """An engine without data that knows shapes: what column types and engine-level errors come from."""

    def source_columns(self, folder: str, source: SourceTable) -> tuple[tuple[str, str], ...]: ...

    def create_empty(self, shape: TableShape) -> None:
        """A table of this shape without rows; one of the same name gives way."""
        ...

    def describe(
        self, sql: str, parameters: Mapping[str, object] | None = None
    ) -> tuple[tuple[str, str], ...]:
        """Names and engine types of a query's columns. Raises EngineRefused."""
        ...


class Upkeep(Protocol):
    """What the warehouse offers beside running: versions for STALE, partitions to show, replaced values to forget."""

    def input_versions(self, reads: Sequence[InputRead]) -> tuple[tuple[str, str], ...]:
        """The present versions of inputs, in the words in which a run's report records them (spec 4, STALE)."""
        ...

    def show_partition(self, relation: str, partition: str, partition_type: str) -> None:
        """Let a `visible: complete` partition appear whose last node will not run: forced success, dry run."""
        ...

    def forget_replaced(self, below: int) -> None:
        """Drop what runs with smaller attempts replaced: they can no longer be undone (`keep_replaced`)."""
        ...
