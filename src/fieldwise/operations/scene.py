"""What an operation is planned on: the open window, what is known beside it, and who asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from fieldwise.fleet.catalog import Array
from fieldwise.fleet.decide import Fleet
from fieldwise.fleet.fold import field_status
from fieldwise.fleet.window import Window
from fieldwise.model.definition import TaskDefinition
from fieldwise.model.event import from_day
from fieldwise.model.operation import Cause
from fieldwise.model.status import FieldStatus, Mark, Status, TaskKind
from fieldwise.operations.fields import FieldMap, FieldMaps, NodeMask
from fieldwise.operations.flow import Flow
from fieldwise.operations.refresh import fields_to_recompute

Permit = Callable[[str, str, str, str], bool]
"""(project, table, field, owner) -> whether the actor may operate it; field "" = the task as a whole."""

Stale = Callable[[Array], Mapping[int, Sequence[str]]]
"""Instances (by number in the window) -> fields whose inputs changed after their last run."""

Seconds = Callable[[Sequence[str]], Mapping[str, float]]
"""Node names -> mean engine seconds of their last runs."""


def everybody(_project: str, _table: str, _field: str, _owner: str) -> bool:
    return True


def nothing_stale(_instances: Array) -> Mapping[int, Sequence[str]]:
    return {}


def no_history(_nodes: Sequence[str]) -> Mapping[str, float]:
    return {}


@dataclass
class Scene:
    """Everything a plan may look at. Reads only; one scene serves one plan."""

    fleet: Fleet
    now: int
    permits: Permit = everybody
    stale: Stale = nothing_stale
    seconds: Seconds = no_history
    administers: Callable[[str], bool] = field(default=lambda _project: True)
    _forbidden: dict[tuple[int, int], int] = field(default_factory=dict)

    @property
    def window(self) -> Window:
        return self.fleet.window

    @cached_property
    def maps(self) -> FieldMaps:
        return FieldMaps(self.fleet.catalog)

    @cached_property
    def flow(self) -> Flow:
        return Flow(self.fleet.catalog, self.maps)

    # -- instances
    def owner(self, instance: int) -> int | None:
        """Number in the window of an instance, by its stored id."""
        found = np.flatnonzero(self.window.instance_id == instance)
        return int(found[0]) if len(found) else None

    def map(self, owner: int) -> FieldMap:
        return self.maps[int(self.window.instances.version[owner])]

    def definition(self, owner: int) -> TaskDefinition:
        return self.map(owner).compiled.definition

    def name(self, owner: int) -> str:
        return self.map(owner).task

    def day(self, owner: int) -> int:
        return int(self.window.instances.day[owner])

    def title(self, owner: int) -> str:
        """`project.table 2026-11-18`."""
        return f"{self.name(owner)} {from_day(self.day(owner)).isoformat()}"

    def row(self, owner: int, node: NodeMask) -> int:
        """Row of a node of an instance, -1 if the instance has none."""
        instances = self.window.instances
        if node.place >= int(instances.width[owner]):
            return -1
        return int(self.window.places[int(instances.offset[owner]) + node.place])

    def rows(self, owner: int, mask: int) -> list[int]:
        """Rows of the nodes that compute fields of a mask."""
        found = [self.row(owner, node) for node in self.map(owner).running(mask)]
        return [row for row in found if row >= 0]

    def statuses(self, owner: int) -> dict[int, Status]:
        """Status by place of the nodes."""
        found = {}
        for node in self.map(owner).nodes:
            row = self.row(owner, node)
            if row >= 0:
                found[node.place] = Status(int(self.window.status[row]))
        return found

    def field_status(self, owner: int, bit: int, statuses: Mapping[int, Status] | None = None) -> FieldStatus:
        """Fold over the nodes of a field (spec 3); a key has all nodes."""
        fields, known = self.map(owner), statuses or self.statuses(owner)
        nodes = fields.nodes if bit & fields.keys else fields.running(bit)
        return field_status(known[node.place] for node in nodes if node.place in known)

    # -- what must go along whatever was chosen
    def required(self, owner: int) -> dict[Cause, int]:
        """STALE, ROWS_DIFFER and MODEL_REFRESH of one instance."""
        fields = self.map(owner)
        stale = self.stale(np.array([owner], dtype=np.int64)).get(owner, ())
        found = {
            Cause.STALE: fields.mask(stale),
            Cause.ROWS_DIFFER: self._differing.get(owner, 0),
            Cause.MODEL_REFRESH: self._refreshed(int(self.window.instances.version[owner])),
        }
        return {cause: mask for cause, mask in found.items() if mask}

    def extra(self, owners: Array) -> dict[int, int]:
        """The same of many instances at once, without the cause."""
        found: dict[int, int] = {}
        for owner in owners.tolist() if self._differing else ():
            if owner in self._differing:
                found[owner] = self._differing[owner]
        versions = self.window.instances.version[owners]
        for version in np.unique(versions).tolist():
            mask = self._refreshed(version)
            if mask:
                for owner in owners[versions == version].tolist():
                    found[owner] = found.get(owner, 0) | mask
        for owner, names in self.stale(owners).items():
            found[owner] = found.get(owner, 0) | self.map(owner).mask(names)
        return found

    @cached_property
    def _differing(self) -> dict[int, int]:
        rows = np.flatnonzero((self.window.marks & int(Mark.ROWS_DIFFER)) != 0)
        found: dict[int, int] = {}
        for row in rows.tolist():
            owner = int(self.window.instance[row])
            number = int(self.window.node[row])
            mine = next((n.fields for n in self.map(owner).nodes if n.number == number), 0)
            found[owner] = found.get(owner, 0) | mine
        return found

    def newest(self, version: int) -> int:
        """The version in force of the task of a version."""
        return self.fleet.catalog.newest(version)

    def _refreshed(self, version: int) -> int:
        newest = self.newest(version)
        if newest == version:
            return 0
        fields = self.maps[version]
        if fields.compiled.definition.kind is not TaskKind.MODELING:
            return 0
        return fields.mask(fields_to_recompute(fields.compiled, self.maps[newest].compiled))

    # -- rights
    def forbidden(self, owner: int, mask: int) -> int:
        """The fields of a mask that the actor may not operate."""
        key = (int(self.window.instances.version[owner]), mask)
        if key not in self._forbidden:
            self._forbidden[key] = self._denied(owner, mask)
        return self._forbidden[key]

    def _denied(self, owner: int, mask: int) -> int:
        found = 0
        for name in self.map(owner).words(mask) or ("",):
            if not self.may(owner, name):
                found |= self.map(owner).bits.get(name, 1)
        return found

    def may(self, owner: int, name: str) -> bool:
        project, person = self.belongs(owner, name)
        return self.permits(project, self.name(owner), name, person)

    def belongs(self, owner: int, name: str) -> tuple[str, str]:
        """Project and owner of a field: a metric may have its own."""
        compiled = self.map(owner).compiled
        definition = compiled.definition
        one = next((f for f in compiled.fields if f.name == name), None)
        project = (one.project if one else "") or definition.project
        return project, (one.owner if one else "") or definition.owner
