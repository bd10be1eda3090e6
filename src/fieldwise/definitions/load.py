"""Reads a project: the text of its files -> a ProjectDefinition, and all mistakes of all files at once (spec 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from fieldwise.definitions.convert import (
    common_values,
    defaults_of,
    metrics_of,
    parameters_of,
    source_of,
    table_values,
)
from fieldwise.definitions.header import Header, script_header, sql_header
from fieldwise.definitions.located import Located, read_yaml
from fieldwise.definitions.schemas import (
    QUALIFIED,
    CommonForm,
    GroupsForm,
    MetricsForm,
    ProjectForm,
    RulesForm,
    SourcesForm,
    TableForm,
    TaskForm,
)
from fieldwise.definitions.validate import FormType, validate
from fieldwise.definitions.words import NAME, suggestion
from fieldwise.model.definition import (
    ProjectDefinition,
    ResourceGroup,
    SourceTable,
    TaskDefinition,
    ThrottlingRule,
)
from fieldwise.model.errors import Problem, ProblemCode
from fieldwise.model.status import TableKind, TaskKind

LANGUAGES = {".sql": "sql", ".py": "python", ".sh": "shell"}


@dataclass(slots=True)
class _Reader:
    """What is gathered while the files are read one after the other."""

    files: Mapping[str, str]
    prefix: str
    project: ProjectForm
    problems: list[Problem] = field(default_factory=list)
    tasks: list[TaskDefinition] = field(default_factory=list)
    sources: list[SourceTable] = field(default_factory=list)
    groups: list[ResourceGroup] = field(default_factory=list)
    rules: list[ThrottlingRule] = field(default_factory=list)

    def place(self, path: str) -> str:
        return f"{self.prefix}/{path}" if self.prefix else path

    def say(self, path: str, at: tuple[int, int], code: ProblemCode, message: str, hint: str = "") -> None:
        self.problems.append(Problem(self.place(path), *at, code, message, hint))

    def form(
        self, kind: type[FormType], path: str, text: str, line: int = 1, column: int = 1
    ) -> tuple[FormType, Located] | None:
        """The file's YAML as a form; its problems are kept."""
        document, problems = read_yaml(text, self.place(path), line, column)
        self.problems += problems
        if document is None:
            return None
        if not isinstance(document.value, dict):
            self.say(
                path,
                (line, column),
                ProblemCode.SYNTAX,
                "this should be a mapping of keys to values",
                "key: value",
            )
            return None
        found, problems = validate(kind, document, self.place(path))
        self.problems += problems
        return (found, document) if found is not None else None


def load_project(
    files: Mapping[str, str], folder: str, prefix: str
) -> tuple[ProjectDefinition | None, tuple[Problem, ...]]:
    """The project in `files` (paths relative to its folder -> text) and every problem, sorted by place.

    `prefix` is the folder as the user typed it; it begins every Problem.file. `folder` is kept in the definition for
    whoever reads data files later. None only if project.yml itself cannot be taken.
    """
    reader = _Reader(files, prefix, ProjectForm(name="unknown"))
    if "project.yml" not in files:
        reader.say(
            "project.yml",
            (1, 1),
            ProblemCode.SYNTAX,
            "there is no project.yml",
            "a project needs one: `fieldwise init` writes it",
        )
        return None, tuple(reader.problems)
    found = reader.form(ProjectForm, "project.yml", files["project.yml"])
    if found is not None:
        reader.project = found[0]
        _check_project(reader, found[1])
    _read_limits(reader)
    for path in sorted(files):
        _read_file(reader, path)
    _check_names(reader)
    if found is None:
        return None, tuple(sorted(reader.problems))
    return _definition(reader, folder), tuple(sorted(reader.problems))


def _definition(reader: _Reader, folder: str) -> ProjectDefinition:
    form = reader.project
    return ProjectDefinition(
        name=form.name, folder=folder, display_name=form.display_name, mode=form.mode, timezone=form.timezone,
        engine=form.engine, owners=tuple(form.owners), owner=form.owner, parameters=parameters_of(form),
        defaults=defaults_of(form), edit_url=form.edit_url, sources=tuple(reader.sources), tasks=tuple(reader.tasks),
        resource_groups=tuple(reader.groups), throttling=tuple(reader.rules), file=reader.place("project.yml"),
    )  # fmt: skip


def _check_project(reader: _Reader, document: Located) -> None:
    zone = reader.project.timezone
    if zone not in available_timezones():
        near = suggestion(zone, sorted(available_timezones()))
        reader.say(
            "project.yml",
            document.value_place("timezone"),
            ProblemCode.SYNTAX,
            f"unknown time zone {zone!r}",
            near or "an IANA name such as Europe/Berlin",
        )
        reader.project = reader.project.model_copy(update={"timezone": "UTC"})
    else:
        ZoneInfo(zone)


def _read_limits(reader: _Reader) -> None:
    """Resource groups and throttling rules come first: tasks name them."""
    if "resource_groups.yml" in reader.files:
        found = reader.form(GroupsForm, "resource_groups.yml", reader.files["resource_groups.yml"])
        reader.groups = (
            [ResourceGroup(name, group.slots) for name, group in found[0].groups.items()] if found else []
        )
    if "throttling.yml" in reader.files:
        rules = reader.form(RulesForm, "throttling.yml", reader.files["throttling.yml"])
        reader.rules = (
            [ThrottlingRule(name=name, **rule.model_dump()) for name, rule in rules[0].rules.items()]
            if rules
            else []
        )


def _read_file(reader: _Reader, path: str) -> None:
    place = PurePosixPath(path)
    if len(place.parts) != 2 or place.name.startswith("."):
        return
    text = reader.files[path]
    match place.parts[0], place.suffix:
        case "sources", ".yml" | ".yaml":
            _read_sources(reader, path, text)
        case "tables", ".sql":
            _read_table(reader, path, text)
        case "tables", ".yml" | ".yaml":
            _read_metrics(reader, path, text)
        case "tasks", ".sql" | ".py" | ".sh":
            _read_task(reader, path, text)
        case "tables" | "tasks" | "sources", _:
            expected = {"tables": ".sql or .yml", "tasks": ".sql, .py or .sh", "sources": ".yml"}[
                place.parts[0]
            ]
            reader.say(
                path,
                (1, 1),
                ProblemCode.SYNTAX,
                f"a file in {place.parts[0]}/ cannot be a {place.suffix or 'file without ending'}",
                f"name it {expected}",
            )


def _read_sources(reader: _Reader, path: str, text: str) -> None:
    found = reader.form(SourcesForm, path, text)
    if found is None:
        return
    form, document = found
    if form.schema_ == reader.project.name:
        reader.say(
            path,
            document.value_place("schema"),
            ProblemCode.RESERVED_FIELD,
            f"schema {form.schema_!r} is the project's name",
            "a source's schema may not equal a project's name: rename it, for example raw",
        )
    for name, source in form.tables.items():
        at = document.place(f"tables.{name}")
        given = [word for word in ("location", "table", "from_task") if getattr(source, word)]
        if len(given) != 1:
            said = "none is given" if not given else f"{' and '.join(given)} are given"
            reader.say(
                path,
                at,
                ProblemCode.SYNTAX,
                f"source {name!r} needs exactly one of location, table, from_task; {said}",
                "location: data/orders.parquet",
            )
            continue
        built = source_of(reader.project.name, form.schema_, name, source, reader.place(path), at)
        if isinstance(built, str):
            reader.say(
                path,
                at,
                ProblemCode.SYNTAX,
                built,
                "end the location in .parquet, .csv or .json, or add `format:`",
            )
        else:
            reader.sources.append(built)


def _sql_header(reader: _Reader, path: str, text: str) -> Header | None:
    header = sql_header(text)
    if header is None:
        reader.say(
            path,
            (1, 1),
            ProblemCode.SYNTAX,
            "there is no header",
            "begin the file with /* kind: fact ... key: [id] */, then one SELECT",
        )
    return header


def _read_table(reader: _Reader, path: str, text: str) -> None:
    header = _sql_header(reader, path, text)
    found = header and reader.form(TableForm, path, header.yaml, header.line, header.column)
    if not header or not found:
        return
    form, document = found
    _check_reserved(reader, path, document, [*form.key, *form.fields])
    _add(
        reader,
        path,
        form,
        document,
        kind=TaskKind.MODELING,
        table_kind=TableKind(form.kind),
        text=header.body,
        **table_values(form, document),
    )


def _check_reserved(reader: _Reader, path: str, document: Located, names: list[str]) -> None:
    for name in names:
        if name.lower() == "ds":
            at = (
                document.place(f"fields.{name}")
                if f"fields.{name}" in document.places
                else document.place("key")
            )
            reader.say(
                path,
                at,
                ProblemCode.RESERVED_FIELD,
                "a field may not be called ds",
                "ds is the partition every table has: leave it out",
            )


def _read_metrics(reader: _Reader, path: str, text: str) -> None:
    found = reader.form(MetricsForm, path, text)
    if found is None:
        return
    form, document = found
    _check_reserved(reader, path, document, [*form.key, *form.metrics])
    for name, metric in form.metrics.items():
        _check_metric(reader, path, document, form, name, metric.atomic, metric.filter)
        _check_owner(
            reader,
            path,
            document.value_place(f"metrics.{name}.owner"),
            metric.owner,
            bool(metric.project and metric.project != reader.project.name),
        )
    _add(
        reader,
        path,
        form,
        document,
        kind=TaskKind.MODELING,
        table_kind=TableKind.AGGREGATE,
        text=text,
        language="yaml",
        metrics=metrics_of(form, document),
        **table_values(form, document),
    )


def _check_metric(
    reader: _Reader, path: str, document: Located, form: MetricsForm, name: str, atomic: str, filter_: str
) -> None:
    for word, value, known in (("atomic", atomic, form.atomic), ("filter", filter_, form.filters)):
        if value and value not in known:
            reader.say(
                path,
                document.value_place(f"metrics.{name}.{word}"),
                ProblemCode.UNKNOWN_KEY,
                f"there is no {word} {value!r}",
                suggestion(value, list(known)),
            )


def _read_task(reader: _Reader, path: str, text: str) -> None:
    language = LANGUAGES[PurePosixPath(path).suffix]
    header = _sql_header(reader, path, text) if language == "sql" else script_header(text)
    if header is None:
        if language != "sql":
            reader.say(
                path,
                (1, 1),
                ProblemCode.SYNTAX,
                "there is no header",
                "begin the script with `# ---`, YAML in `# ` lines, and `# ---`",
            )
        return
    found = reader.form(TaskForm, path, header.yaml, header.line, header.column)
    if found is None:
        return
    form, document = found
    outputs = tuple(form.outputs) + ((form.output,) if form.output else ())
    if language == "sql" and (not form.output or form.outputs):
        reader.say(
            path,
            document.place("outputs" if form.outputs else "kind"),
            ProblemCode.SYNTAX,
            "a .sql task has one `output:`",
            "output: raw.orders",
        )
    for word, names in (("outputs", outputs), ("reads", tuple(form.reads))):
        for name in names:
            if not QUALIFIED.match(name):
                reader.say(
                    path,
                    document.value_place(word),
                    ProblemCode.SYNTAX,
                    f"{name!r} is not a table's name",
                    "write schema.table",
                )
    _add(
        reader,
        path,
        form,
        document,
        kind=TaskKind(form.kind),
        text=header.body,
        language=language,
        outputs=outputs,
        reads=tuple(form.reads),
    )


def _add(reader: _Reader, path: str, form: CommonForm, document: Located, **values: Any) -> None:
    """Check what all tasks share and keep the task."""
    stem = PurePosixPath(path).stem
    if not NAME.match(stem):
        reader.say(
            path,
            (1, 1),
            ProblemCode.SYNTAX,
            f"{stem!r} cannot be a table's or task's name",
            "letters, digits and _, beginning with a letter",
        )
        return
    _check_owner(reader, path, document.value_place("owner"), form.owner)
    known = {"default", *(group.name for group in reader.groups)}
    group = form.resource_group or reader.project.defaults.resource_group or "default"
    if group not in known:
        reader.say(
            path,
            document.value_place("resource_group"),
            ProblemCode.UNKNOWN_GROUP,
            f"there is no resource group {group!r}",
            suggestion(group, sorted(known)) or "declare it in resource_groups.yml",
        )
    common = common_values(reader.project, form, document)
    reader.tasks.append(
        TaskDefinition(
            name=f"{reader.project.name}.{stem}",
            project=reader.project.name,
            file=reader.place(path),
            **common,
            **values,
        )
    )


def _check_owner(reader: _Reader, path: str, at: tuple[int, int], owner: str, foreign: bool = False) -> None:
    """An owner must be listed, where the project lists any; another project's metrics answer to that project's list."""
    listed = [*reader.project.owners, *([reader.project.owner] if reader.project.owner else [])]
    if owner and reader.project.owners and owner not in listed and not foreign:
        reader.say(
            path,
            at,
            ProblemCode.UNKNOWN_OWNER,
            f"{owner!r} is not among the project's owners",
            suggestion(owner, listed),
        )


def _check_names(reader: _Reader) -> None:
    """Two files of one stem would be one task; two sources of one name one table."""
    seen: dict[str, str] = {}
    for task in reader.tasks:
        if task.name.lower() in seen:
            reader.problems.append(
                Problem(
                    task.file,
                    1,
                    1,
                    ProblemCode.DUPLICATE_OUTPUT,
                    f"{task.name} is already defined in {seen[task.name.lower()]}",
                    "rename one of the two files",
                )
            )
        seen.setdefault(task.name.lower(), task.file)
    tables: dict[str, SourceTable] = {}
    for source in reader.sources:
        other = tables.setdefault(source.name.lower(), source)
        if other is not source:
            reader.problems.append(
                Problem(
                    source.file,
                    source.line,
                    source.column,
                    ProblemCode.DUPLICATE_OUTPUT,
                    f"source {source.name} is already declared in {other.file}:{other.line}",
                    "keep one of the two",
                )
            )
