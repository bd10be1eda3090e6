"""Which tables a query may name, with what planning must know of them: columns, types, keys, nodes, partitions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sqlglot import exp
from sqlglot.schema import Schema

from fieldwise.model.definition import ProjectDefinition, SourceTable, TaskDefinition, Visible
from fieldwise.model.plan import CompiledTask
from fieldwise.model.schedule import Period
from fieldwise.model.status import TaskKind

DS = "ds"


@dataclass(frozen=True, slots=True)
class CatalogueTable:
    """A table as the planner sees it. Names in `columns`, `key`, `partition`, `nodes` are in lower case.

    `columns`: lower-case name -> (name as spelled, engine type or "" if not known). `nodes`: field -> ids of the nodes
    that compute it. `all_nodes` in field order. `null_safe_key`: the key was checked to be not null.
    """

    name: str
    project: str
    columns: dict[str, tuple[str, str]]
    key: tuple[str, ...] = ()
    partition: str = ""
    partition_type: str = "DATE"
    logical: bool = False
    null_safe_key: bool = False
    period: Period = Period.DAY
    nodes: dict[str, tuple[str, ...]] | None = None
    row_nodes: tuple[str, ...] = ()
    """Nodes that bring rows: the row node; of a metrics table all but its composites, whose rows are their union."""
    all_nodes: tuple[str, ...] = ()
    complete: bool = False
    itself: bool = False
    from_task: str = ""
    ready: bool = False

    @property
    def shape(self) -> str:
        return repr((
            self.name, self.columns, self.key, self.partition, self.partition_type, self.period, self.nodes,
            self.row_nodes, self.complete, self.from_task, self.ready,
        ))  # fmt: skip

    @property
    def schema_name(self) -> str:
        return self.name.partition(".")[0]

    @property
    def table_name(self) -> str:
        return self.name.partition(".")[2]

    def nodes_of(self, field: str) -> tuple[str, ...]:
        """Ids of the nodes that compute a field; none for keys and `ds`."""
        return (self.nodes or {}).get(field, ())


@dataclass(frozen=True, slots=True)
class CatalogueTask:
    """A script task: one node, the tables it fills."""

    name: str
    node: str
    outputs: tuple[str, ...]


class Catalogue:
    """Tables by name, filled table after table in topological order. Sources are seen by their own project only."""

    def __init__(
        self, projects: Iterable[ProjectDefinition] = (), compiled: Iterable[CompiledTask] = ()
    ) -> None:
        self._tables: dict[str, CatalogueTable] = {}
        self._sources: dict[tuple[str, str], CatalogueTable] = {}
        self._tasks: dict[str, CatalogueTask] = {}
        self._shapes: dict[int, str] = {}
        for project in projects:
            self.add_project(project)
        for task in compiled:
            self.add_task(task)

    def add_project(self, project: ProjectDefinition) -> None:
        """All sources of a project."""
        for source in project.sources:
            self.add_source(source)

    def add_source(self, source: SourceTable) -> None:
        columns = {name.lower(): (name, kind) for name, kind in source.columns}
        table = CatalogueTable(
            name=source.name, project=source.project, columns=columns, key=_lower(source.key),
            partition=source.partition.lower(), partition_type=_type_of(columns, source.partition.lower()),
            from_task=source.from_task, ready=bool(source.ready),
        )  # fmt: skip
        self._sources[source.project, source.name.lower()] = table

    def add_task(self, task: CompiledTask) -> None:
        """A compiled logical table or script task; compiled again it replaces what was there."""
        if task.definition.kind is TaskKind.MODELING:
            self._tables[task.name.lower()] = _logical(task)
        elif task.nodes:
            outputs = _lower(task.definition.outputs)
            self._tasks[task.name.lower()] = CatalogueTask(task.name, task.nodes[0].id, outputs)

    def add_itself(
        self, definition: TaskDefinition, columns: dict[str, tuple[str, str]], partition_type: str
    ) -> Catalogue:
        """A view of this catalogue in which the table that is being compiled can be read by itself."""
        known = self._tables.get(definition.name.lower())
        types = {name.lower(): kind for name, kind in definition.columns}
        if known is not None:
            columns = {
                name: (spelled, kind or _type_of(known.columns, name, ""))
                for name, (spelled, kind) in columns.items()
            }
        columns = {name: (spelled, types.get(name, kind)) for name, (spelled, kind) in columns.items()}
        columns[DS] = (DS, partition_type)
        view = Catalogue()
        view._tables = {**self._tables}
        view._sources, view._tasks = self._sources, self._tasks
        view._tables[definition.name.lower()] = CatalogueTable(
            name=definition.name, project=definition.project, columns=columns, key=_lower(definition.key), partition=DS,
            partition_type=partition_type, logical=True, null_safe_key=True, period=definition.schedule.period,
            nodes={}, itself=True,
        )  # fmt: skip
        return view

    def table(self, name: str, project: str) -> CatalogueTable | None:
        """The table a query of `project` means by `schema.table`, whatever its spelling."""
        folded = name.lower()
        return self._sources.get((project, folded)) or self._tables.get(folded)

    def task(self, name: str) -> CatalogueTask | None:
        return self._tasks.get(name.lower())

    def foreign_source(self, name: str) -> str:
        """The project that has a source of this name, "" if none."""
        return next((project for project, source in self._sources if source == name.lower()), "")

    def names(self, project: str) -> list[str]:
        """Everything a query of `project` may read, as spelled."""
        own = [table.name for (owner, _), table in self._sources.items() if owner == project]
        return own + [table.name for table in self._tables.values()]

    def shape(self, name: str, project: str) -> str:
        """Everything a reader's compilation may depend on, as text; "" for what is no table here."""
        table = self.table(name, project)
        if table is not None:
            if id(table) not in self._shapes:
                self._shapes[id(table)] = hashlib.sha256(table.shape.encode()).hexdigest()
            return self._shapes[id(table)]
        task = self.task(name)
        return f"{task.name} {task.node}" if task is not None else ""

    def near(self, name: str, project: str) -> str:
        """The known name that looks most like `name`, "" if none does."""
        names = {known.lower(): known for known in self.names(project)}
        if "." not in name:
            same = [known for folded, known in names.items() if folded.rpartition(".")[2] == name.lower()]
            if same:
                return same[0]
        found = get_close_matches(name.lower(), list(names), n=1, cutoff=0.6)
        return names[found[0]] if found else ""


def _logical(task: CompiledTask) -> CatalogueTable:
    definition = task.definition
    columns = {DS: (DS, task.partition_type)}
    columns.update((field.name.lower(), (field.name, field.type)) for field in task.fields)
    nodes: dict[str, tuple[str, ...]] = {}
    for node in task.nodes:
        for field in node.fields:
            folded = field.lower()
            nodes[folded] = (*nodes.get(folded, ()), node.id)
    return CatalogueTable(
        name=task.name, project=definition.project, columns=columns, key=_lower(definition.key), partition=DS,
        partition_type=task.partition_type, logical=True, null_safe_key=True, period=definition.schedule.period,
        nodes=nodes, row_nodes=tuple(node.id for node in task.nodes if (not node.composite if definition.metrics else node.row_node)),
        all_nodes=tuple(node.id for node in task.nodes), complete=definition.visible is Visible.COMPLETE,
    )  # fmt: skip


def _lower(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


def _type_of(columns: dict[str, tuple[str, str]], name: str, otherwise: str = "DATE") -> str:
    return columns[name][1] if name in columns and columns[name][1] else otherwise


class QuerySchema(Schema):
    """What sqlglot asks of a schema, answered from the catalogue for one project, without building anything."""

    def __init__(self, catalogue: Catalogue, project: str) -> None:
        self._catalogue = catalogue
        self._project = project

    @property
    def empty(self) -> bool:
        return False

    @property
    def supported_table_args(self) -> tuple[str, ...]:
        return ("this", "db")

    def add_table(self, *arguments: Any, **options: Any) -> None:
        """The catalogue is filled by its owner."""

    def column_names(
        self,
        table: exp.Table | str,
        only_visible: bool = False,
        dialect: Any = None,
        normalize: bool | None = None,
    ) -> Sequence[str]:
        assert isinstance(table, exp.Table)
        found = self._catalogue.table(f"{table.db}.{table.name}", self._project)
        return tuple(found.columns) if found else ()

    def get_column_type(
        self,
        table: exp.Table | str,
        column: exp.Column | str,
        dialect: Any = None,
        normalize: bool | None = None,
    ) -> exp.DataType:
        """Types are the planner's own concern (families.py)."""
        return exp.DataType(this=exp.DType.UNKNOWN)
