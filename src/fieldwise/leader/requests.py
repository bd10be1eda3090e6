"""Decides what a worker is told: the statement, its parameters, what it reads and what its result must satisfy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC

from fieldwise.compiler import fuse
from fieldwise.fleet.values import Question, Start
from fieldwise.model.attempt import (
    AttemptKind,
    AttemptRequest,
    InputRead,
    Member,
    OutputField,
    SlotValues,
    Target,
)
from fieldwise.model.definition import SourceTable, Visible
from fieldwise.model.plan import CompiledTask, Field, Node, Publication
from fieldwise.model.status import TaskKind
from fieldwise.ports.store import Store
from fieldwise.usecases.facts import Calendar, partition_of, relation_of
from fieldwise.usecases.parameters import project_values, slot_values
from fieldwise.usecases.versions import Versions, project_of

NOTHING = "nothing"  # language of a task that does nothing: benchmarks and simulation
ROWS_SEEN = 7


@dataclass(frozen=True, slots=True)
class Template:
    """What all starts of the same nodes of the same version share."""

    publication: Publication
    task: CompiledTask
    nodes: tuple[Node, ...]
    kind: AttemptKind
    sql: str
    parameters: tuple[str, ...]
    key: tuple[OutputField, ...]
    fields: tuple[OutputField, ...]
    source_keys: tuple[tuple[str, tuple[str, ...], str], ...]
    source_reads: tuple[tuple[SourceTable, tuple[str, ...]], ...]


class Requests:
    """Builds attempt requests; statements of the same nodes are fused once."""

    def __init__(self, versions: Versions, store: Store, calendar: Calendar) -> None:
        self._versions = versions
        self._store = store
        self._calendar = calendar
        self._environment = versions.environment.value
        self._templates: dict[tuple[str, int, tuple[str, ...]], Template] = {}

    def of(self, start: Start) -> AttemptRequest:
        template = self._template(start.task, start.version, tuple([member.node for member in start.members]))
        task, definition = template.task, template.task.definition
        environment = self._versions.environment
        partition = partition_of(task, start)
        members = self._members(template, start, partition)
        if template.kind is AttemptKind.NOTHING:
            return AttemptRequest(
                template.kind, members, definition.name, partition, task.partition_type, log=start.log
            )
        values = self._calendar.values(template.publication, start)
        return AttemptRequest(
            kind=template.kind,
            members=members,
            relation=relation_of(environment, definition.name),
            partition=partition,
            partition_type=task.partition_type,
            sql=template.sql,
            parameters=_bound(template, values),
            key=template.key,
            fields=template.fields,
            rows_minimum=definition.rows.minimum,
            rows_maximum=definition.rows.maximum,
            refuse_empty=self._refuses_empty(template),
            metrics=definition.metrics is not None,
            visible_complete=definition.visible is Visible.COMPLETE,
            all_nodes=tuple(node.id for node in task.nodes),
            inputs=self._inputs(template, start),
            source_keys=template.source_keys,
            language=definition.language if template.kind is AttemptKind.SCRIPT else "",
            script=definition.text if template.kind is AttemptKind.SCRIPT else "",
            outputs=definition.outputs,
            reads=definition.reads,
            environment_variables=_variables(template, values) if template.kind is AttemptKind.SCRIPT else (),
            working_folder=template.publication.project.folder,
            timeout=definition.timeout,
            log=start.log,
        )

    def ready_query(self, question: Question) -> tuple[str, Mapping[str, object]]:
        """The SQL of a source's `ready` with the values of the slot that waits for it."""
        publication = self._versions.project(question.project)
        assert publication is not None
        source = next(source for source in publication.project.sources if source.name == question.source)
        values = self._calendar.values(publication, question)
        sql = source.ready
        bound = {**slot_values(values), **project_values(publication.project.parameters)}
        used = {name: value for name, value in bound.items() if f":{name}" in sql}
        for name in used:
            sql = sql.replace(f":{name}", f"${name}")
        return sql, used

    def _template(self, task_name: str, version: int, nodes: tuple[str, ...]) -> Template:
        key = (task_name, version, nodes)
        if key not in self._templates:
            publication = self._versions.publication(project_of(task_name), version)
            self._templates[key] = _template(publication, self._versions.task(task_name, version), nodes)
        return self._templates[key]

    def _members(self, template: Template, start: Start, partition: str) -> tuple[Member, ...]:
        table = template.task.name
        return tuple(
            [
                Member(
                    member.node_instance,
                    member.attempt,
                    member.run,
                    Target(self._environment, table, node.id, partition),
                    node.fields,
                    node.row_node,
                )
                for member, node in zip(start.members, template.nodes, strict=True)
            ]
        )

    def _refuses_empty(self, template: Template) -> bool:
        """0 rows fail where each of the last 7 real runs had some (spec 2)."""
        if template.task.definition.rows.allow_empty or template.kind is not AttemptKind.SQL:
            return False
        counts = self._store.recent_rows(template.nodes[0].id, self._versions.environment, ROWS_SEEN)
        return len(counts) == ROWS_SEEN and all(counts)

    def _inputs(self, template: Template, start: Start) -> tuple[InputRead, ...]:
        reads: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
        for node in template.nodes:
            for dependency in node.upstream:
                found = self._versions.in_force(dependency.task)
                if found is None or found[1].definition.kind is not TaskKind.MODELING:
                    continue
                fields, partitions = reads.setdefault(dependency.task, ({}, {}))
                fields.update(dict.fromkeys(dependency.fields))
                partitions.update(
                    dict.fromkeys(
                        self._calendar.partitions_read(
                            dependency, template.publication, start, template.task.definition
                        )
                    )
                )
        environment = self._versions.environment
        tables = [
            InputRead(relation_of(environment, table), tuple(fields), tuple(partitions))
            for table, (fields, partitions) in reads.items()
        ]
        sources = [
            InputRead(
                source.name, fields, (partition_of(template.task, start),) if source.partition else (), True
            )
            for source, fields in template.source_reads
        ]
        return (*tables, *sources)


def _template(publication: Publication, task: CompiledTask, names: tuple[str, ...]) -> Template:
    nodes = tuple(task.node(name) for name in names)
    definition = task.definition
    if definition.language == NOTHING:
        return Template(publication, task, nodes, AttemptKind.NOTHING, "", (), (), (), (), ())
    if definition.kind is not TaskKind.MODELING:
        read = _source_reads(publication, task, nodes)
        return Template(
            publication, task, nodes, AttemptKind.SCRIPT, task.sql, task.parameters, (), (), _keys(read), read
        )
    sql, parameters = (nodes[0].sql, nodes[0].parameters) if len(nodes) == 1 else _fused(task, nodes)
    made = {name for node in nodes for name in node.fields}
    read = _source_reads(publication, task, nodes)
    return Template(
        publication,
        task,
        nodes,
        AttemptKind.SQL,
        sql,
        parameters,
        tuple(_output(field) for name in task.key for field in task.fields if field.name == name),
        tuple(_output(field) for field in task.fields if field.name in made),
        _keys(read),
        read,
    )


def _fused(task: CompiledTask, nodes: Sequence[Node]) -> tuple[str, tuple[str, ...]]:
    fused = fuse(task, [node.id for node in nodes])
    return fused.sql, fused.parameters


def _source_reads(
    publication: Publication, task: CompiledTask, nodes: Sequence[Node]
) -> tuple[tuple[SourceTable, tuple[str, ...]], ...]:
    """The sources of the nodes, each with its columns that the nodes' fields are made from or shaped by."""
    wanted = {name for node in nodes for name in (*node.fields, *task.key)}
    columns: dict[str, dict[str, None]] = {}
    for edge in task.lineage:
        if edge.field in wanted:
            columns.setdefault(edge.from_table, {})[edge.from_field] = None
    names = dict.fromkeys(name for node in nodes for name in node.sources)
    declared = {source.name: source for source in publication.project.sources}
    return tuple((declared[name], tuple(columns.get(name, ()))) for name in names if name in declared)


def _output(field: Field) -> OutputField:
    return OutputField(field.name, field.type, field.checks, field.zero_when_absent)


def _keys(
    reads: Sequence[tuple[SourceTable, tuple[str, ...]]],
) -> tuple[tuple[str, tuple[str, ...], str], ...]:
    return tuple((quoted(source.name), source.key, source.partition) for source, _ in reads if source.key)


def quoted(relation: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in relation.split("."))


def _bound(template: Template, values: SlotValues) -> tuple[tuple[str, object], ...]:
    known = {**slot_values(values), **project_values(template.publication.project.parameters)}
    return tuple((name, known[name]) for name in template.parameters)


def _variables(template: Template, values: SlotValues) -> tuple[tuple[str, str], ...]:
    """The environment of a script (spec 2, "Tasks that are scripts")."""
    instant = "%Y-%m-%dT%H:%M:%SZ"
    parameters = template.publication.project.parameters
    return (
        ("FIELDWISE_DATA_DATE", values.data_date.isoformat()),
        ("FIELDWISE_SCHEDULED_AT", values.scheduled_at.astimezone(UTC).strftime(instant)),
        ("FIELDWISE_SLOT_START", values.slot_start.astimezone(UTC).strftime(instant)),
        ("FIELDWISE_SLOT_END", values.slot_end.astimezone(UTC).strftime(instant)),
        *((f"FIELDWISE_PARAM_{p.name.upper()}", str(p.value)) for p in parameters),
    )
