"""Checks projects: reads, orders and compiles them, asks an engine for types, and reports all mistakes at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

from fieldwise.compiler import Catalogue, compile_task, fingerprint, order
from fieldwise.definitions.together import check_together
from fieldwise.model.definition import Parameter, ProjectDefinition, SourceFormat, SourceTable, TaskDefinition
from fieldwise.model.errors import DefinitionsInvalid, EngineRefused, Problem, ProblemCode
from fieldwise.model.plan import CompiledTask, Publication
from fieldwise.model.status import Environment, TaskKind
from fieldwise.ports.engine import TableShape
from fieldwise.usecases.parameters import project_values
from fieldwise.usecases.read_project import read_project

Columns = tuple[tuple[str, str], ...]
ENGINE_PREFIX = re.compile(r"^(?:\w+ )?Error: ")
QUOTED = re.compile(r"'([^']+)'|\"([^\"]+)\"|function (\w+)|name (\w+)")
ROUNDS = 8  # a table that reads itself is described until its types repeat
SAMPLE = datetime(2026, 1, 2, tzinfo=UTC)


class Sources(Protocol):
    """Reads the columns of sources. Raises EngineRefused."""

    def source_columns(self, folder: str, source: SourceTable) -> Columns: ...


class Types(Protocol):
    """An engine of empty tables that says which types a query has. Raises EngineRefused."""

    def create_empty(self, shape: TableShape) -> None: ...

    def describe(self, sql: str, parameters: Mapping[str, object] | None = None) -> Columns: ...


@dataclass(frozen=True, slots=True)
class Checked:
    """All problems, sorted, and what would be published: complete only if there are none."""

    problems: tuple[Problem, ...]
    candidates: tuple[Publication, ...]

    def valid(self) -> Checked:
        """Itself, or DefinitionsInvalid."""
        if self.problems:
            raise DefinitionsInvalid(self.problems)
        return self


def check(
    folders: Sequence[Path],
    sources: Sources,
    types: Types,
    active: Iterable[Publication],
    environment: Environment = Environment.PROD,
) -> Checked:
    """Compile the projects in `folders`. What other projects have published may be referred to."""
    checker = _Checker(sources, types, list(active), environment)
    checker.read(folders)
    checker.compile()
    return Checked(tuple(sorted(set(checker.problems))), tuple(checker.candidates()))


class _Checker:
    """One check: the catalogue grows table by table in topological order."""

    def __init__(
        self, sources: Sources, types: Types, active: list[Publication], environment: Environment
    ) -> None:
        self._sources = sources
        self._types = types
        self._environment = environment
        self._active = active
        self._published = {task.name: task for publication in active for task in publication.tasks}
        self._projects: dict[str, ProjectDefinition] = {}
        self._typed_folders: dict[str, str] = {}
        self._tasks: dict[str, CompiledTask] = {}
        self._catalogue = Catalogue()
        self.problems: list[Problem] = []

    # -- from disk

    def read(self, folders: Sequence[Path]) -> None:
        for folder in folders:
            project, problems = read_project(folder)
            self.problems += problems
            if project is not None:
                self._typed_folders[project.name] = str(folder)
                self._projects[project.name] = self._with_columns(project)
        for publication in self._active:
            if publication.project.name not in self._projects:
                self._take_published(publication)
        for project in self._projects.values():
            self._catalogue.add_project(project)
            for source in project.sources:
                self._create(source.name, source.columns)

    def _take_published(self, publication: Publication) -> None:
        self._catalogue.add_project(publication.project)
        for task in publication.tasks:
            self._catalogue.add_task(task)
            self._create_table(task)

    def _with_columns(self, project: ProjectDefinition) -> ProjectDefinition:
        return replace(project, sources=tuple(self._read_columns(project, one) for one in project.sources))

    def _read_columns(self, project: ProjectDefinition, source: SourceTable) -> SourceTable:
        try:
            return replace(source, columns=self._sources.source_columns(project.folder, source))
        except EngineRefused as error:
            if self._filled_by_sql(project, source):
                return (
                    source  # its columns are those of the task's SELECT, known as soon as that is described
                )
            if source.format is SourceFormat.FROM_TASK:
                hint = "declare its columns: the task that fills it has not run yet"
            else:
                hint = error.hint or "check the location, or declare its columns"
            where = (source.file, source.line, source.column)
            message = f"source {source.name} cannot be read: {error.message.splitlines()[0]}"
            self.problems.append(Problem(*where, ProblemCode.SOURCE_UNREADABLE, message, hint))
            return source

    @staticmethod
    def _filled_by_sql(project: ProjectDefinition, source: SourceTable) -> bool:
        return any(
            task.name == source.from_task and task.language == "sql" and source.name in task.outputs
            for task in project.tasks
        )

    def _learn_output(self, task: CompiledTask) -> None:
        """A source without columns that a SQL task fills has the columns of its SELECT."""
        project = self._projects[task.definition.project]
        unknown = [one for one in project.sources if not one.columns and one.from_task == task.name]
        if not unknown or not task.sql:
            return
        values = sample_values(project.parameters)
        try:
            found = self._types.describe(
                task.sql, {name: values[name] for name in task.parameters if name in values}
            )
        except EngineRefused as error:
            self.problems.append(_refused(task.definition, error))
            return
        columns = (("ds", task.partition_type), *(one for one in found if one[0].lower() != "ds"))
        learned = {one.name: replace(one, columns=columns) for one in unknown}
        self._projects[project.name] = replace(
            project, sources=tuple(learned.get(one.name, one) for one in project.sources)
        )
        for one in learned.values():
            self._catalogue.add_source(one)
            self._create(one.name, one.columns)

    # -- compiling

    def compile(self) -> None:
        projects, others = tuple(self._projects.values()), self._other_projects()
        self.problems += check_together((*projects, *others))
        ordered, problems = order(projects, others)
        self.problems += problems
        declared = {task.name: task for project in self._projects.values() for task in project.tasks}
        for name in ordered:
            self._compile_one(declared[name], self._projects[declared[name].project])

    def _other_projects(self) -> tuple[ProjectDefinition, ...]:
        """What the home has published beside the projects looked at, with their tasks."""
        return tuple(
            replace(publication.project, tasks=tuple(task.definition for task in publication.tasks))
            for publication in self._active
            if publication.project.name not in self._projects
        )

    def _compile_one(self, definition: TaskDefinition, project: ProjectDefinition) -> None:
        kept = self._as_kept(definition)
        digest = fingerprint(kept, project, self._catalogue)
        task = self._unchanged(kept, digest)
        if task is None:
            compiled, problems = compile_task(definition, project, self._catalogue, self._projects)
            self.problems += [one for one in problems if not self._follows(one)]
            task = self._typed(compiled, project) if compiled is not None else None
        if task is not None:
            task = replace(task, definition=kept, fingerprint=digest)
            self._tasks[task.name] = task
            self._catalogue.add_task(task)
            self._create_table(task)
            if definition.language == "sql" and definition.outputs:
                self._learn_output(task)

    def _follows(self, problem: Problem) -> bool:
        """A table that is defined but could not be compiled has its own problem; whoever reads it is not to blame."""
        if problem.code is not ProblemCode.UNKNOWN_TABLE:
            return False
        missing = problem.message.removeprefix("there is no table ").lower()
        return any(
            task.name.lower() == missing for project in self._projects.values() for task in project.tasks
        )

    def _as_kept(self, definition: TaskDefinition) -> TaskDefinition:
        """As a version keeps it: the same whatever words the user named the folder with."""
        return replace(definition, file=self._inside(definition.project, definition.file), positions=())

    def _inside(self, project: str, file: str) -> str:
        return file.removeprefix(self._typed_folders.get(project, "").rstrip("/") + "/")

    def _unchanged(self, kept: TaskDefinition, digest: str) -> CompiledTask | None:
        """What is published, if it would compile to the same."""
        known = self._published.get(kept.name)
        return known if known is not None and known.fingerprint == digest else None

    def _typed(self, task: CompiledTask, project: ProjectDefinition) -> CompiledTask | None:
        """With the engine's column types; a type error becomes a problem of the file."""
        if task.definition.kind is not TaskKind.MODELING:
            return task
        values = sample_values(project.parameters)
        try:
            for _ in range(ROUNDS):
                described = self._describe(task, values)
                typed = task.with_types(described)
                if typed == task:
                    return typed
                task = typed
                if not _reads_itself(task):
                    return task
                self._create_table(task)
        except EngineRefused as error:
            self.problems.append(_refused(task.definition, error))
            return None
        return task

    def _describe(self, task: CompiledTask, values: Mapping[str, object]) -> dict[str, str]:
        if _reads_itself(task):
            self._create_table(task)
        if task.sql:
            statements = [(task.sql, task.parameters)]
        else:
            statements = [(node.sql, node.parameters) for node in task.nodes if node.sql]
        found: dict[str, str] = {}
        for sql, parameters in statements:
            columns = self._types.describe(sql, {name: values[name] for name in parameters if name in values})
            found |= dict(columns)
        return _spelled(task, found)

    def _create_table(self, task: CompiledTask) -> None:
        """Columns of unknown type are created as integers, which NULL fits."""
        if task.definition.kind is TaskKind.MODELING:
            columns = tuple((field.name, field.type or "INTEGER") for field in task.fields)
            self._types.create_empty(TableShape(task.name, task.partition_type, columns, task.key))

    def _create(self, relation: str, columns: Columns) -> None:
        """A source as an empty table; where it has a column `ds`, that is its own."""
        declared = {name.lower(): kind for name, kind in columns}
        rest = tuple((name, kind) for name, kind in columns if name.lower() != "ds")
        if columns:
            self._types.create_empty(TableShape(relation, declared.get("ds", "DATE"), rest, ()))

    # -- the result

    def candidates(self) -> list[Publication]:
        return [self._candidate(project) for project in self._projects.values()]

    def _candidate(self, project: ProjectDefinition) -> Publication:
        tasks = tuple(task for task in self._tasks.values() if task.definition.project == project.name)
        sources = tuple(replace(one, file=self._inside(project.name, one.file)) for one in project.sources)
        file = self._inside(project.name, project.file)
        bare = replace(project, tasks=(), sources=sources, file=file)
        digest = hashlib.sha256(repr(bare).encode())
        for task in tasks:
            digest.update(task.fingerprint.encode() + b"\0")
        return Publication(bare, tasks, self._environment, fingerprint=digest.hexdigest())


def sample_values(parameters: Sequence[Parameter]) -> dict[str, object]:
    """Values of the right types for every parameter, only to have a query described."""
    instant = SAMPLE.replace(tzinfo=None)
    instants = dict.fromkeys(("scheduled_at", "slot_start", "slot_end", "day_start", "day_end"), instant)
    return {"data_date": date(2026, 1, 1), **instants, **project_values(parameters)}


def _reads_itself(task: CompiledTask) -> bool:
    return any(dependency.task == task.name for node in task.nodes for dependency in node.upstream)


def _spelled(task: CompiledTask, types: Mapping[str, str]) -> dict[str, str]:
    """Types by the field names as the user spelled them; the engine folds case."""
    folded = {name.lower(): kind for name, kind in types.items()}
    return {field.name: folded[field.name.lower()] for field in task.fields if field.name.lower() in folded}


def _refused(definition: TaskDefinition, error: EngineRefused) -> Problem:
    """The engine's complaint about a rendered statement, in one sentence, where the user wrote what it names."""
    said = ENGINE_PREFIX.sub("", error.message.strip().splitlines()[0]).strip()
    where = (definition.file, *_place(definition.text, said))
    return Problem(*where, ProblemCode.UNSUPPORTED, said, error.hint or "correct the expression")


def _place(text: str, said: str) -> tuple[int, int]:
    """Line and column of the first thing the engine names that stands in the SQL; else of its first line."""
    for quoted in QUOTED.findall(said):
        name = next(part for part in quoted if part).partition("(")[0].strip()
        pattern = rf"(?<!\w){re.escape(name)}(?!\w)" if name[-1:].isalnum() else re.escape(name)
        found = re.search(pattern, text, re.IGNORECASE) if name else None
        if found is not None:
            before = text[: found.start()]
            return before.count("\n") + 1, found.start() - (before.rfind("\n") + 1) + 1
    lines = text.splitlines()
    line = next((number for number, content in enumerate(lines, 1) if content.strip()), 1)
    return line, (len(lines[line - 1]) - len(lines[line - 1].lstrip()) + 1 if lines else 1)
