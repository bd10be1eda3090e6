"""What people declare: projects, sources, logical tables, metrics tables and tasks, as written in files (spec 2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from fieldwise.model.schedule import (
    Policy,
    Rerun,
    Retries,
    Schedule,
    ScheduleType,
    TaskDefaults,
    Validity,
    Window,
)
from fieldwise.model.status import Priority, TableKind, TaskKind


@dataclass(frozen=True, slots=True)
class Parameter:
    """A project parameter: SQL type and value, bound as a placeholder."""

    name: str
    type: str
    value: object


class SourceFormat(StrEnum):
    PARQUET = "parquet"
    CSV = "csv"
    JSON = "json"
    ENGINE_TABLE = "engine_table"  # `table: schema.name`
    FROM_TASK = "from_task"  # filled by a task of a project; physically `schema.table` in the warehouse


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table Fieldwise does not compute. `name` is `schema.table` as SQL refers to it; project-scoped."""

    name: str
    project: str
    format: SourceFormat
    location: str = ""  # file or glob relative to the project folder, or the engine's table name
    from_task: str = ""  # full name of the task that fills it
    columns: tuple[tuple[str, str], ...] = ()  # declared or read: (name, engine type)
    key: tuple[str, ...] = ()
    partition: str = ""
    ready: str = ""  # SQL returning one boolean, asked with the slot's parameters
    file: str = ""
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class FieldNote:
    """What the header says of a field. `checks`: "not_null", ">= 0", ... conditions of the value."""

    name: str
    description: str = ""
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowBounds:
    minimum: int | None = None
    maximum: int | None = None
    allow_empty: bool = False


@dataclass(frozen=True, slots=True)
class DeclaredDependency:
    """`depends_on` of a header: adds to, or overrides, what the SQL says."""

    table: str
    fields: tuple[str, ...] = ()
    window: Window = Window.CURRENT
    n: int | None = None
    policy: Policy = Policy.ALL
    line: int = 1
    column: int = 1


class Split(StrEnum):
    EAGER = "eager"
    NEVER = "never"


class Visible(StrEnum):
    EARLY = "early"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Atomic:
    """`value` aggregated over table `source`."""

    name: str
    source: str
    value: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Metric:
    """A field of a metrics table: atomic + filter + span, or an expression over other metrics.

    `span`: "1d", "7d", "nd:14" is written "14d", "mtd", "qtd", "ytd", "td", "3h".
    """

    name: str
    atomic: str = ""
    filter: str = ""
    span: str = ""
    expression: str = ""
    project: str = ""
    owner: str = ""
    priority: Priority | None = None
    description: str = ""
    checks: tuple[str, ...] = ()
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class MetricsDefinition:
    """An aggregate table declared by metrics (spec 2, "Aggregate tables by metrics")."""

    atomic: tuple[Atomic, ...]
    filters: tuple[tuple[str, str], ...]
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True)
class TaskDefinition:
    """One recurring task: an integration or computing script, or a logical table.

    `name` = `project.task` or `project.table`. `text` = the SQL (header replaced by spaces so that line and column
    of every token are those of the file) or the script. Exactly one of `metrics` / `text` says what is computed.
    """

    name: str
    project: str
    kind: TaskKind
    file: str
    text: str = ""
    language: str = "sql"  # sql | python | shell
    table_kind: TableKind | None = None
    key: tuple[str, ...] = ()
    metrics: MetricsDefinition | None = None
    schedule: Schedule = field(default_factory=Schedule)
    schedule_type: ScheduleType = ScheduleType.NORMAL
    validity: Validity = field(default_factory=Validity)
    description: str = ""
    owner: str = ""
    priority: Priority = Priority.MEDIUM
    tags: tuple[str, ...] = ()
    fields: tuple[FieldNote, ...] = ()
    rows: RowBounds = field(default_factory=RowBounds)
    nodes: tuple[tuple[str, ...], ...] = ()
    split: Split = Split.EAGER
    visible: Visible = Visible.EARLY
    on_rows_differ: str = "rerun"  # rerun | mark
    depends_on: tuple[DeclaredDependency, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()  # declared types of a table that reads itself
    outputs: tuple[str, ...] = ()  # scripts: source tables filled, `schema.table`
    reads: tuple[str, ...] = ()  # scripts: tables read
    resource_group: str = "default"
    cost: int = 1
    retries: Retries = field(default_factory=Retries)
    timeout: float = 48 * 3600.0
    rerun: Rerun = Rerun.ALWAYS
    positions: tuple[tuple[str, int, int], ...] = ()  # header key path ("key.0", "owner") -> line, column
    """Where each header key stands, for located problems found later."""

    def position(self, path: str) -> tuple[int, int]:
        """Line and column of a header key; of its nearest written parent, else 1:1."""
        places = {key: (line, column) for key, line, column in self.positions}
        while path:
            if path in places:
                return places[path]
            path = path.rpartition(".")[0]
        return (1, 1)


@dataclass(frozen=True, slots=True)
class ResourceGroup:
    name: str
    slots: int


@dataclass(frozen=True, slots=True)
class ThrottlingRule:
    """A cap on running node instances that match the filter; empty filter parts match all."""

    name: str
    max_running: int
    environment: str = ""
    project: str = ""
    run_type: str = ""
    task_kind: str = ""
    engine: str = ""
    tag: str = ""


@dataclass(frozen=True, slots=True)
class ProjectDefinition:
    """Everything a project folder declares."""

    name: str
    folder: str
    display_name: str = ""
    mode: str = "basic"
    timezone: str = "UTC"
    engine: str = "duckdb"
    owners: tuple[str, ...] = ()
    owner: str = ""
    parameters: tuple[Parameter, ...] = ()
    defaults: TaskDefaults = field(default_factory=TaskDefaults)
    edit_url: str = ""
    sources: tuple[SourceTable, ...] = ()
    tasks: tuple[TaskDefinition, ...] = ()
    resource_groups: tuple[ResourceGroup, ...] = ()
    throttling: tuple[ThrottlingRule, ...] = ()
    file: str = "project.yml"
