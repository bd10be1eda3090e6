"""Finds fields whose inputs changed after their last run: what runs recorded against what the warehouse has now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from fieldwise.fleet.catalog import Array
from fieldwise.fleet.decide import Fleet
from fieldwise.fleet.edges import ranges
from fieldwise.model.attempt import InputRead
from fieldwise.model.errors import EngineRefused, EngineUnavailable
from fieldwise.model.plan import CompiledTask, Node
from fieldwise.model.status import Status, TaskKind
from fieldwise.ports.engine import Upkeep
from fieldwise.ports.operations import OperationLog


class Staleness:
    """`sources`: also read the sources in scope again (`check_sources`); else only what later runs tell is known.

    Work is by what may be stale: a node instance none of whose upstream ran after it is not looked at.
    """

    def __init__(self, fleet: Fleet, log: OperationLog, engine: Upkeep, sources: bool = False) -> None:
        self._fleet = fleet
        self._log = log
        self._engine = engine
        self._sources = sources

    def __call__(self, owners: Array) -> Mapping[int, Sequence[str]]:
        """Instances by number in the window -> their stale fields."""
        window = self._fleet.window
        rows, _ = window.rows_of(owners)
        rows = rows[(window.attempt[rows] > 0) & (window.status[rows] >= Status.SUCCEEDED)]
        candidates = rows if self._sources else rows[self._newer_upstream(rows)]
        return self._compare(candidates.tolist()) if len(candidates) else {}

    def _newer_upstream(self, rows: Array) -> Array:
        """Whether some upstream of each row ran after it."""
        window = self._fleet.window
        up = window.upstream
        starts = up.starts[rows].astype(np.int64)
        counts = up.starts[rows + 1].astype(np.int64) - starts
        at = np.repeat(np.arange(len(rows)), counts)
        ends = up.ends[ranges(starts, counts)]
        newer = np.zeros(len(rows), dtype=bool)
        np.logical_or.at(newer, at, window.attempt[ends] > window.attempt[rows][at])
        for sources, part in up.parts:
            low = np.searchsorted(sources, rows, side="left")
            counts = np.searchsorted(sources, rows, side="right") - low
            at = np.repeat(np.arange(len(rows)), counts)
            newer_here = window.attempt[part[ranges(low, counts)]] > window.attempt[rows][at]
            np.logical_or.at(newer, at, newer_here)
        return newer

    def _compare(self, rows: Sequence[int]) -> dict[int, list[str]]:
        window = self._fleet.window
        ids = window.id[list(rows)].tolist()
        recorded = self._log.inputs_read(ids)
        found: dict[int, list[str]] = {}
        for row, number in zip(rows, ids, strict=True):
            inputs = recorded.get(number)
            if not inputs:
                continue
            changed = self._changed(inputs)
            if changed:
                node = self._fleet.catalog.nodes[int(window.node[row])]
                compiled = self._fleet.catalog.compiled[int(window.node[row])]
                names = _made_from(compiled, node, changed)
                owner = int(window.instance[row])
                found.setdefault(owner, []).extend(names)
        return {owner: names for owner, names in found.items() if names}

    def _changed(self, inputs: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """(relation, field) pairs whose version is another one now; field "" = which rows there are."""
        parsed = [(*parts(name), version) for name, version in inputs]
        reads: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
        for relation, field, partition, _ in parsed:
            if self._is_table(relation) or self._sources or relation in self._filled:
                fields, partitions = reads.setdefault(relation, ({}, {}))
                if field:
                    fields[field] = None
                if partition:
                    partitions[partition] = None
        asked = [
            InputRead(relation, tuple(fields), tuple(partitions), not self._is_table(relation))
            for relation, (fields, partitions) in reads.items()
        ]
        try:
            now = dict(self._engine.input_versions(asked)) if asked else {}
        except (EngineRefused, EngineUnavailable):
            return set()
        return {
            (relation, field)
            for (relation, field, _, version), (name, _) in zip(parsed, inputs, strict=True)
            if name in now and now[name] != version
        }

    def _is_table(self, relation: str) -> bool:
        return relation.replace("_dev.", ".") in self._tables

    @cached_property
    def _tables(self) -> set[str]:
        every = self._fleet.catalog.compiled
        return {one.name for one in every if one.definition.kind is TaskKind.MODELING}

    @cached_property
    def _filled(self) -> set[str]:
        """What tasks fill: their runs say when it changed, so it is known without looking at files."""
        return {name for one in self._fleet.catalog.compiled for name in one.definition.outputs}


def parts(name: str) -> tuple[str, str, str]:
    """`project.table.field@ds` as (relation, field, partition); the partition may be missing."""
    path, _, partition = name.partition("@")
    relation, _, field = path.rpartition(".")
    return relation, field, partition


def _made_from(compiled: CompiledTask, node: Node, changed: set[tuple[str, str]]) -> list[str]:
    """Fields of a node that are made from changed inputs; all of them if an input's rows changed."""
    if any(not field for _, field in changed):
        return list(node.fields)
    tables = {(relation.replace("_dev.", "."), field) for relation, field in changed}
    hit = {edge.field for edge in compiled.lineage if (edge.from_table, edge.from_field) in tables}
    return [name for name in node.fields if name in hit] or [name for name in compiled.key if name in hit]
