"""What each field is made from, and what shapes its rows."""

from __future__ import annotations

from collections.abc import Sequence

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
    edges: list[LineageEdge] = []
    for index, name in enumerate(names):
        mask = 1 << (index + 1)
        for place, made in values.items():
            if made & mask:
                edges.append(LineageEdge(name, *place, How.VALUE))
            elif rows[place] & mask:
                edges.append(LineageEdge(name, *place, How.ROWS))
    return tuple(edges)
