"""Aggregate tables declared by metrics: one SELECT for each source, span and project (spec 2)."""

from __future__ import annotations

from collections.abc import Mapping

from fieldwise.compiler.catalogue import Catalogue
from fieldwise.compiler.problems import Problems
from fieldwise.model.definition import ProjectDefinition, TaskDefinition
from fieldwise.model.plan import CompiledTask


def compile_metrics(
    definition: TaskDefinition, project: ProjectDefinition, catalogue: Catalogue, projects: Mapping[str, ProjectDefinition],
    problems: Problems,
) -> CompiledTask | None:  # fmt: skip
    raise NotImplementedError
