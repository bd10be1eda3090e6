"""What each field is made from, and what shapes its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fieldwise.compiler.demand import Bits, LeafUse
from fieldwise.model.plan import How, LineageEdge


def lineage_of(leaves: Sequence[LeafUse], names: Sequence[str], bits: Bits) -> tuple[LineageEdge, ...]:
    """Edges in field order; a column that makes a field's value is not said again for shaping its rows."""
    values: dict[tuple[str, str], int] = {}
    rows: dict[tuple[str, str], int] = {}
    for leaf in leaves:
        table = leaf.leaf.table
        for column, demand in leaf.columns.items():
            place = (table.name, table.columns.get(column, (column, ""))[0])
            values[place] = values.get(place, 0) | bits.values(demand)
            rows[place] = rows.get(place, 0) | bits.shaping(demand)
    edges: list[list[LineageEdge]] = [[] for _ in names]
    for place, made in values.items():
        for how, bits_of in ((How.VALUE, made), (How.ROWS, rows[place] & ~made)):
            for index in _positions(bits_of):
                edges[index].append(LineageEdge(names[index], *place, how))
    return tuple(edge for one in edges for edge in one)


def _positions(bits_of: int) -> Iterator[int]:
    """Outputs whose bits are set; bit 0 is the rows."""
    bits_of >>= 1
    index = 0
    while bits_of:
        zeros = (bits_of & -bits_of).bit_length() - 1
        index += zeros
        yield index
        bits_of >>= zeros + 1
        index += 1
