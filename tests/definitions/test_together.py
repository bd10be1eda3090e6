"""Mistakes that only show when several projects are seen together."""

from __future__ import annotations

from project_texts import read

from fieldwise.definitions.together import check_together
from fieldwise.model.definition import ProjectDefinition


def project(name: str, files: dict[str, str], more: str = "") -> ProjectDefinition:
    found, problems = read(files, f"name: {name}\n{more}")
    assert found is not None
    assert not problems
    return found


def fills(output: str) -> dict[str, str]:
    return {"tasks/load.py": f"# ---\n# kind: integration\n# outputs: [{output}]\n# ---\n"}


def found(*projects: ProjectDefinition) -> list[str]:
    return [f"{one.line}:{one.column} {one.code}: {one.message}" for one in check_together(projects)]


def test_two_projects_that_fill_one_table_are_told_at_the_second() -> None:
    [said] = found(project("retail", fills("raw.orders")), project("growth", fills("RAW.orders")))
    assert said.startswith("3:3 duplicate_output: RAW.orders is already filled by retail.load")


def test_a_table_that_one_task_fills_is_fine() -> None:
    assert not found(project("retail", fills("raw.orders")), project("growth", fills("raw.visits")))


def test_a_source_may_not_have_another_projects_name_for_its_schema() -> None:
    sources = {"sources/a.yml": "schema: growth\ntables: {orders: {location: a.csv}}\n"}
    [said] = found(project("retail", sources), project("Growth", {}))
    assert said.startswith("2:10 reserved_field")


def test_two_projects_may_not_have_one_name() -> None:
    from dataclasses import replace

    first = project("retail", {})
    [said] = found(first, replace(first, file="other/project.yml"))
    assert "already defined in retail/project.yml" in said


def test_a_metric_of_another_project_is_owned_by_somebody_there() -> None:
    metrics = """\
key: [c]
atomic: {pay: {from: retail.t, value: sum(a)}}
metrics:
  a_1d: {atomic: pay, period: 1d, project: growth, owner: ana}
  b_1d: {atomic: pay, period: 1d, project: growth, owner: lu}
  c_1d: {atomic: pay, period: 1d, project: elsewhere, owner: anybody}
"""
    retail = project("retail", {"tables/agg.yml": metrics}, "owners: [ana]\n")
    assert found(retail, project("growth", {}, "owners: [lu]\n")) == [
        "4:52 unknown_owner: 'ana' is not among the owners of project growth"
    ]
    assert not found(retail, project("growth", {}))
