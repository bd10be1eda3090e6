"""A project in a few lines of text, for the tests of reading."""

from __future__ import annotations

from collections.abc import Mapping

from fieldwise.definitions.load import load_project
from fieldwise.model.definition import ProjectDefinition, TaskDefinition
from fieldwise.model.errors import Problem

PROJECT = "name: retail\ntimezone: Asia/Shanghai\nowners: [ana, li]\n"
FACT = "kind: fact\nkey: [id]\n"


def read(
    files: Mapping[str, str], project: str = PROJECT
) -> tuple[ProjectDefinition | None, tuple[Problem, ...]]:
    return load_project({"project.yml": project, **files}, "/there/retail", "retail")


def problems_of(files: Mapping[str, str], project: str = PROJECT) -> list[str]:
    """Each problem as `file:line:column code`."""
    return [f"{one.file}:{one.line}:{one.column} {one.code}" for one in read(files, project)[1]]


def header(yaml: str, kind: str = FACT) -> dict[str, str]:
    """A table `t` whose header is `kind`, then `yaml` from line 4 on."""
    return {"tables/t.sql": f"/*\n{kind}{yaml}\n*/\nSELECT 1 AS id\n"}


def task_of(files: Mapping[str, str], project: str = PROJECT) -> TaskDefinition:
    """The only task of a project without problems."""
    found, problems = read(files, project)
    assert not problems
    assert found is not None
    [task] = found.tasks
    return task


def messages(files: Mapping[str, str], project: str = PROJECT) -> str:
    return "\n".join(f"{one.message} | {one.hint}" for one in read(files, project)[1])
