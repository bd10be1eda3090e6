"""Which fields form a node: those that wait for the same things (spec 2, "Planning"; rules section 4)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fieldwise.compiler.demand import Demand, LeafUse

Atom = tuple[tuple[str, ...], str]
"""(path of aliases from the top, id of the upstream node or "" for a source, the table itself or a complete table)."""


@dataclass(frozen=True, slots=True)
class Atoms:
    """What each output waits for. `row`: what decides the rows, common to all; `own`: by output, what it adds."""

    row: frozenset[Atom]
    own: tuple[frozenset[Atom], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Outputs (by position, without keys) that form a node, and what they wait for besides the rows."""

    outputs: tuple[int, ...]
    own: frozenset[Atom]
    reason: str = ""
    """"order", "header", "never", "whole" or "" for the automatic grouping."""


def node_id(table: str, fields: Iterable[str]) -> str:
    """`project.table/` + the first 8 hex digits of sha256 over the sorted non-key field names, joined by line feeds.

    Names are hashed as spelled, in UTF-8; no fields (a script, or a table of keys only) hash the empty text.
    """
    digest = hashlib.sha256("\n".join(sorted(fields)).encode()).hexdigest()
    return f"{table}/{digest[:8]}"


def atoms_of(demand: Demand, width: int) -> Atoms:
    """Row atoms and own atoms of every output."""
    needed: dict[Atom, int] = {}
    for leaf in demand.leaves:
        for atom, bits in _leaf_atoms(leaf, demand):
            needed[atom] = needed.get(atom, 0) | bits
    row = frozenset(atom for atom, bits in needed.items() if bits & 1)
    own = tuple(
        frozenset(atom for atom, bits in needed.items() if bits >> (index + 1) & 1 and atom not in row)
        for index in range(width)
    )
    return Atoms(row, own)


def _leaf_atoms(leaf: LeafUse, demand: Demand) -> Iterable[tuple[Atom, int]]:
    table, any_of = leaf.leaf.table, demand.bits.any
    if not table.logical or table.itself or table.complete:
        yield (leaf.path, ""), any_of(leaf.rows)
        return
    for node in table.row_nodes:
        yield (leaf.path, node), any_of(leaf.rows)
    for name, bits in leaf.columns.items():
        for node in table.nodes_of(name):
            yield (leaf.path, node), any_of(bits)


def group_outputs(
    outputs: Sequence[int],
    atoms: Atoms,
    together: Sequence[frozenset[int]],
    by_hand: Sequence[Sequence[int]],
    whole: bool,
) -> list[Group]:
    """Nodes as groups of outputs in field order.

    `together`: sets of outputs that must not be computed apart. `by_hand`: groups of the header. `whole`: one node.
    """
    if whole:
        return [Group(tuple(outputs), _union(outputs, atoms))]
    label: dict[int, object] = {index: atoms.own[index] for index in outputs}
    reason: dict[object, str] = {}
    for number, group in enumerate(by_hand):
        for index in group:
            label[index] = ("header", number)
        reason["header", number] = "header"
    for number, bound in enumerate(together):
        inside = [index for index in outputs if index in bound]
        if len({label[index] for index in inside}) > 1:
            merged = {label[index] for index in inside}
            for index in outputs:
                if label[index] in merged:
                    label[index] = ("order", number)
            reason["order", number] = "order"
    members: dict[object, list[int]] = {}
    for index in outputs:
        members.setdefault(label[index], []).append(index)
    return [Group(tuple(found), _union(found, atoms), reason.get(key, "")) for key, found in members.items()]


def _union(outputs: Iterable[int], atoms: Atoms) -> frozenset[Atom]:
    return frozenset(atom for index in outputs for atom in atoms.own[index])


def row_group(groups: Sequence[Group]) -> int:
    """Position of the row node: the one with the fewest own atoms, the first of them in field order."""
    return min(range(len(groups)), key=lambda position: (len(groups[position].own), position))
