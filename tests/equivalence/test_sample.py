"""The sample warehouse, run by a real deployment for three days: every partition and all 22 queries."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from oracle import difference, partitions, same

from fieldwise.cli.sample import generate, query_pairs
from fieldwise.wiring import Deployment, open_home

EXAMPLES = Path(__file__).parents[2] / "examples"
PROJECTS = ("tpch", "tpch_growth")
TABLES = sorted(
    f"{project}.{path.stem}" for project in PROJECTS for path in (EXAMPLES / project / "tables").iterdir()
)
FIRST, YESTERDAY = date(2025, 6, 3), date(2025, 6, 5)
QUERIES = [f"q{number:02}" for number in range(1, 23)]
TINY = 0.01  # below, TPC-H itself repeats keys


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    for project in PROJECTS:
        shutil.copytree(
            EXAMPLES / project, folder / project, ignore=shutil.ignore_patterns("data", ".data-*")
        )
    generate(folder / "tpch", TINY, YESTERDAY)
    return folder


@pytest.fixture(scope="module")
def deployment(folder: Path) -> Iterator[Deployment]:
    with open_home(folder / "home") as deployment:
        result = deployment.run([folder / project for project in PROJECTS], FIRST, YESTERDAY)
        assert result.failures == []
        assert result.blocks == []
        yield deployment


@pytest.mark.parametrize("table", TABLES)
def test_every_partition_equals_the_select_in_one_piece(deployment: Deployment, table: str) -> None:
    found = [partition for partition in partitions(deployment) if partition.task.name == table]
    assert len(found) == (72 if table == "tpch.agg_order_hour" else 3)
    assert [said for partition in found if (said := difference(deployment, partition))] == []


@pytest.mark.parametrize("query", QUERIES)
def test_logical_tables_answer_as_raw_ones(deployment: Deployment, folder: Path, query: str) -> None:
    pair = next(pair for pair in query_pairs(folder / "tpch", YESTERDAY) if pair.name == query)
    assert same(deployment.query(pair.logical).rows, deployment.query(pair.raw).rows)


def test_a_second_run_does_nothing(deployment: Deployment, folder: Path) -> None:
    again = deployment.run([folder / project for project in PROJECTS], FIRST, YESTERDAY)
    assert again.document() | {"seconds": 0} == dict.fromkeys(again.document(), 0)
    assert again.ok
