"""Decides which fields of a node change when fields of an upstream change: field lineage along one edge."""

from __future__ import annotations

from fieldwise.fleet.catalog import DAYS, Catalog
from fieldwise.model.status import TaskKind
from fieldwise.operations.fields import FieldMaps

Pairs = tuple[tuple[int, int], ...]  # (fields of the reader, fields of the upstream that they are made from)


class Flow:
    """Answers from the lineage of the definitions, remembered by (reader's node, upstream version, days between)."""

    def __init__(self, catalog: Catalog, maps: FieldMaps) -> None:
        self._catalog = catalog
        self._maps = maps
        self._pairs: dict[tuple[int, int, int], Pairs] = {}

    def affected(self, reader: int, upstream: int, days: int, changed: int) -> int:
        """The fields of node `reader` (keys among them) that `changed` fields of version `upstream` reach.

        `days`: data days from the upstream's instance to the reader's; it tells windows on the same table apart.
        """
        key = (reader, upstream, days)
        pairs = self._pairs.get(key)
        if pairs is None:
            pairs = self._pairs[key] = self._between(reader, upstream, days)
        found = 0
        for fields, made_from in pairs:
            if made_from & changed:
                found |= fields
        return found

    def _between(self, reader: int, upstream: int, days: int) -> Pairs:
        catalog, up = self._catalog, self._maps[upstream]
        compiled = catalog.compiled[reader]
        own = self._maps[int(catalog.node_version[reader])]
        read = self._read(reader, upstream, days)
        if compiled.definition.kind is not TaskKind.MODELING:
            return ((own.everything, read),)
        node = catalog.nodes[reader]
        mine = own.mask(node.fields) | own.keys
        script = up.compiled.definition.kind is not TaskKind.MODELING
        tables = up.compiled.definition.outputs if script else (up.task,)
        made: dict[int, int] = {}
        for edge in compiled.lineage:
            bit = own.bits.get(edge.field, 0) & mine
            if bit and edge.from_table in tables:
                # Which rows there are changes with the keys alone.
                source = (
                    up.everything
                    if script
                    else up.keys
                    if edge.from_field == "ds"
                    else up.bits.get(edge.from_field, 0)
                )
                made[bit] = made.get(bit, 0) | (source & read)
        return tuple((bit, source) for bit, source in made.items() if source)

    def _read(self, reader: int, upstream: int, days: int) -> int:
        """Fields of the upstream that the reader's dependencies read over that many days; keys go with all of them."""
        catalog, up = self._catalog, self._maps[upstream]
        if up.compiled.definition.kind is not TaskKind.MODELING:
            return up.everything
        task = catalog.tasks[up.task]
        first, last = int(catalog.depend_starts[reader]), int(catalog.depend_starts[reader + 1])
        found = 0
        for number in range(first, last):
            if int(catalog.depend_task[number]) == task and self._covers(number, days):
                found |= up.mask(catalog.dependencies[number].fields) | up.keys
        return found

    def _covers(self, dependency: int, days: int) -> bool:
        catalog = self._catalog
        if int(catalog.depend_kind[dependency]) != DAYS:
            return True
        # Days of two zones differ by one at most.
        first, last = int(catalog.depend_first[dependency]), int(catalog.depend_last[dependency])
        if catalog.depend_history[dependency]:
            return days >= last
        return last <= days <= first
