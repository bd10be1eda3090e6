"""A small published project written by hand, so that the leader is tested without the compiler."""

from __future__ import annotations

from pathlib import Path

from fieldwise.model.definition import ProjectDefinition, TaskDefinition
from fieldwise.model.plan import CompiledTask, Dependency, Field, Node, Publication
from fieldwise.model.schedule import Retries
from fieldwise.model.status import TableKind, TaskKind

ROWS = "SELECT * FROM (VALUES (1, 10), (2, 20)) AS t (id, amount)"


def node(table: str, label: str, fields: tuple[str, ...], sql: str, **more: object) -> Node:
    return Node(
        id=f"{table}/{label}", label=label, row_node=label == "n1", fields=fields, sql=sql,
        parameters=("data_date",) if "$data_date" in sql else (), project="shop", **more,  # type: ignore[arg-type]
    )  # fmt: skip


def table(name: str, nodes: tuple[Node, ...], fields: dict[str, str], retries: int = 0) -> CompiledTask:
    definition = TaskDefinition(
        name, "shop", TaskKind.MODELING, f"tables/{name}.sql", table_kind=TableKind.FACT, key=("id",),
        retries=Retries(retries, 60),
    )  # fmt: skip
    shown = (Field("id", key=True, type="INTEGER"), *(Field(n, type=kind) for n, kind in fields.items()))
    return CompiledTask(definition, nodes, shown, fingerprint=name + "".join(n.sql for n in nodes))


def shop(
    folder: Path, second: str = "SELECT id, amount * 2 AS twice FROM shop.orders WHERE ds = $data_date"
) -> Publication:
    """`orders` of two nodes, and `doubled` that reads one of its fields."""
    orders = table(
        "shop.orders",
        (
            node("shop.orders", "n1", ("amount",), ROWS),
            node("shop.orders", "n2", ("day",), f"SELECT id, $data_date::DATE AS day FROM ({ROWS})"),
        ),
        {"amount": "INTEGER", "day": "DATE"},
    )
    reads = Dependency("shop.orders", ("amount",), ("shop.orders/n1",))
    doubled = table(
        "shop.doubled",
        (node("shop.doubled", "n1", ("twice",), second, upstream=(reads,)),),
        {"twice": "INTEGER"},
    )
    project = ProjectDefinition("shop", str(folder))
    return Publication(project, (orders, doubled), fingerprint=second)
