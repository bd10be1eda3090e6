"""Reads a project: the text of its files -> a ProjectDefinition, and all mistakes of all files at once (spec 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any
from zoneinfo import available_timezones

from fieldwise.definitions.convert import (
    common_values,
    defaults_of,
    metrics_of,
    parameters_of,
    source_of,
    table_values,
)
from fieldwise.definitions.header import Header, cut_by_comment_end, script_header, sql_header
from fieldwise.definitions.located import Located, read_yaml, shortened
from fieldwise.definitions.schemas import (
    QUALIFIED,
    CommonForm,
    GroupsForm,
    MetricForm,
    MetricsForm,
    ProjectForm,
    RulesForm,
    SourcesForm,
    TableForm,
    TaskForm,
)
from fieldwise.definitions.validate import FormType, validate
from fieldwise.definitions.words import NAME, NAME_LENGTH, Unreadable, suggestion
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
PARAMETERS_OF_SLOTS = {"data_date", "scheduled_at", "slot_start", "slot_end", "day_start", "day_end"}
EXPECTED = {"tables": ".sql or .yml", "tasks": ".sql, .py or .sh", "sources": ".yml"}


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
    group_names: set[str] = field(default_factory=lambda: {"default"})
    """Also of groups that are written wrongly: who names one of them makes no mistake."""

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
                "there is nothing here"
                if document.value is None
                else "this should be a mapping of keys to values",
                f"begin with `{kind.model_json_schema()['required'][0]}:`",
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
        other = "rename project.yaml" if "project.yaml" in files else "a project needs one"
        hint = f"{other}: `fieldwise init` writes one"
        reader.say("project.yml", (1, 1), ProblemCode.SYNTAX, "there is no project.yml", hint)
        return None, tuple(reader.problems)
    found = reader.form(ProjectForm, "project.yml", files["project.yml"])
    if found is not None:
        reader.project = found[0]
        _check_project(reader, found[1])
    _read_limits(reader)
    if found is not None:
        _check_default_group(reader, found[1])
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
    known = available_timezones()
    if zone not in known:
        at = document.value_place("timezone")
        hint = suggestion(zone, sorted(known)) or "an IANA name such as Europe/Berlin"
        reader.say("project.yml", at, ProblemCode.SYNTAX, f"unknown time zone {zone!r}", hint)
        reader.project = reader.project.model_copy(update={"timezone": "UTC"})
    for name in reader.project.params:
        if name.lower() in PARAMETERS_OF_SLOTS:
            at = document.place(f"params.{name}")
            message = f"parameter {name!r} has every slot already"
            reader.say("project.yml", at, ProblemCode.RESERVED_FIELD, message, "give it another name")


def _check_default_group(reader: _Reader, document: Located) -> None:
    """Said once where the default stands, not at every task that takes it."""
    group = reader.project.defaults.resource_group
    if group and group not in reader.group_names:
        _unknown_group(reader, "project.yml", document.value_place("defaults.resource_group"), group)
        defaults = reader.project.defaults.model_copy(update={"resource_group": None})
        reader.project = reader.project.model_copy(update={"defaults": defaults})


def _unknown_group(reader: _Reader, path: str, at: tuple[int, int], group: str) -> None:
    hint = suggestion(group, sorted(reader.group_names))
    hint = hint if hint.startswith("did you") else "declare it in resource_groups.yml"
    reader.say(path, at, ProblemCode.UNKNOWN_GROUP, f"there is no resource group {group!r}", hint)


def _read_limits(reader: _Reader) -> None:
    """Resource groups and throttling rules come first: tasks name them."""
    if "resource_groups.yml" in reader.files:
        found = reader.form(GroupsForm, "resource_groups.yml", reader.files["resource_groups.yml"])
        if found:
            reader.groups = [ResourceGroup(name, group.slots) for name, group in found[0].groups.items()]
            reader.group_names |= _written(found[1], "groups")
    if "throttling.yml" in reader.files:
        rules = reader.form(RulesForm, "throttling.yml", reader.files["throttling.yml"])
        reader.rules = (
            [ThrottlingRule(name=name, **rule.model_dump()) for name, rule in rules[0].rules.items()]
            if rules
            else []
        )
    if "baselines.yml" in reader.files:
        message = "baselines are not supported by this version"
        reader.say("baselines.yml", (1, 1), ProblemCode.UNSUPPORTED, message, "remove the file")


def _written(document: Located, word: str) -> set[str]:
    """The keys of a mapping as written, right or wrong."""
    inside = document.value.get(word)
    return set(inside) if isinstance(inside, dict) else set()


def _read_file(reader: _Reader, path: str) -> None:
    place = PurePosixPath(path)
    if len(place.parts) < 2 or any(part.startswith(".") for part in place.parts):
        return
    if len(place.parts) > 2:
        if place.parts[0] in ("tables", "sources"):
            message = f"files lie directly in {place.parts[0]}/"
            reader.say(path, (1, 1), ProblemCode.SYNTAX, message, f"move it to {place.parts[0]}/{place.name}")
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
            message = f"a file in {place.parts[0]}/ cannot be a {place.suffix or 'file without ending'}"
            reader.say(path, (1, 1), ProblemCode.SYNTAX, message, f"name it {EXPECTED[place.parts[0]]}")


def _read_sources(reader: _Reader, path: str, text: str) -> None:
    found = reader.form(SourcesForm, path, text)
    if found is None:
        return
    form, document = found
    if form.schema_.lower() == reader.project.name.lower():
        reader.say(
            path,
            document.value_place("schema"),
            ProblemCode.RESERVED_FIELD,
            f"schema {form.schema_!r} is the project's name",
            "a source's schema may not equal a project's name: rename it, for example raw",
        )
    for name, source in form.tables.items():
        at = document.place(f"tables.{name}")
        for word in ("key", "columns"):
            _check_twice(reader, path, document, word, list(getattr(source, word)), f"tables.{name}.")
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


def _header(reader: _Reader, path: str, text: str, language: str) -> Header | None:
    try:
        return sql_header(text) if language == "sql" else script_header(text)
    except Unreadable as error:
        reader.say(path, (1, 1), ProblemCode.SYNTAX, error.message, error.hint)
        return None


def _header_form(
    reader: _Reader, kind: type[FormType], path: str, header: Header, language: str
) -> tuple[FormType, Located] | None:
    before = len(reader.problems)
    found = reader.form(kind, path, header.yaml, header.line, header.column)
    if found is None and language == "sql" and cut_by_comment_end(header):
        [problem, *_] = reader.problems[before:]
        hint = 'the "*/" of a cron step ends the comment: write {period: minute, every: 5} or list the times'
        reader.problems[before:] = [replace(problem, code=ProblemCode.BAD_SCHEDULE, hint=hint)]
    return found


def _read_table(reader: _Reader, path: str, text: str) -> None:
    header = _header(reader, path, text, "sql")
    found = header and _header_form(reader, TableForm, path, header, "sql")
    if not header or not found:
        return
    form, document = found
    _check_fields(reader, path, document, form)
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


def _check_fields(reader: _Reader, path: str, document: Located, form: TableForm | MetricsForm) -> None:
    _check_reserved(reader, path, document, "key", form.key)
    _check_twice(reader, path, document, "key", form.key)
    for word in ("fields", "metrics", "columns"):
        names = list(getattr(form, word, ()))
        _check_reserved(reader, path, document, word, names)
        _check_twice(reader, path, document, word, names)


def _place_of(
    document: Located, word: str, names: list[str], number: int, prefix: str = ""
) -> tuple[int, int]:
    """Where a name of a mapping or a list stands."""
    by_name = f"{prefix}{word}.{names[number]}"
    return document.place(by_name if by_name in document.places else f"{prefix}{word}.{number}")


def _check_reserved(reader: _Reader, path: str, document: Located, word: str, names: list[str]) -> None:
    for number, name in enumerate(names):
        if name.lower() == "ds":
            at = _place_of(document, word, names, number)
            hint = "ds is the partition every table has: leave it out"
            reader.say(path, at, ProblemCode.RESERVED_FIELD, "a field may not be called ds", hint)


def _check_twice(
    reader: _Reader, path: str, document: Located, word: str, names: list[str], prefix: str = ""
) -> None:
    """SQL does not tell Amount from amount."""
    seen: set[str] = set()
    for number, name in enumerate(names):
        if name.lower() in seen:
            at = _place_of(document, word, names, number, prefix)
            reader.say(
                path, at, ProblemCode.DUPLICATE_FIELD, f"{name!r} stands in `{word}` twice", "keep one"
            )
        seen.add(name.lower())


def _read_metrics(reader: _Reader, path: str, text: str) -> None:
    found = reader.form(MetricsForm, path, text)
    if found is None:
        return
    form, document = found
    _check_fields(reader, path, document, form)
    _check_notes(reader, path, document, form)
    for name, metric in form.metrics.items():
        _check_metric(reader, path, document, name, metric)
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


def _check_notes(reader: _Reader, path: str, document: Located, form: MetricsForm) -> None:
    """`fields:` of a metrics table can say something of key fields and metrics only."""
    known = [*form.key, *form.metrics]
    folded = {name.lower() for name in known}
    for name in form.fields:
        if name.lower() not in folded:
            at = document.place(f"fields.{name}")
            reader.say(
                path, at, ProblemCode.UNKNOWN_COLUMN, f"there is no field {name}", suggestion(name, known)
            )


def _check_metric(reader: _Reader, path: str, document: Located, name: str, metric: MetricForm) -> None:
    for word, value, named in (("atomic", metric.atomic, "atomic"), ("filter", metric.filter, "filters")):
        known = _written(document, named)
        if value and value not in known:
            at = document.value_place(f"metrics.{name}.{word}")
            message, hint = f"there is no {word} {value!r}", suggestion(value, sorted(known))
            reader.say(path, at, ProblemCode.UNKNOWN_KEY, message, hint or f"declare it in `{named}:`")


def _read_task(reader: _Reader, path: str, text: str) -> None:
    language = LANGUAGES[PurePosixPath(path).suffix]
    header = _header(reader, path, text, language)
    found = header and _header_form(reader, TaskForm, path, header, language)
    if not header or not found:
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
    _check_tables(reader, path, document, "outputs" if form.outputs else "output", list(outputs))
    _check_tables(reader, path, document, "reads", form.reads)
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


def _check_tables(reader: _Reader, path: str, document: Located, word: str, names: list[str]) -> None:
    seen: set[str] = set()
    for number, name in enumerate(names):
        at = document.value_place(f"{word}.{number}")
        if not QUALIFIED.match(name):
            reader.say(path, at, ProblemCode.SYNTAX, f"{name!r} is not a table's name", "write schema.table")
        elif name.lower() in seen:
            code = ProblemCode.DUPLICATE_OUTPUT if word == "outputs" else ProblemCode.SYNTAX
            reader.say(path, at, code, f"{name} stands in `{word}` twice", "keep one")
        seen.add(name.lower())


def _add(reader: _Reader, path: str, form: CommonForm, document: Located, **values: Any) -> None:
    """Check what all tasks share and keep the task."""
    stem = PurePosixPath(path).stem
    if not NAME.match(stem) or len(stem) > NAME_LENGTH:
        message = f"{shortened(stem)!r} cannot be a table's or task's name"
        hint = f"letters, digits and _, beginning with a letter, at most {NAME_LENGTH}"
        reader.say(path, (1, 1), ProblemCode.SYNTAX, message, hint)
        return
    _check_owner(reader, path, document.value_place("owner"), form.owner)
    if form.resource_group and form.resource_group not in reader.group_names:
        _unknown_group(reader, path, document.value_place("resource_group"), form.resource_group)
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
    listed = list(dict.fromkeys(name for name in (*reader.project.owners, reader.project.owner) if name))
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
