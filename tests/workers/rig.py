"""Makes attempts by hand and runs them: in this process on one thread, or through the real engine process."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from fieldwise.engines.duckdb import Warehouse
from fieldwise.model.attempt import AttemptKind, AttemptRequest, Member, OutputField, Report, Target
from fieldwise.ports.engine import ShapeChange, TableShape
from fieldwise.workers.attempt import Attempt
from fieldwise.workers.local import LocalWorkers

TABLE = "shop.orders"
NODES = {"n1": ("amount",), "n2": ("region", "tags"), "n3": ("note",)}
TYPES = {"amount": "INTEGER", "region": "VARCHAR", "tags": "INTEGER[]", "note": "VARCHAR"}
SHAPE = TableShape(TABLE, "DATE", (("id", "INTEGER"), *TYPES.items()), ("id",))
DAY = "2026-11-18"
PATIENCE = 60.0


def node(label: str) -> str:
    return f"{TABLE}/{label}"


ALL_NODES = tuple(node(label) for label in NODES)
_attempts = count(1)


def request(
    labels: Sequence[str], sql: str, partition: str = DAY, attempts: Sequence[int] = (), **more: Any
) -> AttemptRequest:
    """An attempt set of some nodes of the table; attempts are drawn from one counter if not given."""
    numbers = attempts or [next(_attempts) for _ in labels]
    members = tuple(
        Member(number, number, 1, Target("prod", TABLE, node(label), partition), NODES[label], label == "n1")
        for number, label in zip(numbers, labels, strict=True)
    )
    fields = tuple(OutputField(name, TYPES[name]) for label in labels for name in NODES[label])
    defaults: dict[str, Any] = {
        "key": (OutputField("id", "INTEGER"),),
        "fields": fields,
        "all_nodes": ALL_NODES,
    }
    return AttemptRequest(AttemptKind.SQL, members, TABLE, partition, "DATE", sql, **(defaults | more))


def rows_sql(labels: Sequence[str], rows: dict[int, dict[str, Any]]) -> str:
    """A SELECT with these rows: key -> field -> value."""
    names = [name for label in labels for name in NODES[label]]

    def line(key: int, values: dict[str, Any]) -> str:
        cells = [f"CAST({_literal(values.get(name))} AS {TYPES[name]}) AS {name}" for name in names]
        return f"SELECT {', '.join([f'CAST({key} AS INTEGER) AS id', *cells])}"

    empty = f"SELECT CAST(0 AS INTEGER) AS id, {', '.join(f'CAST(NULL AS {TYPES[name]}) AS {name}' for name in names)} WHERE false"
    return " UNION ALL ".join(line(key, values) for key, values in rows.items()) or empty


def _literal(value: Any) -> str:
    return "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)


class Bench:
    """A warehouse in this process; attempts run one after the other on the caller's thread."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.warehouse = Warehouse(str(home / "warehouse.duckdb"), threads=1)
        self.warehouse.change_shapes([ShapeChange("create", SHAPE)], "prod/shop/1")
        self.locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def attempt(self, made: AttemptRequest) -> Attempt:
        return Attempt(self.warehouse, made, self.home, self.locks.__getitem__)

    def run(self, made: AttemptRequest) -> Report:
        return self.attempt(made).run()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return list(self.warehouse.query(sql).rows)


class Pool:
    """The real thing: LocalWorkers, with waiting for reports."""

    def __init__(self, home: Path, **options: Any) -> None:
        self.workers = LocalWorkers(home, threads=2, **options)
        self._arrived = threading.Event()
        self._reports: list[Report] = []
        self.workers.on_report(self._arrived.set)

    def with_table(self) -> Pool:
        self.workers.change_shapes([ShapeChange("create", SHAPE)], "prod/shop/1")
        return self

    def wait(self, number: int = 1) -> list[Report]:
        """The next reports, at least that many."""
        while len(self._reports) < number:
            assert self._arrived.wait(PATIENCE), f"{len(self._reports)} of {number} reports came"
            self._arrived.clear()
            self._reports += self.workers.reports()
        found, self._reports = self._reports, []
        return found

    def run(self, made: AttemptRequest) -> Report:
        self.workers.start([made])
        (report,) = self.wait()
        return report
