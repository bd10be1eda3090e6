"""A plan while it is made: steps by row, what goes along, what is left out, and the commands that will do it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from fieldwise.model.operation import Action, Conflict, Neighbour, Required, Skipped
from fieldwise.model.status import Status
from fieldwise.operations.scene import Scene


class RowStep(NamedTuple):
    """A step by its row in the window; `fields`: mask of the fields it is for."""

    row: int
    owner: int
    fields: int
    action: Action
    after: Status
    level: int = 0


@dataclass(frozen=True, slots=True)
class Phase:
    """Commands of one kind, in order of phases; `rows` in the order in which they are applied.

    `kind`: rerun force dry_run stop pause resume set_success unset priority group remove_upstream restore_upstream.
    `value`: what the kind needs beside the rows.
    """

    kind: str
    rows: tuple[int, ...]
    value: object = None


@dataclass
class Draft:
    steps: list[RowStep] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    required: list[Required] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    older: list[Neighbour] = field(default_factory=list)
    ancestors: list[Neighbour] = field(default_factory=list)

    def skip(
        self, scene: Scene, owner: int, code: str, message: str, instead: str = "", row: int = -1
    ) -> None:
        node = int(scene.window.id[row]) if row >= 0 else 0
        name = f"{scene.title(owner)}" if row < 0 else f"{scene.title(owner)} {label(scene, row)}"
        self.skipped.append(Skipped(name, code, message, instead, int(scene.window.instance_id[owner]), node))

    def refuse(self, scene: Scene, owner: int, code: str, message: str) -> None:
        self.conflicts.append(Conflict(scene.title(owner), code, message))

    def require(self, scene: Scene, owner: int, causes: Iterable[tuple[str, object, str]]) -> None:
        instance, day = int(scene.window.instance_id[owner]), scene.day(owner)
        for name, cause, because in causes:
            self.required.append(Required(instance, scene.name(owner), day, name, cause, because))  # type: ignore[arg-type]


def label(scene: Scene, row: int) -> str:
    """n1, n2: how people speak of a node of a table."""
    node = scene.fleet.catalog.nodes[int(scene.window.node[row])]
    return node.label


def status_of(scene: Scene, row: int) -> Status:
    return Status(int(scene.window.status[row]))
