"""From checked forms to the values of the model: units, defaults and inheritance (spec 3, "Retries, timeouts")."""

from __future__ import annotations

from typing import Any

from fieldwise.definitions.located import Located
from fieldwise.definitions.schemas import (
    CommonForm,
    FieldForm,
    MetricForm,
    MetricsForm,
    ProjectForm,
    RetriesForm,
    SourceForm,
    TableForm,
)
from fieldwise.model.definition import (
    Atomic,
    DeclaredDependency,
    FieldNote,
    Metric,
    MetricsDefinition,
    Parameter,
    RowBounds,
    SourceFormat,
    SourceTable,
    Split,
    Visible,
)
from fieldwise.model.schedule import Policy, Rerun, Retries, ScheduleType, TaskDefaults, Validity, Window
from fieldwise.model.status import Priority

ENDINGS = {".parquet": SourceFormat.PARQUET, ".csv": SourceFormat.CSV, ".csv.gz": SourceFormat.CSV, ".json": SourceFormat.JSON,
           ".ndjson": SourceFormat.JSON, ".jsonl": SourceFormat.JSON, ".json.gz": SourceFormat.JSON}  # fmt: skip


def retries_of(form: RetriesForm) -> Retries:
    return Retries(form.times, round(form.every), form.on_timeout)


def defaults_of(project: ProjectForm) -> TaskDefaults:
    form, built_in = project.defaults, TaskDefaults()
    return TaskDefaults(
        priority=form.priority or built_in.priority,
        resource_group=form.resource_group or built_in.resource_group,
        retries=retries_of(form.retries) if form.retries else built_in.retries,
        timeout=form.timeout if form.timeout is not None else built_in.timeout,
        rerun=Rerun(form.rerun) if form.rerun else built_in.rerun,
    )


def parameters_of(project: ProjectForm) -> tuple[Parameter, ...]:
    return tuple(Parameter(name, form.type, form.value) for name, form in project.params.items())


def source_of(
    project: str, schema: str, name: str, form: SourceForm, file: str, at: tuple[int, int]
) -> SourceTable | str:
    """The source, or one sentence why its format is unknown."""
    if form.from_task:
        kind = SourceFormat.FROM_TASK
    elif form.table:
        kind = SourceFormat.ENGINE_TABLE
    elif form.format:
        kind = SourceFormat(form.format)
    else:
        ending = next(
            (one for one in sorted(ENDINGS, key=len, reverse=True) if form.location.lower().endswith(one)), ""
        )
        if not ending:
            return f"the format of {form.location!r} is unknown"
        kind = ENDINGS[ending]
    from_task = (
        form.from_task if not form.from_task or "." in form.from_task else f"{project}.{form.from_task}"
    )
    return SourceTable(
        name=f"{schema}.{name}", project=project, format=kind, location=form.location or form.table, from_task=from_task,
        columns=tuple(form.columns.items()), key=tuple(form.key), partition=form.partition, ready=form.ready,
        file=file, line=at[0], column=at[1],
    )  # fmt: skip


def common_values(project: ProjectForm, form: CommonForm, document: Located) -> dict[str, Any]:
    """What every kind of task takes from its header, else from the project, else built in."""
    defaults = defaults_of(project)
    return {
        "schedule": form.schedule,
        "schedule_type": ScheduleType(form.schedule_type),
        "validity": Validity(form.valid.from_, form.valid.to),
        "description": form.description,
        "owner": form.owner or project.owner or (project.owners[0] if project.owners else ""),
        "priority": Priority[(form.priority or defaults.priority).upper()],
        "tags": tuple(form.tags),
        "depends_on": dependencies_of(form, document),
        "resource_group": form.resource_group or defaults.resource_group,
        "cost": form.cost,
        "retries": retries_of(form.retries) if form.retries else defaults.retries,
        "timeout": form.timeout if form.timeout is not None else defaults.timeout,
        "rerun": Rerun(form.rerun) if form.rerun else defaults.rerun,
        "positions": tuple((path, *at) for path, at in document.places.items() if path),
    }


def dependencies_of(form: CommonForm, document: Located) -> tuple[DeclaredDependency, ...]:
    return tuple(
        DeclaredDependency(
            one.table,
            tuple(one.fields),
            Window(one.window),
            one.n,
            Policy(one.policy),
            *document.place(f"depends_on.{n}.table"),
        )
        for n, one in enumerate(form.depends_on)
    )


def table_values(form: TableForm | MetricsForm, document: Located) -> dict[str, Any]:
    """What only logical tables have."""
    values: dict[str, Any] = {
        "key": tuple(form.key),
        "fields": tuple(
            FieldNote(name, note.description, tuple(note.checks)) for name, note in form.fields.items()
        ),
        "rows": RowBounds(form.rows.min, form.rows.max, form.rows.allow_empty or form.allow_empty),
        "visible": Visible(form.visible),
    }
    if isinstance(form, TableForm):
        values |= {
            "nodes": tuple(tuple(group) for group in form.nodes),
            "split": Split(form.split),
            "on_rows_differ": form.on_rows_differ,
            "columns": tuple(form.columns.items()),
        }
    return values


def metrics_of(form: MetricsForm, document: Located) -> MetricsDefinition:
    """What `fields:` says of a metric counts where the metric itself says nothing."""
    return MetricsDefinition(
        atomic=tuple(
            Atomic(name, one.from_, one.value, *document.place(f"atomic.{name}"))
            for name, one in form.atomic.items()
        ),
        filters=tuple(form.filters.items()),
        metrics=tuple(_metric(form, document, name, one) for name, one in form.metrics.items()),
    )


def _metric(form: MetricsForm, document: Located, name: str, one: MetricForm) -> Metric:
    note = form.fields.get(name, FieldForm())
    line, column = document.place(f"metrics.{name}")
    return Metric(
        name=name, atomic=one.atomic, filter=one.filter, span=one.period or "", expression=one.expr,
        project=one.project, owner=one.owner, priority=Priority[one.priority.upper()] if one.priority else None,
        description=one.description or note.description, checks=tuple(one.checks or note.checks),
        line=line, column=column,
    )  # fmt: skip
