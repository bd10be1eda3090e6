"""Decides which fields of a table go together: fields as bits, nodes and composite metrics as masks of bits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from fieldwise.fleet.catalog import Catalog
from fieldwise.model.operation import Cause
from fieldwise.model.plan import CompiledTask
from fieldwise.model.status import TaskKind

WHOLE = ""  # the one "field" of a script task


class NodeMask(NamedTuple):
    """A node of a version: its number, its place in the instance, its label, and the fields it alone decides.

    A node without fields of its own (a table of keys) stands for the keys.
    """

    number: int
    place: int
    label: str
    fields: int


class Closure(NamedTuple):
    """`changed`: fields whose readers are concerned; `closed`: those that run; `causes`: (field, cause, words)."""

    changed: int
    closed: int
    causes: tuple[tuple[str, Cause, str], ...]


class FieldMap:
    """The fields of one version of a task. Bit i is `names[i]`."""

    def __init__(self, compiled: CompiledTask, nodes: Iterable[tuple[int, int]]) -> None:
        """`nodes`: (number, place) of the nodes, in the order of `compiled.nodes`."""
        modeling = compiled.definition.kind is TaskKind.MODELING
        self.task = compiled.name
        self.compiled = compiled
        self.names = tuple(one.name for one in compiled.fields) if modeling else (WHOLE,)
        self.bits = {name: 1 << i for i, name in enumerate(self.names)}
        self.everything = (1 << len(self.names)) - 1
        self.keys = self.mask(compiled.key) if modeling else 0
        self.nodes = tuple(
            NodeMask(
                number,
                place,
                node.label,
                (self.mask(node.fields) or self.keys) if modeling else self.everything,
            )
            for (number, place), node in zip(nodes, compiled.nodes, strict=True)
        )
        self.composites = tuple(_composites(self, compiled))
        self._closures: dict[tuple[int, int, tuple[tuple[Cause, int], ...]], Closure] = {}

    def mask(self, names: Iterable[str]) -> int:
        """Unknown names are left out."""
        found = 0
        for name in names:
            found |= self.bits.get(name, 0)
        return found

    def words(self, mask: int) -> tuple[str, ...]:
        """Names of the bits; none for a script task, which is operated whole."""
        return tuple(name for name in self._names(mask) if name)

    def _names(self, mask: int) -> Iterator[str]:
        while mask:
            low = mask & -mask
            yield self.names[low.bit_length() - 1]
            mask ^= low

    def spread(self, mask: int) -> int:
        """What changes when these fields change: all of it with a key, and metrics made from changed ones."""
        if mask & self.keys:
            return self.everything
        while True:
            more = mask
            for own, needs in self.composites:
                if needs & mask:
                    more |= own
            if more == mask:
                return mask
            mask = more

    def closed(self, mask: int) -> int:
        """The fields that run when these do (spec 4, "Choosing fields"): least, idempotent, monotone."""
        while True:
            more = self.spread(mask)
            for node in self.nodes:
                if node.fields & more:
                    more |= node.fields
            if more == mask:
                return mask
            mask = more

    def closure(self, chosen: int, changed: int, given: Mapping[Cause, int]) -> Closure:
        """What changes, what runs and why, remembered: thousands of instances of a table ask the same."""
        key = (chosen, changed, tuple(given.items()))
        if key not in self._closures:
            spread = self.spread(changed)
            self._closures[key] = Closure(spread, self.closed(spread), tuple(self.causes(chosen, given)))
        return self._closures[key]

    def running(self, mask: int) -> tuple[NodeMask, ...]:
        """The nodes that a closed set of fields needs."""
        return tuple(node for node in self.nodes if node.fields & mask)

    def causes(self, chosen: int, required: Mapping[Cause, int]) -> list[tuple[str, Cause, str]]:
        """Every field beyond `chosen` of the closure, with its cause in words, each once, nearest cause first."""
        found: list[tuple[str, Cause, str]] = []
        have = chosen

        def add(mask: int, cause: Cause, because: str) -> None:
            nonlocal have
            found.extend((name, cause, because) for name in self.words(mask & ~have))
            have |= mask

        for cause, words in _GIVEN.items():
            add(required.get(cause, 0), cause, words)
        if have & self.keys:
            key = self.words(have & self.keys)[0]
            add(self.everything, Cause.KEY, f"{key} is a key: the whole table goes along")
        before = -1
        while have != before:
            before = have
            for node in self.nodes:
                if node.fields & have and node.fields & ~have:
                    known = self.words(node.fields & have)[0]
                    add(node.fields, Cause.SAME_NODE, f"shares node {node.label} with {known}")
            for own, needs in self.composites:
                if needs & have and own & ~have:
                    add(own, Cause.MADE_FROM, f"made from {self.words(needs & have)[0]}")
        return found


_NAME = re.compile(r'"([^"]+)"|(\w+)')


def _composites(fields: FieldMap, compiled: CompiledTask) -> Iterator[tuple[int, int]]:
    """(metric, metrics it is made from) as masks, for metrics declared as expressions over others."""
    if compiled.definition.metrics is None:
        return
    for metric in compiled.definition.metrics.metrics:
        needs = fields.mask(quoted or plain for quoted, plain in _NAME.findall(metric.expression))
        if needs and metric.name in fields.bits:
            yield fields.bits[metric.name], needs & ~fields.keys


_GIVEN = {
    Cause.STALE: "its inputs changed after its last run",
    Cause.ROWS_DIFFER: "its node is marked rows differ",
    Cause.MODEL_REFRESH: "its definition changed after its last run",
}


class FieldMaps:
    """Field maps by version number of a catalog, made when asked for."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._maps: dict[int, FieldMap] = {}

    def __getitem__(self, version: int) -> FieldMap:
        found = self._maps.get(version)
        if found is None:
            numbers = self._catalog.version_nodes[version]
            compiled = self._catalog.compiled[numbers[0]]
            places = [(number, int(self._catalog.node_place[number])) for number in numbers]
            found = self._maps[version] = FieldMap(compiled, places)
        return found
