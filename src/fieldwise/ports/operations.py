"""The operation log as the rest sees it: what was done by whom, and what single node instances carry from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from fieldwise.model.status import Environment


class OpenOrder(NamedTuple):
    """An operation that was being applied: its phases as [kind, node instances, value] and how far it came."""

    operation: int
    verb: str
    phases: list[Any]
    applied: int
    refused: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KeptExceptions:
    removed: tuple[tuple[int, int], ...] = ()
    pauses: Mapping[int, int] = field(default_factory=dict)
    groups: Mapping[int, str] = field(default_factory=dict)
    orders: tuple[OpenOrder, ...] = ()


class OperationRow(NamedTuple):
    """One operation of the log; `document`: what was asked and planned (see usecases/operate.py)."""

    id: int
    at: int
    actor: str
    source: str
    verb: str
    reason: str
    status: str
    applied: int
    total: int
    environment: str
    document: dict[str, Any]
    refused: tuple[int, ...]
    undo_of: int
    undone_by: int
    digest: str


class OperationLog(Protocol):
    def next_operation(self) -> int: ...

    def exceptions(self, environment: Environment) -> KeptExceptions: ...

    def operation(self, number: int) -> OperationRow | None: ...

    def operation_by_key(self, actor: str, key: str) -> tuple[int, str] | None:
        """(operation, digest of what was asked) of a client's idempotency key."""
        ...

    def operations(self, filters: Mapping[str, Any], limit: int, before: int | None) -> list[OperationRow]:
        """Newest first. Filters: verb actor source first last (instants) object (text) instance."""
        ...

    def later_operation(self, after: int, instances: Sequence[int]) -> int | None:
        """The newest operation after another one that touched any of the instances."""
        ...

    def engine_seconds(self, nodes: Sequence[str]) -> dict[str, float]:
        """Mean engine seconds of the last ten successful runs, of nodes that have any."""
        ...

    def inputs_read(self, node_instances: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
        """What the last successful run of each read: (name, version)."""
        ...
