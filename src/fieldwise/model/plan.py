"""What the compiler derives from the definitions: nodes, dependencies, lineage (spec 2, "Planning")."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from fieldwise.model.definition import ProjectDefinition, TaskDefinition
from fieldwise.model.schedule import Policy, Window
from fieldwise.model.status import Environment, Priority


@dataclass(frozen=True, slots=True)
class Dependency:
    """A node needs nodes of an upstream task.

    `task`: full name of the upstream logical table or script task. `fields`: what is read, without keys and `ds`
    (empty: only keys or `ds`, hence the row node; or a script). `nodes`: ids of the upstream nodes to wait for.
    `history`: everything before the window is read too, so what was generated of it must have succeeded as well.
    """

    task: str
    fields: tuple[str, ...]
    nodes: tuple[str, ...]
    window: Window = Window.CURRENT
    n: int | None = None
    policy: Policy = Policy.ALL
    history: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """One statement that computes some fields of a table; the unit that runs.

    `id` = `project.table/` + 8 hex; `label` = n1, n2 by field order. `fields`: its non-key fields.
    `sql`: the engine's text with `$name` placeholders; `parameters`: exactly the names used in it.
    `sources`: `schema.table` of sources read. `waits_for`: those of them with a `ready` query.
    For a script task: one node, no fields, empty sql.
    """

    id: str
    label: str
    row_node: bool
    fields: tuple[str, ...]
    sources: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
    upstream: tuple[Dependency, ...] = ()
    why: str = ""
    sql: str = ""
    parameters: tuple[str, ...] = ()
    project: str = ""
    owner: str = ""
    priority: Priority = Priority.MEDIUM
    resource_group: str = "default"
    cost: int = 1
    composite: bool = False  # a metrics node computed from other nodes of the same table


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a logical table. `type`: engine type, filled at publish. Metrics may have their own project etc."""

    name: str
    key: bool = False
    type: str = ""
    description: str = ""
    checks: tuple[str, ...] = ()
    project: str = ""
    owner: str = ""
    priority: Priority | None = None
    comparable: bool = True
    """False: depends on an order-dependent construct without a total order; left out of equivalence (spec 2)."""
    zero_when_absent: bool = False
    """A metrics table's count: 0 instead of NULL where its node has no row."""


class How(StrEnum):
    VALUE = "value"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class LineageEdge:
    """`field` of this table is made from (`value`) or has its rows shaped by (`rows`) `from_table`.`from_field`."""

    field: str
    from_table: str
    from_field: str
    how: How


@dataclass(frozen=True, slots=True)
class CompiledTask:
    """A task with everything derived from it. `sql` is the user's SELECT in one piece, rendered for the engine.

    `partition_type`: DATE for day and longer periods, TIMESTAMP for hour and minute. `fingerprint`: of the text,
    header and upstream that matter; equal fingerprints mean an equal compilation.
    """

    definition: TaskDefinition
    nodes: tuple[Node, ...]
    fields: tuple[Field, ...] = ()
    sql: str = ""
    parameters: tuple[str, ...] = ()
    lineage: tuple[LineageEdge, ...] = ()
    partition_type: str = "DATE"
    fingerprint: str = ""
    warnings: tuple[str, ...] = ()
    cuts: str = ""
    """Which fields need which part of `sql`, in the compiler's own words; what `compiler.fuse` works from."""

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def key(self) -> tuple[str, ...]:
        return self.definition.key

    @property
    def row_node(self) -> Node:
        return next(node for node in self.nodes if node.row_node)

    def node(self, node_id: str) -> Node:
        return next(node for node in self.nodes if node.id == node_id)

    def nodes_of_field(self, name: str) -> tuple[Node, ...]:
        """The nodes that compute a field; for a key field every node of the table."""
        if name in self.key:
            return self.nodes
        return tuple(node for node in self.nodes if name in node.fields)

    def with_types(self, types: dict[str, str]) -> CompiledTask:
        """The same task with the engine's column types filled in; names compare exactly."""
        return replace(self, fields=tuple(replace(f, type=types.get(f.name, f.type)) for f in self.fields))


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between what is published and what would be (`plan`'s "changes")."""

    table: str
    change: str  # table_added table_removed table_changed field_added field_removed field_type_changed node_added ...
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Publication:
    """One published version of a project in one environment: immutable, everything needed to generate and run.

    `project` carries the definition without its tasks; `tasks` carries them compiled, column types filled in.
    `sources` inside `project` have their columns filled in. `version` counts per (environment, project) from 1;
    0 = not yet published.
    """

    project: ProjectDefinition
    tasks: tuple[CompiledTask, ...]
    environment: Environment = Environment.PROD
    version: int = 0
    fingerprint: str = ""
