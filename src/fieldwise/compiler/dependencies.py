"""What a node waits for: nodes of upstream tables with their windows, script tasks, sources (spec 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fieldwise.compiler.catalogue import Catalogue, CatalogueTable
from fieldwise.compiler.days import Fact
from fieldwise.compiler.demand import Bits, LeafUse
from fieldwise.compiler.problems import Problems
from fieldwise.compiler.windows import Look, Read, Unclear, windows_of
from fieldwise.model.definition import DeclaredDependency, TaskDefinition
from fieldwise.model.errors import ProblemCode
from fieldwise.model.plan import Dependency
from fieldwise.model.schedule import Period, Policy, Window

CURRENT: tuple[Look, ...] = (Look(Window.CURRENT),)


@dataclass(frozen=True, slots=True)
class Reading:
    """A leaf with its windows."""

    leaf: LeafUse
    windows: tuple[Look, ...]


@dataclass(slots=True)
class Waits:
    """What one node waits for, gathered leaf by leaf."""

    sources: dict[str, None] = field(default_factory=dict)
    ready: dict[str, None] = field(default_factory=dict)
    found: dict[tuple[str, Look, Policy], tuple[dict[str, None], dict[str, None]]] = field(
        default_factory=dict
    )

    def add(self, task: str, look: Look, policy: Policy, fields: Sequence[str], nodes: Sequence[str]) -> None:
        known = self.found.setdefault((task, look, policy), ({}, {}))
        known[0].update(dict.fromkeys(fields))
        known[1].update(dict.fromkeys(nodes))

    def dependencies(self) -> tuple[Dependency, ...]:
        return tuple(
            Dependency(task, tuple(fields), tuple(nodes), look.window, look.n, policy, look.history)
            for (task, look, policy), (fields, nodes) in self.found.items()
        )


def readings_of(leaves: Sequence[LeafUse], definition: TaskDefinition, problems: Problems) -> list[Reading]:
    """Every leaf with its windows; a logical table without a bounded `ds` is a problem at the place it is named."""
    declared = {one.table.lower() for one in definition.depends_on}
    found: list[Reading] = []
    for leaf in leaves:
        table = leaf.leaf.table
        windows = _windows(leaf.facts, leaf, definition)
        if isinstance(windows, Unclear):
            if table.logical and table.name.lower() not in declared:
                problems.at(windows.code, leaf.leaf.node, windows.message, windows.hint)
            windows = CURRENT
        found.append(Reading(leaf, windows))
    return found


def _windows(facts: Sequence[Fact], leaf: LeafUse, definition: TaskDefinition) -> tuple[Look, ...] | Unclear:
    table = leaf.leaf.table
    below_day = table.partition_type.upper().startswith("TIMESTAMP")
    if not table.logical and not (table.from_task and facts):
        return CURRENT
    alias = leaf.leaf.node.alias_or_name
    period = table.period if table.logical else (Period.HOUR if below_day else Period.DAY)
    return windows_of(
        facts, Read(table.name, alias, below_day, period, definition.schedule.period, table.itself)
    )


def waits_of(
    readings: Sequence[Reading],
    wanted: int,
    bits: Bits,
    own_nodes: Callable[[Sequence[str]], Sequence[str]],
    catalogue: Catalogue,
    declared: Sequence[DeclaredDependency],
) -> Waits:
    """What the outputs in `wanted` wait for. `own_nodes`: ids of this table's nodes that compute some of its fields."""
    waits = Waits()
    overrides = {one.table.lower(): one for one in declared}
    used: set[str] = set()
    for reading in readings:
        table = reading.leaf.leaf.table
        if not bits.any(reading.leaf.rows) & wanted:
            continue
        if not table.logical:
            wait_for_source(waits, table, reading.windows, catalogue, overrides, used)
            continue
        fields = fields_read(reading.leaf, table, wanted, bits)
        shapes = bool(bits.any(reading.leaf.rows) & 1)
        nodes = own_nodes(fields) if table.itself else _nodes_read(table, fields, shapes)
        override = overrides.get(table.name.lower())
        if override is not None:
            used.add(table.name.lower())
            _override(waits, override, table, reading.windows, fields)
            continue
        for look in reading.windows:
            waits.add(table.name, look, Policy.ALL, fields, nodes)
    for one in declared:
        if one.table.lower() not in used:
            declare(waits, one, catalogue)
    return waits


def wait_for_source(
    waits: Waits, table: CatalogueTable, windows: Sequence[Look], catalogue: Catalogue,
    overrides: Mapping[str, DeclaredDependency], used: set[str],
) -> None:  # fmt: skip
    waits.sources[table.name] = None
    if table.ready:
        waits.ready[table.name] = None
    task = catalogue.task(table.from_task) if table.from_task else None
    if task is None:
        return
    override = overrides.get(task.name.lower())
    if override is not None:
        used.add(task.name.lower())
        waits.add(task.name, Look(override.window, override.n), override.policy, (), (task.node,))
        return
    for look in windows:
        waits.add(task.name, look, Policy.ALL, (), (task.node,))


def fields_read(leaf: LeafUse, table: CatalogueTable, wanted: int, bits: Bits) -> tuple[str, ...]:
    """Fields read at this place by the wanted outputs, as spelled, without keys and `ds`."""
    skipped = {*table.key, table.partition}
    read = {
        name for name, demand in leaf.columns.items() if name not in skipped and bits.any(demand) & wanted
    }
    return tuple(spelled for name, (spelled, _) in table.columns.items() if name in read)


def _nodes_read(table: CatalogueTable, fields: Sequence[str], shapes: bool = False) -> tuple[str, ...]:
    """The nodes behind the fields. Of a metrics table that shapes the reader's rows, every node that brings some."""
    if table.complete:
        return table.all_nodes
    nodes = dict.fromkeys(node for name in fields for node in table.nodes_of(name.lower()))
    if shapes and len(table.row_nodes) > 1:
        nodes.update(dict.fromkeys(table.row_nodes))
    return tuple(nodes) or table.row_nodes


def _override(
    waits: Waits,
    one: DeclaredDependency,
    table: CatalogueTable,
    windows: Sequence[Look],
    fields: Sequence[str],
) -> None:
    """The header's window and policy for the fields it names (all if none); the SQL's for the others."""
    named = {name.lower() for name in one.fields}
    mine = [name for name in fields if not named or name.lower() in named]
    others = [name for name in fields if name not in mine]
    if mine or not others:
        waits.add(table.name, Look(one.window, one.n), one.policy, mine, _nodes_read(table, mine))
    if others:
        for look in windows:
            waits.add(table.name, look, Policy.ALL, others, _nodes_read(table, others))


def declare(waits: Waits, one: DeclaredDependency, catalogue: Catalogue) -> None:
    """A dependency the SQL does not show; without fields it is on every node of the table."""
    task = catalogue.task(one.table)
    if task is not None:
        waits.add(task.name, Look(one.window, one.n), one.policy, (), (task.node,))
        return
    table = catalogue.table(one.table, "")
    if table is None:
        return
    fields = [table.columns[name.lower()][0] for name in one.fields if name.lower() in table.columns]
    skipped = {*table.key, table.partition}
    fields = [name for name in fields if name.lower() not in skipped]
    nodes = _nodes_read(table, fields) if one.fields else table.all_nodes
    every = [spelled for name, (spelled, _) in table.columns.items() if name not in skipped]
    waits.add(table.name, Look(one.window, one.n), one.policy, fields if one.fields else every, nodes)


def check_declared(definition: TaskDefinition, catalogue: Catalogue, problems: Problems) -> None:
    """Say tables and fields of `depends_on` that do not exist."""
    for one in definition.depends_on:
        table = catalogue.table(one.table, "")
        if table is None and catalogue.task(one.table) is None:
            near = catalogue.near(one.table, definition.project)
            hint = f'did you mean "{near}"?' if near else "name a logical table or a task as project.name"
            problems.add(
                ProblemCode.UNKNOWN_TABLE,
                (one.line, one.column),
                f"there is no table or task {one.table}",
                hint,
            )
        elif table is not None:
            for name in one.fields:
                if name.lower() not in table.columns:
                    problems.add(
                        ProblemCode.UNKNOWN_COLUMN,
                        (one.line, one.column),
                        f"{table.name} has no field {name}",
                        "correct `depends_on:`",
                    )
