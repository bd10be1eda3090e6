"""Every query form, run by a real deployment for three days: each partition equals the user's SELECT in one piece."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from form_data import write_data
from oracle import difference, partitions, publications

from fieldwise.model.status import TaskKind
from fieldwise.wiring import Deployment, open_home

FORMS = Path(__file__).parent / "forms"
TABLES = sorted(f"forms.{path.stem}" for path in (FORMS / "tables").iterdir())
DELIVERED = [date(2025, 6, day) for day in range(1, 6)]
FIRST, LAST = DELIVERED[2], DELIVERED[4]
FEW = {"forms.hourly": 12}
MAY_BE_EMPTY = {"forms.hourly", "forms.day_of_hours"}
FALLS_APART = {
    # The nodes a table must at least have: if a form stopped coming apart, equality alone would not notice.
    "forms.fct_order": 4,
    "forms.nested_ctes": 1,
    "forms.subquery_from": 2,
    "forms.subquery_where": 2,
    "forms.subquery_select": 2,
    "forms.join_inner": 2,
    "forms.join_multiplies": 2,
    "forms.join_using": 3,
    "forms.union_all": 3,
    "forms.windows": 3,
    "forms.qualify": 3,
    "forms.group_by_all": 2,
    "forms.lateral_join": 2,
    "forms.nested_values": 2,
    "forms.quoted": 2,
    "forms.stars": 2,
    "forms.previous_day": 2,
    "forms.running_total": 2,
    "forms.customer_metrics": 4,
    "forms.together": 3,
}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A home in which the project ran from `FIRST` to `LAST`."""
    folder = tmp_path_factory.mktemp("equivalence")
    project = folder / "forms"
    shutil.copytree(FORMS, project)
    write_data(project, DELIVERED)
    with open_home(folder / "home") as deployment:
        result = deployment.run([project], FIRST, LAST)
        assert result.failures == []
        assert result.blocks == []
        assert result.ok
        yield deployment


@pytest.mark.parametrize("table", TABLES)
def test_every_partition_equals_the_select_in_one_piece(deployment: Deployment, table: str) -> None:
    found = [partition for partition in partitions(deployment) if partition.task.name == table]
    assert len(found) == FEW.get(table, 3), "every slot of the three days was generated"
    assert [said for partition in found if (said := difference(deployment, partition))] == []
    rows = deployment.query(f"SELECT count(*) FROM {table} GROUP BY ds").rows
    assert len(rows) == len(found) or table in MAY_BE_EMPTY, "a comparison of nothing proves nothing"


@pytest.mark.parametrize("table", sorted(FALLS_APART))
def test_a_form_that_can_be_split_is_split(deployment: Deployment, table: str) -> None:
    (task,) = [
        task for publication in publications(deployment) for task in publication.tasks if task.name == table
    ]
    assert len(task.nodes) >= FALLS_APART[table], [node.fields for node in task.nodes]


def test_only_what_is_fickle_is_left_out(deployment: Deployment) -> None:
    left_out = {
        f"{task.name}.{field.name}"
        for publication in publications(deployment)
        for task in publication.tasks
        if task.definition.kind is TaskKind.MODELING
        for field in task.fields
        if not field.comparable
    }
    assert left_out == {"forms.fickle.some_order"}


def test_the_days_differ(deployment: Deployment) -> None:
    """Were every day the same, a window that looks at the wrong day would go unnoticed."""
    for table in ("forms.fct_order", "forms.previous_day", "forms.running_total", "forms.customer_metrics"):
        days = deployment.query(f"SELECT ds, list(t ORDER BY t)::VARCHAR FROM {table} t GROUP BY ds").rows
        contents = {text.replace(str(ds), "") for ds, text in days}
        assert len(contents) == 3, table
