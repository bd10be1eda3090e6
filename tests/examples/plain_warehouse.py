"""A project run as plain SQL: every table's SELECT in one piece, in order, with DuckDB alone. The oracle of the sample."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
import yaml

PARAMETERS = ("data_date", "scheduled_at", "slot_start", "slot_end", "day_start", "day_end")
READERS = {
    ".parquet": "read_parquet('{}', union_by_name = true)",
    ".csv": "read_csv('{}', header = true)",
    ".json": "read_json_auto('{}')",
}
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Item:
    """A task or logical table: its header, and its SQL, script or (for metrics) nothing."""

    name: str
    header: dict[str, Any]
    body: str
    folder: Path
    reads: frozenset[str]
    fills: tuple[str, ...]

    @property
    def hourly(self) -> bool:
        return self.header.get("schedule", {}).get("period") == "hour"

    @property
    def key(self) -> list[str]:
        return self.header["key"]


@dataclass
class PlainWarehouse:
    """The projects of some folders in a DuckDB of their own. Time zone UTC."""

    folders: list[Path]
    database: str = ":memory:"
    items: dict[str, Item] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.db = duckdb.connect(self.database)
        self.db.execute("SET TimeZone = 'UTC'")
        for folder in self.folders:
            self._read(folder)

    def run(self, days: list[date]) -> None:
        order = list(
            TopologicalSorter(
                {item.name: self._upstream(item) for item in self.items.values()}
            ).static_order()
        )
        for day in days:
            for name in order:
                item = self.items[name]
                for partition, values in _slots(day) if item.hourly else [(day, _of_day(day))]:
                    self._run(item, partition, values)

    def _upstream(self, item: Item) -> set[str]:
        filled = {table: other.name for other in self.items.values() for table in other.fills}
        return {filled[table] for table in item.reads if table in filled} - {item.name}

    # -- reading the files
    def _read(self, folder: Path) -> None:
        project = yaml.safe_load((folder / "project.yml").read_text())
        self.parameters |= {name: said["value"] for name, said in project.get("params", {}).items()}
        for schema in {
            project["name"],
            *(yaml.safe_load(path.read_text())["schema"] for path in (folder / "sources").glob("*.yml")),
        }:
            self.db.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        for path in sorted((folder / "sources").glob("*.yml")):
            self._read_sources(folder, yaml.safe_load(path.read_text()))
        for path in sorted([*(folder / "tasks").glob("*.*"), *(folder / "tables").glob("*.*")]):
            item = _item(project["name"], folder, path)
            self.items[item.name] = item

    def _read_sources(self, folder: Path, sources: dict[str, Any]) -> None:
        for name, said in sources["tables"].items():
            relation, columns = f"{sources['schema']}.{name}", said.get("columns", {})
            if "from_task" in said:
                self.db.execute(
                    f"CREATE TABLE {relation} ({', '.join(f'{column} {kind}' for column, kind in columns.items())})"
                )
                continue
            location = folder / said["location"]
            reader = READERS[location.suffix].format(location)
            casts = ", ".join(f"{column}::{kind} AS {column}" for column, kind in columns.items()) or "*"
            self.db.execute(f"CREATE VIEW {relation} AS SELECT {casts} FROM {reader}")

    # -- running
    def _run(self, item: Item, partition: date | datetime, values: dict[str, Any]) -> None:
        if item.body.startswith("# ---"):
            self._run_script(item, partition)
            return
        sql = _metrics_select(item) if "metrics" in item.header else item.body
        self._fill(item, item.fills[0], sql, partition, values)

    def _fill(
        self, item: Item, table: str, sql: str, partition: date | datetime, values: dict[str, Any]
    ) -> None:
        text, bound = self._bind(sql, values)
        kind = "TIMESTAMP" if item.hourly else "DATE"
        select = f"SELECT CAST('{partition}' AS {kind}) AS ds, * FROM ({text})"
        if table == item.name:
            if item.name in item.reads and not self._exists(table):
                self._create_self_reading(table, text, bound, kind)
            self.db.execute(f"CREATE TABLE IF NOT EXISTS {table} AS SELECT * FROM ({select}) LIMIT 0", bound)
            self._check_types(table, select, bound)
        self.db.execute(f"DELETE FROM {table} WHERE ds = '{partition}'")
        self.db.execute(f"INSERT INTO {table} BY NAME {select}", bound)

    def _bind(self, sql: str, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        known = {**self.parameters, **values}
        found: set[str] = set()

        def dollar(match: re.Match[str]) -> str:
            if match[1] not in known:
                return match[0]
            found.add(match[1])
            return f"${match[1]}"

        text = re.sub(r"(?<![:\w]):([a-z_]+)\b", dollar, sql)
        return text, {name: known[name] for name in found}

    def _exists(self, table: str) -> bool:
        return table in {
            f"{schema}.{name}"
            for schema, name in self.db.execute(
                "SELECT table_schema, table_name FROM information_schema.tables"
            ).fetchall()
        }

    def _create_self_reading(self, table: str, text: str, bound: dict[str, Any], kind: str) -> None:
        """Types by inference: first everything NULL, then as found, until equal."""
        columns = dict.fromkeys(sqlglot.parse_one(text, dialect="duckdb").named_selects, '"NULL"')
        while True:
            declared = ", ".join(f"{name} {type_}" for name, type_ in columns.items())
            self.db.execute(f"CREATE OR REPLACE TABLE {table} (ds {kind}, {declared})")
            found = {name: type_ for name, type_, *_ in self.db.execute(f"DESCRIBE {text}", bound).fetchall()}
            if found == columns:
                return
            columns = found

    def _check_types(self, table: str, select: str, bound: dict[str, Any]) -> None:
        def types(sql: str, values: dict[str, Any] | None = None) -> list[tuple[str, str]]:
            return [(name, kind) for name, kind, *_ in self.db.execute(f"DESCRIBE {sql}", values).fetchall()]

        assert types(table) == types(select, bound), table

    def _run_script(self, item: Item, partition: date | datetime) -> None:
        with tempfile.TemporaryDirectory() as folder:
            read_from, write_to = Path(folder, "input"), Path(folder, "output")
            read_from.mkdir()
            write_to.mkdir()
            for table in item.header.get("reads", []):
                self.db.execute(
                    f"COPY (FROM {table} WHERE ds = '{partition}') TO '{read_from / table}.parquet'"
                )
            environment = {
                "PATH": os.environ["PATH"], "HOME": folder, "FIELDWISE_DATA_DATE": str(partition), "FIELDWISE_INPUT": str(read_from),
                "FIELDWISE_OUTPUT": str(write_to), **{f"FIELDWISE_PARAM_{name.upper()}": str(value) for name, value in self.parameters.items()},
            }  # fmt: skip
            script = Path(folder, "script.py")
            script.write_text(item.body)
            subprocess.run(
                [sys.executable, str(script)], check=True, cwd=folder, env=environment, capture_output=True
            )
            for table in item.fills:
                file = next(write_to.glob(f"{table}.*"))
                self._fill(item, table, f"FROM {READERS[file.suffix].format(file)}", partition, {})


def _slots(day: date) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """The hours with this data timestamp: those scheduled on the day after. `ds` is where an hour begins."""
    for hour in range(24):
        end = datetime.combine(day + DAY, time(hour))
        start = end - timedelta(hours=1)
        yield start, {**_of_day(day), "scheduled_at": end, "slot_end": end, "slot_start": start}


def _of_day(day: date) -> dict[str, Any]:
    start = datetime.combine(day, time())
    return {"data_date": day, "day_start": start, "day_end": start + DAY}


def _item(project: str, folder: Path, path: Path) -> Item:
    text = path.read_text()
    header, body = _split(path, text)
    name = f"{project}.{path.stem}"
    if "metrics" in header:
        reads = {said["from"] for said in header["atomic"].values()}
    elif path.suffix == ".py":
        reads = set(header.get("reads", []))
    else:
        body = re.sub(r"^\s*--.*$", "", body, flags=re.MULTILINE)
        reads = set(re.findall(r"\b(?:FROM|JOIN)\s+(\w+\.\w+)", body))
    fills = tuple(header.get("outputs", [header["output"]] if "output" in header else [name]))
    return Item(name, header, body.strip(), folder, frozenset(reads), fills)


def _split(path: Path, text: str) -> tuple[dict[str, Any], str]:
    if path.suffix == ".sql":
        header, _, body = text.partition("/*")[2].partition("*/")
        return yaml.safe_load(header), body
    if path.suffix == ".py":
        header = text.split("# ---\n")[1]
        return yaml.safe_load(re.sub(r"^# ", "", header, flags=re.MULTILINE)), text
    return yaml.safe_load(text), ""


# -- metrics: each over all rows of its source, with its span and filter as FILTER
def _metrics_select(item: Item) -> str:
    said, key = item.header, ", ".join(item.key)
    sources: dict[str, list[str]] = {}
    for name, metric in said["metrics"].items():
        if "atomic" in metric:
            sources.setdefault(said["atomic"][metric["atomic"]]["from"], []).append(name)
    blocks = [_metrics_block(said, source, names, key) for source, names in sources.items()]
    joined = f"({blocks[0]})" + "".join(f" FULL JOIN ({block}) USING ({key})" for block in blocks[1:])
    outer = []
    for name, metric in said["metrics"].items():
        count = "atomic" in metric and said["atomic"][metric["atomic"]]["value"].startswith("count")
        outer.append(
            f"coalesce({name}, 0) AS {name}"
            if count
            else name
            if "atomic" in metric
            else f"{metric['expr']} AS {name}"
        )
    atoms = f"SELECT {key}, {', '.join(outer[n] for n, metric in enumerate(said['metrics'].values()) if 'atomic' in metric)} FROM {joined}"
    composites = [
        text for text, metric in zip(outer, said["metrics"].values(), strict=True) if "expr" in metric
    ]
    ordered = ", ".join([key, *said["metrics"]])
    return f"SELECT {ordered} FROM (SELECT *{''.join(', ' + one for one in composites)} FROM ({atoms}))"


def _metrics_block(said: dict[str, Any], source: str, names: list[str], key: str) -> str:
    columns = []
    for name in names:
        metric = said["metrics"][name]
        conditions = [
            _span(metric["period"]),
            *([f"({said['filters'][metric['filter']]})"] if "filter" in metric else []),
        ]
        columns.append(
            f"{said['atomic'][metric['atomic']]['value']} FILTER (WHERE {' AND '.join(conditions)}) AS {name}"
        )
    spans = " OR ".join(f"({_span(said['metrics'][name]['period'])})" for name in names)
    present = " AND ".join(f"{one} IS NOT NULL" for one in key.split(", "))
    return f"SELECT {key}, {', '.join(columns)} FROM {source} WHERE ({spans}) AND {present} GROUP BY {key}"


def _span(span: str) -> str:
    if span == "td":
        return "ds <= :data_date"
    if span in ("mtd", "qtd", "ytd"):
        unit = {"m": "month", "q": "quarter", "y": "year"}[span[0]]
        return f"ds BETWEEN date_trunc('{unit}', :data_date) AND :data_date"
    return f"ds BETWEEN :data_date - INTERVAL {int(span[:-1]) - 1} DAY AND :data_date"
