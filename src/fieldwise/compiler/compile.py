"""What a task becomes: nodes, fields, dependencies and lineage, or all that is wrong with it."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from fieldwise.compiler.catalogue import Catalogue
from fieldwise.compiler.dialects import dialect_of
from fieldwise.compiler.draft import Draft
from fieldwise.compiler.emit import placeholders_of
from fieldwise.compiler.fingerprint import fingerprint
from fieldwise.compiler.metrics import compile_metrics
from fieldwise.compiler.parse import parameter_types
from fieldwise.compiler.problems import Problems
from fieldwise.compiler.rules import RULES
from fieldwise.compiler.scripts import compile_script, partition_type_of
from fieldwise.model.definition import ProjectDefinition, TaskDefinition
from fieldwise.model.errors import Problem
from fieldwise.model.plan import CompiledTask

__all__ = ["RULES", "compile_task", "planning"]


@contextmanager
def planning() -> Iterator[None]:
    """Compile many tasks without the cycle collector, which takes longer than the planning (nothing is kept in cycles)."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def compile_task(
    definition: TaskDefinition,
    project: ProjectDefinition,
    catalogue: Catalogue,
    projects: Mapping[str, ProjectDefinition] | None = None,
) -> tuple[CompiledTask | None, tuple[Problem, ...]]:
    """The compiled task, and every problem found; None if there is any.

    `catalogue` has everything the task reads (see order.py). `projects`: by name, the projects that metrics may
    belong to; the task's own need not be among them. Column types are "" where only the engine knows them: ask it
    to describe `CompiledTask.sql`, use `with_types`, and add the result to the catalogue before the next task.
    """
    problems = Problems(definition)
    with planning():
        compiled = _compiled(definition, project, catalogue, dict(projects or {}), problems)
    if problems.found or compiled is None:
        return None, problems.sorted()
    return replace(compiled, fingerprint=fingerprint(definition, project, catalogue)), ()


def _compiled(
    definition: TaskDefinition,
    project: ProjectDefinition,
    catalogue: Catalogue,
    projects: dict[str, ProjectDefinition],
    problems: Problems,
) -> CompiledTask | None:
    if definition.metrics is not None:
        return compile_metrics(definition, project, catalogue, projects, problems)
    if definition.language != "sql":
        return compile_script(definition, project, catalogue, problems)
    draft = Draft(
        definition=definition, project=project, catalogue=catalogue, types=parameter_types(project.parameters),
        dialect=dialect_of(project.engine), engine=dialect_of(project.engine),
        partition_type=partition_type_of(definition), problems=problems, text=definition.text,
    )  # fmt: skip
    for rule in RULES:
        rule(draft)
        if draft.stopped:
            return None
    return CompiledTask(
        definition=definition, nodes=tuple(draft.nodes), fields=tuple(draft.fields),
        sql=draft.sql, parameters=placeholders_of(draft.sql), lineage=draft.lineage, partition_type=draft.partition_type,
        warnings=tuple(draft.warnings), cuts=draft.cuts,
    )  # fmt: skip
