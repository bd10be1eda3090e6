"""A small warehouse for the compiler's tests: its catalogue, its data in DuckDB, and comparison node by node."""

# ruff: noqa: DTZ001 - the warehouse holds naive UTC timestamps

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import combinations
from pathlib import Path

import duckdb

from fieldwise.compiler import Catalogue, compile_task, fuse
from fieldwise.compiler.parse import parameter_types, with_placeholders
from fieldwise.model.definition import Parameter, ProjectDefinition, SourceFormat, SourceTable, TaskDefinition
from fieldwise.model.errors import Problem
from fieldwise.model.plan import CompiledTask
from fieldwise.model.schedule import Period, Schedule
from fieldwise.model.status import TableKind, TaskKind

FIXTURES = Path(__file__).parent / "fixtures"
DAY = date(2026, 3, 10)
VALUES: dict[str, object] = {
    "data_date": DAY,
    "scheduled_at": datetime(2026, 3, 11, 1),
    "slot_start": datetime(2026, 3, 10, 1),
    "slot_end": datetime(2026, 3, 11, 1),
    "day_start": datetime(2026, 3, 10),
    "day_end": datetime(2026, 3, 11),
    "lowest": 2,
}

SOURCES: dict[str, tuple[str, str, str]] = {
    # name: columns, key, partition
    "raw.orders": (
        "order_id BIGINT, customer_id BIGINT, amount INTEGER, status VARCHAR, tags VARCHAR[], info STRUCT(a INTEGER, b VARCHAR), ds DATE",
        "order_id", "ds",
    ),
    "raw.lines": ("order_id BIGINT, line_no INTEGER, qty INTEGER, price DECIMAL(12,2), ds DATE", "order_id,line_no", "ds"),
    "raw.refunds": ("order_id BIGINT, amount INTEGER, reason VARCHAR, ds DATE", "", "ds"),
    "raw.names": ("id BIGINT, name VARCHAR", "id", ""),
    "raw.texts": ("code VARCHAR, v INTEGER", "code", ""),
    "raw.codes": ("digits VARCHAR, v INTEGER", "digits", ""),
    "raw.decimals": ("price DECIMAL(4,2), v INTEGER", "price", ""),
    "raw.floats": ("f FLOAT, v INTEGER", "f", ""),
    "raw.days": ("day DATE, v INTEGER", "day", ""),
    "raw.flags": ("k INTEGER, u UUID, e ENUM('a', 'b'), v INTEGER", "k", ""),
    "raw.uuids": ("u UUID, v INTEGER", "u", ""),
    "raw.enums": ("e ENUM('a', 'b', 'c'), v INTEGER", "e", ""),
    "raw.untyped": ("k, v", "k", ""),
    "raw.quoted": ('"Order Id" BIGINT, "select" INTEGER, "Größe" INTEGER, ds DATE', "Order Id", "ds"),
}  # fmt: skip
TABLES: dict[str, tuple[str, str, str, Period]] = {
    # name: columns, key, nodes, period
    "shop.dim_customer": ("customer_id BIGINT, region VARCHAR, tier INTEGER, lifetime INTEGER", "customer_id", "region tier|lifetime", Period.DAY),
    "shop.fct_order": ("order_id BIGINT, customer_id BIGINT, amount INTEGER, revenue INTEGER", "order_id", "customer_id amount|revenue", Period.DAY),
    "shop.fct_hour": ("k BIGINT, v INTEGER, w INTEGER", "k", "v|w", Period.HOUR),
    "shop.dim_month": ("k BIGINT, v INTEGER, w INTEGER", "k", "v|w", Period.MONTH),
}  # fmt: skip


def split_columns(text: str) -> tuple[tuple[str, str], ...]:
    """`a INTEGER, b STRUCT(x INTEGER, y INTEGER)` as (name, type) pairs."""
    parts = re.split(r",\s*(?![^()]*\))", text)
    found = []
    for part in parts:
        match = re.fullmatch(r'("[^"]+"|\w+)\s*(.*)', part.strip())
        assert match
        found.append((match[1].strip('"'), match[2]))
    return tuple(found)


def source(name: str) -> SourceTable:
    columns, key, partition = SOURCES[name]
    return SourceTable(
        name,
        "shop",
        SourceFormat.PARQUET,
        columns=split_columns(columns),
        key=tuple(key.split(",")) if key else (),
        partition=partition,
    )


PROJECT = ProjectDefinition(
    "shop",
    ".",
    sources=tuple(source(name) for name in SOURCES),
    parameters=(Parameter("lowest", "INTEGER", 2),),
)


def task(text: str, key: Sequence[str], name: str = "shop.t", **header: object) -> TaskDefinition:
    return TaskDefinition(
        name, name.partition(".")[0], TaskKind.MODELING, f"tables/{name.partition('.')[2]}.sql", text, table_kind=TableKind.FACT,
        key=tuple(key), **header,  # type: ignore[arg-type]
    )  # fmt: skip


def upstream(name: str) -> CompiledTask:
    """A published table made up for the tests, with the nodes as given."""
    from fieldwise.compiler.grouping import node_id
    from fieldwise.model.plan import Field, Node

    columns, key, nodes, period = TABLES[name]
    groups = [tuple(group.split()) for group in nodes.split("|")]
    return CompiledTask(
        definition=task("", key.split(","), name, schedule=Schedule(period=period)),
        nodes=tuple(
            Node(node_id(name, group), f"n{number}", number == 1, group)
            for number, group in enumerate(groups, 1)
        ),
        fields=tuple(
            Field(column, key=column in key.split(","), type=kind) for column, kind in split_columns(columns)
        ),
        partition_type="TIMESTAMP" if period.below_day else "DATE",
    )


def catalogue(extra: Iterable[CompiledTask] = ()) -> Catalogue:
    return Catalogue([PROJECT], [*(upstream(name) for name in TABLES), *extra])


def compiled(
    text: str, key: Sequence[str] = ("order_id",), name: str = "shop.t", **header: object
) -> CompiledTask:
    """The task; its problems are failures."""
    found, problems = compile_task(task(text, key, name, **header), PROJECT, catalogue())
    assert not problems, problems
    assert found is not None
    return found


def problems_of(text: str, key: Sequence[str] = ("order_id",), **header: object) -> list[Problem]:
    return list(compile_task(task(text, key, **header), PROJECT, catalogue())[1])


def grouping(found: CompiledTask) -> str:
    """`a b | c`: fields node by node."""
    return " | ".join(" ".join(node.fields) for node in found.nodes)


def windows(found: CompiledTask) -> dict[str, set[tuple[str, int | None]]]:
    """Table -> windows over all nodes."""
    seen: dict[str, set[tuple[str, int | None]]] = {}
    for node in found.nodes:
        for one in node.upstream:
            seen.setdefault(one.task, set()).add((one.window.value, one.n))
    return seen


# Data


def connect(seed: int = 1, rows: int = 40) -> duckdb.DuckDBPyConnection:
    """The warehouse with data that breaks what is not proven: several days, NULLs, unmatched and doubled keys."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    chance = random.Random(seed)
    for name in ("raw", "shop"):
        con.execute(f"CREATE SCHEMA {name}")
    for name, (columns, key, partition) in SOURCES.items():
        if name == "raw.untyped":
            columns = "k VARCHAR, v INTEGER"
        _fill(con, name, split_columns(columns), key.split(",") if key else [], partition, rows, chance)
    for name, (columns, key, _, period) in TABLES.items():
        kind = "TIMESTAMP" if period.below_day else "DATE"
        _fill(con, name, (*split_columns(columns), ("ds", kind)), key.split(","), "ds", rows, chance)
    return con


def _fill(
    con: duckdb.DuckDBPyConnection, name: str, columns: Sequence[tuple[str, str]], key: Sequence[str], partition: str, rows: int, chance: random.Random
) -> None:  # fmt: skip
    con.execute(f"CREATE TABLE {name} ({', '.join(f'{chr(34)}{n}{chr(34)} {t}' for n, t in columns)})")
    seen: set[tuple[object, ...]] = set()
    for _ in range(rows * 3):
        row = [_value(n, t, chance, nullable=n not in key and n != partition) for n, t in columns]
        names = [n for n, _ in columns]
        identity = tuple(str(row[names.index(k)]) for k in [*key, *([partition] if partition else [])])
        if key and identity in seen:
            continue
        seen.add(identity)
        con.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)


def _value(name: str, kind: str, chance: random.Random, nullable: bool) -> object:
    if nullable and chance.random() < 0.15:
        return None
    kind = kind.upper()
    if kind == "TIMESTAMP":
        return datetime(2026, 3, 10, chance.choice([0, 1, 2, 23]))
    if kind == "DATE":
        return date(2026, 3, chance.choice([10, 10, 10, 9, 8, 4, 1]))
    if kind.startswith("DECIMAL"):
        return chance.choice([1, 1.5, 2, 3.25, 10, 10.5])
    if kind in ("FLOAT", "DOUBLE"):
        return chance.choice([1.0, 1.5, 2.0, 0.1])
    if kind.startswith("ENUM"):
        return chance.choice(["a", "b"])
    if kind == "UUID":
        return f"00000000-0000-0000-0000-00000000000{chance.randint(1, 5)}"
    if kind == "VARCHAR[]":
        return [chance.choice("xyz") for _ in range(chance.randint(0, 3))]
    if kind.startswith("STRUCT"):
        return {"a": chance.randint(1, 3), "b": chance.choice("uv")}
    if name == "digits":
        return chance.choice(["1", "01", " 1", "+1", "1.2", "2", "02", "3", "7"])
    if kind == "VARCHAR":
        return chance.choice(["1", "01", "+1", "1.2", "2", "a", "b", "EU", "US", "01"])
    return chance.randint(1, 12)


# Comparison


def bound(names: Iterable[str]) -> dict[str, object]:
    return {name: VALUES[name] for name in names}


def rows_of(
    con: duckdb.DuckDBPyConnection, sql: str, parameters: Iterable[str]
) -> tuple[list[str], list[tuple[object, ...]]]:
    cursor = con.execute(sql, bound(parameters))
    return [column[0] for column in cursor.description or ()], cursor.fetchall()


def one_piece(con: duckdb.DuckDBPyConnection, text: str) -> tuple[list[str], list[tuple[object, ...]]]:
    """The user's own text, run as it is."""
    sql = with_placeholders(text, parameter_types(PROJECT.parameters), "duckdb")
    return rows_of(con, sql, [name for name in VALUES if f"${name}" in sql])


def multiset(rows: Iterable[Sequence[object]]) -> Counter[str]:
    return Counter(repr(tuple(_plain(value) for value in row)) for row in rows)


def _plain(value: object) -> object:
    if isinstance(value, float):
        return "nan" if math.isnan(value) else float(f"{value:.9g}")
    return value


def differences(con: duckdb.DuckDBPyConnection, found: CompiledTask, text: str, most: int = 12) -> list[str]:
    """Node sets whose rows differ from the query in one piece, over the comparable fields; "" if all agree."""
    names, whole = one_piece(con, text)
    folded = [name.lower() for name in names]
    fickle = {field.name.lower() for field in found.fields if not field.comparable}
    said: list[str] = []
    nodes = [node.id for node in found.nodes]
    sets = [(one,) for one in nodes] + list(combinations(nodes, 2))[:most] + [tuple(nodes)]
    for chosen in dict.fromkeys(sets):
        sql, parameters = fuse(found, chosen)
        got_names, got = rows_of(con, sql, parameters)
        wanted = {*found.key, *(name for node in found.nodes if node.id in chosen for name in node.fields)}
        if set(got_names) != wanted:
            said.append(f"columns {got_names} instead of {sorted(wanted)}: {sql}")
            continue
        compared = [name for name in got_names if name.lower() not in fickle]
        here = multiset([row[got_names.index(name)] for name in compared] for row in got)
        there = multiset([row[folded.index(name.lower())] for name in compared] for row in whole)
        if here != there:
            said.append(
                f"{chosen}: {sql}\n  only in the node: {here - there}\n  only in one piece: {there - here}"
            )
    return said


# Cases in .sql files


@dataclass(frozen=True)
class Case:
    """One query of a fixture file with what is expected of it."""

    name: str
    sql: str
    key: tuple[str, ...] = ("order_id",)
    expected: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name.replace(" ", "_")


def cases(file: str) -> list[Case]:
    """`-- name: ...` starts a case; `-- word: ...` lines say what is expected; `;` ends it."""
    found: list[Case] = []
    for block in re.split(r"^-- name: ", (FIXTURES / file).read_text(), flags=re.MULTILINE)[1:]:
        name, _, rest = block.partition("\n")
        case = Case(name.strip(), "")
        lines = rest.splitlines()
        while lines and (match := re.fullmatch(r"-- (\w+): (.*)", lines[0])):
            if match[1] == "key":
                case = replace(case, key=tuple(part.strip() for part in match[2].split(",")))
            else:
                case = replace(case, expected={**case.expected, match[1]: match[2].strip()})
            lines = lines[1:]
        found.append(replace(case, sql="\n".join(lines).strip().rstrip(";")))
    return found
