"""The sample warehouse: its tables fall into the nodes that are written down for it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import yaml
from sqlcases import VALUES

from fieldwise.compiler import Catalogue, compile_task, order
from fieldwise.definitions.load import load_project
from fieldwise.model.definition import ProjectDefinition
from fieldwise.model.plan import CompiledTask

ROOT = Path(__file__).parents[2]
PROJECTS = [ROOT / "examples" / name for name in ("tpch", "tpch_growth")]
EXPECTED = ROOT / "tests" / "examples" / "expected_nodes.yml"

pytestmark = pytest.mark.skipif(not EXPECTED.exists(), reason="the sample warehouse is not there")


def _project(folder: Path) -> ProjectDefinition:
    files = {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.suffix in (".yml", ".sql", ".py", ".sh") and "data" not in path.relative_to(folder).parts
    }
    found, problems = load_project(files, str(folder), folder.name)
    assert found is not None, problems
    return found


@pytest.fixture(scope="module")
def compiled_tables() -> dict[str, CompiledTask]:
    """Every logical table, types from DuckDB's DESCRIBE of empty tables."""
    projects = {project.name: project for project in map(_project, PROJECTS)}
    names, problems = order(list(projects.values()))
    assert not problems
    con = duckdb.connect()
    for schema in ("landing", "raw", "scoring", *projects):
        con.execute(f"CREATE SCHEMA {schema}")
    for project in projects.values():
        for source in project.sources:
            if source.columns:
                con.execute(
                    f"CREATE TABLE {source.name} ({', '.join(f'{name} {kind}' for name, kind in source.columns)})"
                )
    values = {**VALUES, "high_risk": 1}
    catalogue = Catalogue(projects.values())
    tasks = {task.name: task for project in projects.values() for task in project.tasks}
    found: dict[str, CompiledTask] = {}
    for name in names:
        task, problems = compile_task(tasks[name], projects[tasks[name].project], catalogue, projects)
        if tasks[name].table_kind is None:
            continue  # what comes in is read from files, whose columns are not declared
        assert task is not None, problems
        columns = ", ".join(f'"{field.name}" {field.type or "INTEGER"}' for field in task.fields)
        con.execute(f"CREATE OR REPLACE TABLE {name} (ds {task.partition_type}, {columns})")
        described = con.execute(
            f"DESCRIBE {task.sql}", {one: values[one] for one in task.parameters}
        ).fetchall()
        task = task.with_types({row[0]: row[1] for row in described})
        columns = ", ".join(f'"{field.name}" {field.type}' for field in task.fields)
        con.execute(f"CREATE OR REPLACE TABLE {name} (ds {task.partition_type}, {columns})")
        catalogue.add_task(task)
        found[name] = task
    return found


def test_nodes_are_those_written_down(compiled_tables: dict[str, CompiledTask]) -> None:
    expected = yaml.safe_load(EXPECTED.read_text())
    seen = {name: {frozenset(node.fields) for node in task.nodes} for name, task in compiled_tables.items()}
    for name, groups in expected.items():
        assert seen[name] == {frozenset(group) for group in groups}, name
        assert set(compiled_tables[name].row_node.fields) == set(groups[0]), name


def test_no_table_has_warnings_or_fields_that_cannot_be_compared(
    compiled_tables: dict[str, CompiledTask],
) -> None:
    for task in compiled_tables.values():
        assert task.warnings == ()
        assert all(field.comparable for field in task.fields)


def test_every_node_says_why(compiled_tables: dict[str, CompiledTask]) -> None:
    for task in compiled_tables.values():
        for node in task.nodes:
            assert node.why.endswith(".")
            assert 1 <= node.why.count(". ") + 1 <= 3
