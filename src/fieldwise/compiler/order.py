"""In which order tasks are compiled: what is read before its readers; cycles and unknown names of headers are problems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from fieldwise.compiler.references import references_of
from fieldwise.model.definition import ProjectDefinition, SourceTable, TaskDefinition
from fieldwise.model.errors import Problem, ProblemCode


@dataclass(slots=True)
class _Names:
    """Everything that can be named: tasks by folded name, sources by project and folded name."""

    tasks: dict[str, TaskDefinition] = field(default_factory=dict)
    published: dict[str, TaskDefinition] = field(default_factory=dict)
    sources: dict[tuple[str, str], SourceTable] = field(default_factory=dict)


def order(
    projects: Sequence[ProjectDefinition], published: Iterable[ProjectDefinition] = ()
) -> tuple[list[str], tuple[Problem, ...]]:
    """Full names of all tasks of `projects`, each after what it reads (ties by name), and problems.

    `published`: other projects with their tasks, which may be read and are in force already. Tasks of a cycle and
    below it are still listed, so that their other problems are found. Tables that SQL names and that do not exist are
    said by `compile_task`, which knows the exact place; here: tasks that sources name.
    """
    names = _Names()
    for project in projects:
        names.tasks.update((task.name.lower(), task) for task in project.tasks)
        names.sources.update(((project.name, source.name.lower()), source) for source in project.sources)
    own = {project.name for project in projects}
    others = [project for project in published if project.name not in own]
    names.published = {task.name.lower(): task for project in others for task in project.tasks}
    by_project = {project.name: project for project in projects}
    reads = {folded: _reads(task, by_project[task.project], names) for folded, task in names.tasks.items()}
    sequence, cycles = _topological(reads)
    problems = [_cycle_problem(cycle, names, reads) for cycle in cycles]
    problems += _unknown_tasks(names)
    return [names.tasks[folded].name for folded in sequence], tuple(sorted(problems))


def _reads(task: TaskDefinition, project: ProjectDefinition, names: _Names) -> list[str]:
    """Folded names of the tasks of this batch that a task reads, itself left out."""
    found: set[str] = set()
    for name in references_of(task, project):
        source = names.sources.get((task.project, name))
        upstream = source.from_task.lower() if source is not None else name
        if upstream in names.tasks and upstream != task.name.lower():
            found.add(upstream)
    return sorted(found)


def _topological(reads: Mapping[str, Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """All names, upstream first, and one path for each cycle that was met. Depth does not recurse."""
    state: dict[str, int] = {}
    sequence: list[str] = []
    cycles: list[list[str]] = []
    for start in sorted(reads):
        path: list[str] = []
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            name, done = stack.pop()
            if done:
                state[name] = 2
                path.pop()
                sequence.append(name)
            elif state.get(name) == 1:
                cycles.append([*path[path.index(name) :], name])
            elif name not in state:
                state[name] = 1
                path.append(name)
                stack.append((name, True))
                stack += [(upstream, False) for upstream in reversed(reads[name]) if state.get(upstream) != 2]
    return sequence, cycles


def _cycle_problem(cycle: Sequence[str], names: _Names, reads: Mapping[str, Sequence[str]]) -> Problem:
    """Said at the first task of the path, at the place where it names the next."""
    first, second = names.tasks[cycle[0]], cycle[1]
    line, column = _place(first, second, names)
    path = " -> ".join(names.tasks[name].name for name in cycle)
    return Problem(
        first.file, line, column, ProblemCode.CYCLE, f"tables read each other in a circle: {path}",
        "break the circle: read an earlier day of the table itself, or move a field to a table of its own",
    )  # fmt: skip


def _place(task: TaskDefinition, upstream: str, names: _Names) -> tuple[int, int]:
    """Where a task names what it reads: in its text, else in its header."""
    spellings = [upstream]
    spellings += [
        source
        for (owner, source), found in names.sources.items()
        if owner == task.project and found.from_task.lower() == upstream
    ]
    for spelling in spellings:
        position = task.text.lower().find(spelling) if task.language == "sql" else -1
        if position >= 0:
            before = task.text[:position]
            return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1
    if task.metrics is not None:
        for atomic in task.metrics.atomic:
            if atomic.source.lower() in spellings:
                return atomic.line, atomic.column
    return task.position("reads")


def _unknown_tasks(names: _Names) -> list[Problem]:
    """Sources that are filled by a task nobody declares."""
    known = {
        **{key: task.name for key, task in names.tasks.items()},
        **{key: task.name for key, task in names.published.items()},
    }
    problems: list[Problem] = []
    for source in names.sources.values():
        if source.from_task and source.from_task.lower() not in known:
            near = get_close_matches(source.from_task.lower(), list(known), n=1)
            hint = f'did you mean "{known[near[0]]}"?' if near else "name a task as project.task"
            problems.append(
                Problem(
                    source.file,
                    source.line,
                    source.column,
                    ProblemCode.UNKNOWN_TABLE,
                    f"there is no task {source.from_task}",
                    hint,
                )
            )
    return problems
