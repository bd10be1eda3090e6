"""Aggregate tables declared by metrics: one SELECT for each source, span and project, composites below (spec 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from fieldwise.compiler.catalogue import Catalogue, CatalogueTable
from fieldwise.compiler.dialects import dialect_of
from fieldwise.compiler.draft import Draft
from fieldwise.compiler.emit import placeholders_of, render
from fieldwise.compiler.expressions import Expressions
from fieldwise.compiler.grouping import node_id
from fieldwise.compiler.parse import parameter_types
from fieldwise.compiler.problems import Problems
from fieldwise.compiler.rules import RULES
from fieldwise.compiler.scripts import partition_type_of
from fieldwise.compiler.spans import span_predicate
from fieldwise.model.definition import Metric, ProjectDefinition, Split, TaskDefinition
from fieldwise.model.errors import Problem, ProblemCode
from fieldwise.model.plan import CompiledTask, Dependency, Field, How, LineageEdge, Node
from fieldwise.model.schedule import Window


@dataclass(slots=True)
class _Base:
    """The metrics of one source, span and project."""

    source: CatalogueTable
    span: str
    project: str
    metrics: list[Metric] = field(default_factory=list)
    inline: list[Metric] = field(default_factory=list)
    """Composites over this node alone."""


@dataclass(slots=True)
class _Below:
    """Composites over the same nodes, of one project."""

    bases: tuple[int, ...]
    project: str
    metrics: list[Metric] = field(default_factory=list)


@dataclass(slots=True)
class _Table:
    """A metrics table while it is being compiled."""

    definition: TaskDefinition
    project: ProjectDefinition
    catalogue: Catalogue
    projects: Mapping[str, ProjectDefinition]
    problems: Problems
    expressions: Expressions
    bases: list[_Base] = field(default_factory=list)
    below: list[_Below] = field(default_factory=list)
    base_of: dict[str, int] = field(default_factory=dict)
    """Folded name of a simple metric -> its base node."""

    @property
    def engine(self) -> str:
        return dialect_of(self.project.engine)


def compile_metrics(
    definition: TaskDefinition,
    project: ProjectDefinition,
    catalogue: Catalogue,
    projects: Mapping[str, ProjectDefinition],
    problems: Problems,
) -> CompiledTask | None:
    """The compiled table; None if a metric cannot be taken."""
    types = parameter_types(project.parameters)
    expressions = Expressions(definition, dialect_of(project.engine), types, problems)
    table = _Table(definition, project, catalogue, {project.name: project, **projects}, problems, expressions)
    _group(table)
    if problems.found:
        return None
    _place_composites(table)
    drafts = [_base_draft(table, base) for base in table.bases]
    if problems.found:
        return None
    return _compiled(table, drafts)


def _group(table: _Table) -> None:
    """Simple metrics by (source, span, project), with every mistake of names."""
    definition, expressions = table.definition, table.expressions
    assert definition.metrics is not None
    seen: set[str] = {name.lower() for name in definition.key}
    for metric in definition.metrics.metrics:
        if metric.name.lower() in seen:
            table.problems.add(
                ProblemCode.DUPLICATE_FIELD,
                (metric.line, metric.column),
                f"two fields are called {metric.name}",
                "rename one",
            )
        seen.add(metric.name.lower())
        project = metric.project or definition.project
        if project not in table.projects:
            table.problems.add(
                ProblemCode.UNKNOWN_TABLE, (metric.line, metric.column), f"there is no project {project}",
                "publish it first, or name its folder on the command line too",
            )  # fmt: skip
        if metric.expression:
            expressions.composite(metric)
            continue
        source = _source(table, metric)
        if source is None:
            continue
        expressions.simple(metric, source)
        position = _base_position(table, source, metric.span, project)
        table.bases[position].metrics.append(metric)
        table.base_of[metric.name.lower()] = position
    expressions.check_circles()


def _base_position(table: _Table, source: CatalogueTable, span: str, project: str) -> int:
    for position, base in enumerate(table.bases):
        if (base.source.name, base.span, base.project) == (source.name, span, project):
            return position
    table.bases.append(_Base(source, span, project))
    return len(table.bases) - 1


def _source(table: _Table, metric: Metric) -> CatalogueTable | None:
    """The table a metric aggregates, checked: known, has the key, fits the span."""
    atomic = table.expressions.atomic(metric)
    if atomic is None:
        return None
    place = (atomic.line, atomic.column)
    source = table.catalogue.table(atomic.source, table.definition.project)
    if source is None:
        near = table.catalogue.near(atomic.source, table.definition.project)
        hint = f'did you mean "{near}"?' if near else "name a logical table as project.table"
        table.problems.add(ProblemCode.UNKNOWN_TABLE, place, f"there is no table {atomic.source}", hint)
        return None
    for index, name in enumerate(table.definition.key):
        if name.lower() not in source.columns:
            table.problems.add(
                ProblemCode.KEY_NOT_SELECTED, table.definition.position(f"key.{index}"), f"{source.name} has no column {name}",
                "the key of a metrics table is a column of every source",
            )  # fmt: skip
    if span_predicate(metric.span, source, "s") is None:
        table.problems.add(
            ProblemCode.MISSING_PARTITION, (metric.line, metric.column), f"the span {metric.span} does not fit {source.name}",
            "days need a table with `ds` or a declared partition, hours a table of hours or minutes; td reads everything",
        )  # fmt: skip
        return None
    return source


def _place_composites(table: _Table) -> None:
    """A composite over one node of its own project is computed there, any other one below its nodes."""
    assert table.definition.metrics is not None
    for metric in table.definition.metrics.metrics:
        if not metric.expression:
            continue
        project = metric.project or table.definition.project
        bases = tuple(sorted({table.base_of[name] for name in table.expressions.simple_parts(metric.name)}))
        if len(bases) == 1 and table.bases[bases[0]].project == project:
            table.bases[bases[0]].inline.append(metric)
            continue
        found = next((one for one in table.below if (one.bases, one.project) == (bases, project)), None)
        if found is None:
            found = _Below(bases, project)
            table.below.append(found)
        found.metrics.append(metric)


def _base_draft(table: _Table, base: _Base) -> Draft:
    """The node's SELECT, compiled by the rules of every SELECT as one node."""
    definition = table.definition
    problems = Problems(definition)
    inner = replace(
        definition,
        text=_base_text(table, base),
        metrics=None,
        split=Split.NEVER,
        nodes=(),
        fields=(),
        language="sql",
    )
    draft = Draft(
        definition=inner, project=table.project, catalogue=table.catalogue, types=parameter_types(table.project.parameters),
        dialect=table.engine, engine=table.engine, partition_type=partition_type_of(definition), problems=problems,
        text=inner.text,
    )  # fmt: skip
    for rule in RULES:
        if not draft.stopped:
            rule(draft)
    first = base.metrics[0]
    for problem in problems.found:
        table.problems.found.append(_moved(problem, first))
    return draft


def _moved(problem: Problem, metric: Metric) -> Problem:
    """The text was made here, so its places are not the file's: said at the first metric of the node."""
    return replace(problem, line=metric.line, column=metric.column)


def _base_text(table: _Table, base: _Base) -> str:
    keys = [f's."{base.source.columns[name.lower()][0]}"' for name in table.definition.key]
    columns = [f'{key} AS "{name}"' for key, name in zip(keys, table.definition.key, strict=True)]
    columns += [
        f'{render(table.expressions.over_source(metric.name), table.engine)} AS "{metric.name}"'
        for metric in _in_order(table, [*base.metrics, *base.inline])
    ]
    conditions = [f"{key} IS NOT NULL" for key in keys]
    predicate = span_predicate(base.span, base.source, "s")
    if predicate:
        conditions.insert(0, predicate)
    return (
        f'SELECT {", ".join(columns)} FROM "{base.source.schema_name}"."{base.source.table_name}" AS s '
        f"WHERE {' AND '.join(conditions)} GROUP BY {', '.join(keys)}"
    )


def _in_order(table: _Table, metrics: Sequence[Metric]) -> list[Metric]:
    assert table.definition.metrics is not None
    names = {metric.name for metric in metrics}
    return [metric for metric in table.definition.metrics.metrics if metric.name in names]


def _compiled(table: _Table, drafts: Sequence[Draft]) -> CompiledTask:
    definition = table.definition
    assert definition.metrics is not None
    nodes = [
        _base_node(table, base, draft, number == 0)
        for number, (base, draft) in enumerate(zip(table.bases, drafts, strict=True))
    ]
    ids = [node.id for node in nodes]
    nodes += [_below_node(table, one, ids) for one in table.below]
    order = {metric.name: index for index, metric in enumerate(definition.metrics.metrics)}
    nodes.sort(key=lambda node: order[node.fields[0]])
    nodes = [replace(node, label=f"n{number}") for number, node in enumerate(nodes, 1)]
    sql = _one_piece(table, [next(node for node in nodes if node.id == identity) for identity in ids])
    return CompiledTask(
        definition=definition, nodes=tuple(nodes), fields=tuple(_fields(table, drafts)), sql=sql,
        parameters=placeholders_of(sql), lineage=_lineage(table, drafts), partition_type=partition_type_of(definition),
        warnings=tuple(dict.fromkeys(warning for draft in drafts for warning in draft.warnings)),
    )  # fmt: skip


def _base_node(table: _Table, base: _Base, draft: Draft, row: bool) -> Node:
    metrics = _in_order(table, [*base.metrics, *base.inline])
    words = {"td": "all days"}.get(base.span, f"the span {base.span}")
    return replace(
        _owned(table, draft.nodes[0], metrics, base.project),
        id=node_id(table.definition.name, [metric.name for metric in metrics]),
        row_node=row,
        fields=tuple(metric.name for metric in metrics),
        why=f"Metrics over {base.source.name} with {words}, of project {base.project}.",
    )


def _owned(table: _Table, node: Node, metrics: Sequence[Metric], project: str) -> Node:
    """Owner, priority and resource group of a node with metrics of a project."""
    definition = table.definition
    owners = {metric.owner or definition.owner for metric in metrics}
    own = project == definition.project
    group = definition.resource_group if own else table.projects[project].defaults.resource_group
    return replace(
        node, project=project, owner=owners.pop() if len(owners) == 1 else definition.owner,
        priority=max(metric.priority if metric.priority is not None else definition.priority for metric in metrics),
        resource_group=group,
    )  # fmt: skip


def _below_node(table: _Table, one: _Below, ids: Sequence[str]) -> Node:
    """A node of composites: reads its own table's row where the other nodes have published."""
    definition = table.definition
    metrics = _in_order(table, one.metrics)
    hourly = partition_type_of(definition) == "TIMESTAMP"
    keys = [f't."{name}"' for name in definition.key]
    columns = keys + [
        f'{render(table.expressions.over_table(metric.name, "t"), table.engine)} AS "{metric.name}"'
        for metric in metrics
    ]
    schema, _, name = definition.name.partition(".")
    sql = f'SELECT {", ".join(columns)} FROM "{schema}"."{name}" AS t WHERE t."ds" = ${"slot_start" if hourly else "data_date"}'
    parts = {part for metric in metrics for part in table.expressions.simple_parts(metric.name)}
    window = Window.SAME_SLOT if hourly else Window.CURRENT
    assert definition.metrics is not None
    read = tuple(metric.name for metric in definition.metrics.metrics if metric.name.lower() in parts)
    node = Node(
        id=node_id(definition.name, [metric.name for metric in metrics]), label="", row_node=False,
        fields=tuple(metric.name for metric in metrics),
        upstream=(Dependency(definition.name, read, tuple(ids[base] for base in one.bases), window),),
        why=f"Composites of several nodes of this table ({', '.join(read)}), computed after them.",
        sql=sql, parameters=placeholders_of(sql), cost=definition.cost, composite=True,
    )  # fmt: skip
    return _owned(table, node, metrics, one.project)


def _fields(table: _Table, drafts: Sequence[Draft]) -> list[Field]:
    definition = table.definition
    assert definition.metrics is not None
    types = {one.name.lower(): one.type for one in drafts[0].fields} if drafts else {}
    found = [Field(name=name, key=True, type=types.get(name.lower(), "")) for name in definition.key]
    fickle = {one.name for draft in drafts for one in draft.fields if not one.comparable}
    found += [
        Field(
            name=metric.name, description=metric.description, checks=metric.checks,
            project=metric.project or definition.project, owner=metric.owner or definition.owner,
            priority=metric.priority if metric.priority is not None else definition.priority,
            comparable=metric.name not in fickle, zero_when_absent=table.expressions.counts(metric.name),
        )
        for metric in definition.metrics.metrics
    ]  # fmt: skip
    return found


def _lineage(table: _Table, drafts: Sequence[Draft]) -> tuple[LineageEdge, ...]:
    """Of the nodes' SELECTs; a composite below is made from the metrics it names."""
    edges = list(dict.fromkeys(edge for draft in drafts for edge in draft.lineage))
    edges += [
        LineageEdge(metric.name, table.definition.name, table.expressions.spelled(part), How.VALUE)
        for one in table.below
        for metric in one.metrics
        for part in sorted(table.expressions.simple_parts(metric.name))
    ]
    return tuple(edges)


def _one_piece(table: _Table, nodes: Sequence[Node]) -> str:
    """All metrics in one SELECT: the union of the nodes' keys, each node joined to it, composites on top."""
    assert table.definition.metrics is not None
    keys = [f'"{name}"' for name in table.definition.key]
    ctes = [f'"n{number}" AS ({node.sql})' for number, node in enumerate(nodes)]
    every = " UNION ".join(f'SELECT {", ".join(keys)} FROM "n{number}"' for number in range(len(nodes)))
    ctes.append(f'"k" AS ({every})')
    columns = [f'"k".{key}' for key in keys]
    joins = ""
    for number, node in enumerate(nodes):
        equal = " AND ".join(f'"n{number}".{key} = "k".{key}' for key in keys)
        joins += f' LEFT JOIN "n{number}" ON {equal}'
        for name in node.fields:
            value = f'"n{number}"."{name}"'
            columns.append(f'COALESCE({value}, 0) AS "{name}"' if table.expressions.counts(name) else value)
    ctes.append(f'"m" AS (SELECT {", ".join(columns)} FROM "k"{joins})')
    below = {metric.name for one in table.below for metric in one.metrics}
    outputs = list(keys)
    for metric in table.definition.metrics.metrics:
        made = (
            render(table.expressions.over_table(metric.name, "m"), table.engine)
            if metric.name in below
            else f'"m"."{metric.name}"'
        )
        outputs.append(f'{made} AS "{metric.name}"')
    return f'WITH {", ".join(ctes)} SELECT {", ".join(outputs)} FROM "m"'
