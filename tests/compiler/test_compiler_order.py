"""The order of compilation, circles with their paths, and fingerprints that change with what matters."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlcases import PROJECT, catalogue, task, upstream

from fieldwise.compiler import compile_task, fingerprint, order
from fieldwise.model.definition import (
    DeclaredDependency,
    Parameter,
    ProjectDefinition,
    SourceFormat,
    SourceTable,
    TaskDefinition,
)
from fieldwise.model.errors import ProblemCode
from fieldwise.model.status import TaskKind


def project(
    *tasks: TaskDefinition, sources: tuple[SourceTable, ...] = (), name: str = "shop"
) -> ProjectDefinition:
    return ProjectDefinition(name, ".", tasks=tasks, sources=sources)


def table(name: str, *reads: str) -> TaskDefinition:
    joins = " ".join(f"LEFT JOIN {read} t{n} ON true" for n, read in enumerate(reads))
    return task(f"SELECT 1 AS id\nFROM raw.x {joins}", ["id"], name)


def test_upstream_comes_first() -> None:
    names, problems = order(
        [
            project(
                table("shop.a", "shop.b"),
                table("shop.b", "shop.c"),
                table("shop.c"),
                table("shop.d", "shop.a"),
            )
        ]
    )
    assert names == ["shop.c", "shop.b", "shop.a", "shop.d"]
    assert problems == ()


def test_scripts_and_sources_filled_by_tasks_take_part() -> None:
    load = TaskDefinition(
        "shop.z_load",
        "shop",
        TaskKind.INTEGRATION,
        "tasks/z_load.py",
        language="python",
        outputs=("raw.x",),
        reads=("shop.y_base",),
    )
    filled = SourceTable("raw.x", "shop", SourceFormat.FROM_TASK, from_task="shop.z_load")
    base = replace(table("shop.y_base"), text="SELECT 1 AS id")
    names, problems = order([project(table("shop.a"), load, base, sources=(filled,))])
    assert names == ["shop.y_base", "shop.z_load", "shop.a"]
    assert problems == ()


def test_several_projects_are_ordered_together() -> None:
    other = project(task("SELECT id FROM shop.b", ["id"], "other.a"), name="other")
    names, _ = order([other, project(table("shop.b"))])
    assert names == ["shop.b", "other.a"]
    names, problems = order([other], [project(table("shop.b"))])
    assert (names, problems) == (["other.a"], ())


def test_a_table_may_read_itself_and_be_named_in_comments() -> None:
    itself = task("SELECT id FROM shop.a -- shop.b\n/* shop.b */ WHERE x <> 'shop.b'", ["id"], "shop.a")
    names, problems = order([project(itself, table("shop.b", "shop.a"))])
    assert names == ["shop.a", "shop.b"]
    assert problems == ()


def test_a_circle_is_said_with_its_path_where_it_is_closed() -> None:
    names, problems = order(
        [project(table("shop.a", "shop.b"), table("shop.b", "shop.c"), table("shop.c", "shop.a"))]
    )
    assert sorted(names) == ["shop.a", "shop.b", "shop.c"]
    assert [(one.code, one.file, one.line, one.column) for one in problems] == [
        (ProblemCode.CYCLE, "tables/a.sql", 2, 22)
    ]
    assert "shop.a -> shop.b -> shop.c -> shop.a" in problems[0].message


def test_a_declared_dependency_counts() -> None:
    first = replace(table("shop.a"), depends_on=(DeclaredDependency("shop.b"),))
    assert order([project(first, table("shop.b"))])[0] == ["shop.b", "shop.a"]


def test_a_source_of_an_unknown_task_is_said() -> None:
    filled = SourceTable(
        "raw.x",
        "shop",
        SourceFormat.FROM_TASK,
        from_task="shop.laod",
        file="sources/raw.yml",
        line=4,
        column=3,
    )
    load = TaskDefinition("shop.load", "shop", TaskKind.INTEGRATION, "tasks/load.py", language="python")
    _, problems = order([project(load, sources=(filled,))])
    assert [(one.code, one.file, one.line, one.column) for one in problems] == [
        (ProblemCode.UNKNOWN_TABLE, "sources/raw.yml", 4, 3)
    ]
    assert "shop.load" in problems[0].hint


def test_a_deep_chain_does_not_recurse() -> None:
    tables = [table("shop.t00000")] + [table(f"shop.t{n:05}", f"shop.t{n - 1:05}") for n in range(1, 5000)]
    names, problems = order([project(*reversed(tables))])
    assert names == [one.name for one in tables]
    assert problems == ()


SQL = "SELECT o.order_id, o.amount, c.region FROM raw.orders o LEFT JOIN shop.dim_customer c ON c.customer_id = o.customer_id AND c.ds = :data_date WHERE o.ds = :data_date"


def test_equal_fingerprints_of_equal_tasks() -> None:
    definition = task(SQL, ["order_id"])
    found, _ = compile_task(definition, PROJECT, catalogue())
    assert found is not None
    assert found.fingerprint == fingerprint(definition, PROJECT, catalogue())
    assert found.fingerprint == fingerprint(replace(definition, file="elsewhere/t.sql"), PROJECT, catalogue())


@pytest.mark.parametrize(
    "change",
    [
        lambda one: replace(one, text=SQL + " AND o.amount > 1"),
        lambda one: replace(one, key=("order_id", "amount")),
        lambda one: replace(one, nodes=(("amount", "region"),)),
        lambda one: replace(one, owner="li"),
    ],
)
def test_text_and_header_change_the_fingerprint(change) -> None:  # type: ignore[no-untyped-def]
    definition = task(SQL, ["order_id"])
    assert fingerprint(change(definition), PROJECT, catalogue()) != fingerprint(
        definition, PROJECT, catalogue()
    )


def test_upstream_and_parameters_change_the_fingerprint() -> None:
    definition = task(SQL, ["order_id"])
    plain = fingerprint(definition, PROJECT, catalogue())
    dim = upstream("shop.dim_customer")
    typed = replace(
        dim,
        fields=tuple(
            replace(field, type="BIGINT") if field.name == "region" else field for field in dim.fields
        ),
    )
    regrouped = replace(dim, nodes=(replace(dim.nodes[0], fields=("region", "tier", "lifetime")),))
    assert fingerprint(definition, PROJECT, catalogue([typed])) != plain
    assert fingerprint(definition, PROJECT, catalogue([regrouped])) != plain
    assert (
        fingerprint(definition, replace(PROJECT, parameters=(Parameter("lowest", "BIGINT", 2),)), catalogue())
        != plain
    )
    unread = upstream("shop.fct_order")
    other = replace(unread, fields=unread.fields[:-1])
    assert fingerprint(definition, PROJECT, catalogue([other])) == plain
