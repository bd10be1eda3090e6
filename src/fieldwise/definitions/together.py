"""What only shows when projects are seen together: two tasks filling one table, a source named like a project (spec 2)."""

from __future__ import annotations

from collections.abc import Sequence

from fieldwise.definitions.words import suggestion
from fieldwise.model.definition import ProjectDefinition, TaskDefinition
from fieldwise.model.errors import Problem, ProblemCode


def check_together(projects: Sequence[ProjectDefinition]) -> tuple[Problem, ...]:
    """Problems between tasks and sources of all projects of one warehouse; each is reported where it comes second."""
    found = {*_outputs(projects), *_schemas(projects), *_project_names(projects), *_foreign_owners(projects)}
    return tuple(sorted(found))


def _outputs(projects: Sequence[ProjectDefinition]) -> list[Problem]:
    seen: dict[str, TaskDefinition] = {}
    problems = []
    for project in projects:
        for task in project.tasks:
            for output in task.outputs:
                first = seen.setdefault(output.lower(), task)
                if first is not task:
                    line, column = task.position("output" if task.language == "sql" else "outputs")
                    message = f"{output} is already filled by {first.name} ({first.file})"
                    hint = "a table is filled by one task: write to another table, or leave it to that task"
                    problems.append(
                        Problem(task.file, line, column, ProblemCode.DUPLICATE_OUTPUT, message, hint)
                    )
    return problems


def _schemas(projects: Sequence[ProjectDefinition]) -> list[Problem]:
    names = {project.name.lower() for project in projects}
    problems = []
    for project in projects:
        for source in project.sources:
            schema = source.name.partition(".")[0]
            if schema.lower() in names and schema != project.name:
                message = f"schema {schema!r} is the name of a project"
                problems.append(
                    Problem(
                        source.file,
                        source.line,
                        source.column,
                        ProblemCode.RESERVED_FIELD,
                        message,
                        "rename it, for example raw",
                    )
                )
    return problems


def _project_names(projects: Sequence[ProjectDefinition]) -> list[Problem]:
    seen: dict[str, str] = {}
    problems = []
    for project in projects:
        first = seen.setdefault(project.name.lower(), project.file)
        if first != project.file:
            message = f"project {project.name!r} is already defined in {first}"
            problems.append(
                Problem(
                    project.file,
                    1,
                    1,
                    ProblemCode.DUPLICATE_OUTPUT,
                    message,
                    "give one of the two another name",
                )
            )
    return problems


def _foreign_owners(projects: Sequence[ProjectDefinition]) -> list[Problem]:
    """A metric of another project is owned by somebody of that project's list."""
    lists = {project.name: {*project.owners, project.owner} - {""} for project in projects if project.owners}
    problems = []
    for project in projects:
        for task in project.tasks:
            for metric in task.metrics.metrics if task.metrics is not None else ():
                listed = lists.get(metric.project or project.name, set())
                if metric.project in ("", project.name) or not metric.owner or not listed:
                    continue
                if metric.owner not in listed:
                    place = task.position(f"metrics.{metric.name}.owner")
                    message = f"{metric.owner!r} is not among the owners of project {metric.project}"
                    hint = suggestion(metric.owner, sorted(listed))
                    problems.append(Problem(task.file, *place, ProblemCode.UNKNOWN_OWNER, message, hint))
    return problems
