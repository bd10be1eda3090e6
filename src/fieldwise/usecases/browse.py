"""Everything people read: lists, an instance, its runs, log, code, graph and lineage, in the words of the API (spec 5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from fieldwise import calendar
from fieldwise.fleet.decide import Fleet
from fieldwise.fleet.fold import field_status
from fieldwise.fleet.readiness import explain
from fieldwise.model.definition import ProjectDefinition
from fieldwise.model.errors import BadRequest, NotFound
from fieldwise.model.event import from_day, from_micros, to_day, to_micros
from fieldwise.model.plan import CompiledTask, Node, Publication
from fieldwise.model.status import STATUS_BY_WORD, Environment, FieldStatus, Status, TaskKind
from fieldwise.ports.clock import Clock
from fieldwise.ports.store import Store
from fieldwise.usecases.trace_lineage import Lineage, trace_lineage
from fieldwise.usecases.versions import project_of

T = TypeVar("T")
LOG_SLICE = 262_144
GRAPH_AT_MOST = 2_000
SHORT_LIST = 8
DAYS_SHOWN = 7


class Browser:
    """Reads for people. `with_fleet` lets a function look at the open window (the leader's own, if one runs)."""

    def __init__(
        self, store: Store, home: Path, with_fleet: Callable[[Callable[[Fleet], Any]], Any], clock: Clock
    ) -> None:
        self._store = store
        self._home = home
        self._with_fleet = with_fleet
        self._clock = clock
        self._publications: dict[tuple[str, int], Publication] = {}
        self._compiled: dict[tuple[str, int], CompiledTask] = {}

    # -- instances
    def instances(
        self,
        filters: Mapping[str, Sequence[str]],
        sort: str = "-scheduled",
        limit: int = 50,
        cursor: str | None = None,
        count: str | None = None,
    ) -> dict[str, Any]:
        page = self._store.instances(filters, sort, limit, cursor, count)
        return {"items": page.items, "cursor": page.cursor, "total": page.total}

    def find(
        self, name: str, data: date | None = None, at: str = "", environment: Environment = Environment.PROD
    ) -> int:
        """The id of an instance named by its id, or by `project.table` and a data timestamp (and a time of day)."""
        if name.isdigit():
            return int(name)
        if data is None:
            raise BadRequest(f"which day of {name}?", "name the instance by its id, or add --data 2026-11-18")
        found = self._store.find_instances(environment, name, to_day(data))
        if at:
            found = [number for number in found if self._local_time(number) == at]
        if not found:
            raise NotFound(
                f"{name} has no instance with data timestamp {data}" + (f" at {at}" if at else ""),
                "fieldwise instances list shows what there is",
            )
        if len(found) > 1:
            times = ", ".join(self._local_time(number) for number in found)
            raise BadRequest(
                f"{name} has {len(found)} instances with data timestamp {data}",
                f"add --at with one of {times}",
            )
        return found[0]

    def _local_time(self, number: int) -> str:
        row = self._row(number)
        zone = calendar.zone_of(str(row.get("timezone") or "UTC"))
        return from_micros(row["_scheduled_at"]).astimezone(zone).strftime("%H:%M")

    def _row(self, number: int) -> dict[str, Any]:
        row = self._store.instance(number)
        if row is None:
            raise NotFound(
                f"there is no instance {number}",
                "it may have been tidied away; fieldwise instances list shows what there is",
            )
        return row

    def instance(self, number: int) -> dict[str, Any]:
        """The item of the list with its fields and nodes (`instances show`)."""
        row = self._row(number)
        task = self._task(row)
        nodes = self._nodes(number, task)
        return _public(row) | {"fields": _fields(task, nodes), "nodes": nodes}

    def _nodes(self, number: int, task: CompiledTask) -> list[dict[str, Any]]:
        known = {node.id: node for node in task.nodes}
        found = self._store.node_instances(number)
        waiting = [one["id"] for one in found if not STATUS_BY_WORD[one["status"]].final]
        counts, reasons = self._with_fleet(
            lambda fleet: _looked_up(
                fleet, [one["id"] for one in found], waiting, to_micros(self._clock.now())
            )
        )
        nodes = []
        for one in found:
            node = known.get(one["node"], Node(one["node"], "", False, ()))
            nodes.append(
                {
                    "id": one["id"], "node": one["node"], "label": node.label, "row_node": node.row_node, "why": node.why,
                    "fields": list(node.fields), "status": one["status"], "marks": one["marks"], "run": one["run"],
                    "start": one["start"], "end": one["end"], "run_seconds": one["run_seconds"],
                    "upstream": counts.get(one["id"], 0), "waits_for": reasons.get(one["id"], []),
                }
            )  # fmt: skip
        return sorted(nodes, key=lambda one: (len(one["label"]), one["label"]))

    # -- runs
    def runs(self, number: int) -> dict[str, Any]:
        row = self._row(number)
        labels = {node.id: node for node in self._task(row).nodes}
        found = self._store.runs(number)
        together: dict[int, list[str]] = defaultdict(list)
        for run in found:
            together[run["fused_with"]].append(run["node"])
        return {"items": [_run(run, labels, together) for run in found]}

    def log(self, run_id: int, offset: int = 0, limit: int = LOG_SLICE) -> dict[str, Any]:
        """A part of a run's log. `offset` -1: the last part."""
        path, ended = self.log_path(run_id)
        size = path.stat().st_size if path is not None and path.is_file() else 0
        start = max(0, size - limit) if offset < 0 else min(offset, size)
        data = b""
        if size and path is not None:
            with path.open("rb") as file:
                file.seek(start)
                data = file.read(limit)
        if start + len(data) < size:  # never cut a character in two
            data = data[: data.rfind(b"\n") + 1] or data
        return {
            "text": data.decode("utf-8", "replace"),
            "offset": start,
            "next_offset": start + len(data),
            "size": size,
            "ended": ended,
        }

    def log_path(self, run_id: int) -> tuple[Path | None, bool]:
        """Where a run's log is, and whether the run has ended."""
        run = self._store.run(run_id)
        if run is None:
            raise NotFound(f"there is no run {run_id}")
        path = (self._home / run["log"]).resolve() if run["log"] else None
        if path is not None and not path.is_relative_to(self._home.resolve()):
            path = None
        return path, run["outcome"] != "running"

    # -- code
    def code(self, number: int) -> dict[str, Any]:
        row = self._row(number)
        task, publication = self._task(row), self._publication(row)
        definition = task.definition
        values = {name: str(value) for name, value in self._parameters(publication.project, row).items()}
        return {
            "object": task.name,
            "file": definition.file,
            "language": definition.language,
            "text": _source_text(definition.text),
            "edit_url": _edit_url(publication.project, definition.file),
            "nodes": [
                {
                    "node": node.id, "label": node.label, "row_node": node.row_node, "fields": list(node.fields), "why": node.why, "sql": node.sql,
                    "parameters": {name: values.get(name, "") for name in node.parameters}, "language": "sql" if node.sql else definition.language,
                    "file": definition.file, "version": row["_version"], "sources": list(node.sources),
                }
                for node in task.nodes
            ],
        }  # fmt: skip

    def _parameters(self, project: ProjectDefinition, row: Mapping[str, Any]) -> dict[str, Any]:
        zone = calendar.zone_of(project.timezone)
        day = from_day(row["_data_day"])
        start, end = calendar.day_bounds(day, zone)
        at, slot_start = from_micros(row["_scheduled_at"]), from_micros(row["_slot_start"])
        times = {
            "scheduled_at": at,
            "slot_start": slot_start,
            "slot_end": at,
            "day_start": start,
            "day_end": end,
        }
        return {
            "data_date": day,
            **{name: f"{value:%Y-%m-%d %H:%M:%S}" for name, value in times.items()},
            **{p.name: p.value for p in project.parameters},
        }

    # -- graph
    def graph(self, number: int, up: int = 1, down: int = 1) -> dict[str, Any]:
        """Instances around one, level by level, with their nodes and fields; at most 2,000 of them."""
        self._row(number)
        levels, edges, more = self._with_fleet(lambda fleet: _neighbours(fleet, number, up, down))
        truncated = len(levels) > GRAPH_AT_MOST
        shown = dict(sorted(levels.items(), key=lambda one: abs(one[1]))[:GRAPH_AT_MOST])
        nodes = [self._graph_node(one, level, more.get(one, (False, False))) for one, level in shown.items()]
        days = {one["id"]: one["data_timestamp"] for one in nodes}
        lines = [
            {
                "source": a,
                "target": b,
                "from_nodes": sorted(pairs[0]),
                "to_nodes": sorted(pairs[1]),
                "fields": [],
                "previous_period": days[a] != days[b],
            }
            for (a, b), pairs in edges.items()
            if a in days and b in days
        ]
        return {"centre": number, "nodes": nodes, "edges": lines, "truncated": truncated}

    def _graph_node(self, number: int, level: int, more: tuple[bool, bool]) -> dict[str, Any]:
        row = self._row(number)
        task = self._task(row)
        known = {node.id: node for node in task.nodes}
        inner = []
        for one in self._store.node_instances(number):
            node = known.get(one["node"], Node(one["node"], "", False, ()))
            status = _field_of(STATUS_BY_WORD[one["status"]])
            fields = [{"field": name, "key": True, "status": status} for name in task.key] + [
                {"field": name, "key": False, "status": status} for name in node.fields
            ]
            inner.append({"id": one["id"], "label": node.label, "status": one["status"], "fields": fields})
        return {
            "id": number, "object": row["object"], "kind": row["kind"], "table_kind": row["table_kind"], "period": row["period"],
            "owner": ", ".join(row["owners"]), "description": row["description"], "data_timestamp": row["data_timestamp"],
            "scheduled_at": row["scheduled_at"], "start": row["start"], "end": row["end"], "level": level, "status": row["status"],
            "nodes": sorted(inner, key=lambda one: (len(one["label"]), one["label"])), "more_up": more[0], "more_down": more[1],
        }  # fmt: skip

    # -- definitions
    def _active(self) -> list[Publication]:
        return self._store.active_publications(Environment.PROD)

    def projects(self) -> dict[str, Any]:
        return {
            "items": [
                {
                    "name": p.project.name, "display_name": p.project.display_name or p.project.name, "timezone": p.project.timezone,
                    "engine": p.project.engine, "owners": sorted({*p.project.owners, *([p.project.owner] if p.project.owner else [])}),
                    "version": p.version, "tables": sum(t.definition.kind is TaskKind.MODELING for t in p.tasks),
                    "tasks": sum(t.definition.kind is not TaskKind.MODELING for t in p.tasks),
                }
                for p in self._active()
            ]
        }  # fmt: skip

    def tables(self) -> dict[str, Any]:
        return {
            "items": [
                _table(p, t)
                for p in self._active()
                for t in p.tasks
                if t.definition.kind is TaskKind.MODELING
            ]
        }

    def table(self, name: str) -> dict[str, Any]:
        for publication in self._active():
            for task in publication.tasks:
                if task.name == name and task.definition.kind is TaskKind.MODELING:
                    return _table(publication, task)
        raise NotFound(f"no published table {name!r}", "fieldwise plan lists the tables of a project")

    def lineage(
        self, table: str, field: str, direction: str, data: date | None = None, depth: int | None = None
    ) -> dict[str, Any]:
        """What a field is made from (`up`) or what is made from it (`down`), with statuses of a data timestamp."""
        lineage = Lineage(self._active())
        return trace_lineage(lineage, table, field, direction, depth, self._status_of(data))

    def _status_of(self, data: date | None) -> Callable[[str, str], str | None]:
        """The status of a field at a data timestamp (the newest if none is given); tables are looked at once."""
        day = to_day(data) if data is not None else self._newest_day()
        known: dict[str, dict[str, str]] = {}

        def status(table: str, field: str) -> str | None:
            if day is None:
                return None
            if table not in known:
                found = self._store.find_instances(Environment.PROD, table, day)
                known[table] = (
                    {one["field"]: one["status"] for one in self._field_rows(found[-1])} if found else {}
                )
            return known[table].get(field)

        return status

    def _field_rows(self, number: int) -> list[dict[str, Any]]:
        task = self._task(self._row(number))
        return _fields(
            task,
            [
                {**one, "label": "", "fields": list(_fields_of(task, one["node"]))}
                for one in self._store.node_instances(number)
            ],
        )

    # -- overview
    def _newest_day(self) -> int | None:
        today = to_day(self._clock.now().date() + timedelta(days=1))
        return self._store.newest_day(Environment.PROD, today - 1)

    def overview(self) -> dict[str, Any]:
        newest = self._newest_day()
        if newest is None:
            return {
                "data_timestamp": None,
                "instances": 0,
                "nodes": {},
                "fields": {},
                "days": [],
                "failed": [],
                "running": [],
                "waiting": [],
                "slots": self._slots(),
            }
        days = self._store.day_counts(Environment.PROD, newest, DAYS_SHOWN)
        here = next((one for one in days if one["data_timestamp"] == from_day(newest).isoformat()), days[0])
        return {
            "data_timestamp": here["data_timestamp"],
            "instances": here["instances"],
            "nodes": here["nodes"],
            "fields": here["fields"],
            "days": [
                {
                    "data_timestamp": one["data_timestamp"],
                    "instances": one["instances"],
                    "nodes": one["nodes"],
                }
                for one in days
            ],
            "failed": self._short(newest, Status.FAILED, Status.FAILED),
            "running": self._short(newest, Status.RUNNING, Status.RUNNING),
            "waiting": self._short(newest, Status.NOT_RUNNING, Status.WAITING_RESOURCES),
            "slots": self._slots(),
        }

    def _short(self, newest: int, first: Status, last: Status) -> list[dict[str, Any]]:
        """The longest in a status, one line per instance."""
        now = to_micros(self._clock.now())
        found: dict[int, dict[str, Any]] = {}
        for one in self._store.in_status(
            Environment.PROD, newest - DAYS_SHOWN, newest, (int(first), int(last)), SHORT_LIST * 6
        ):
            since = one["ended_at"] or one["started_at"] or one["scheduled_at"]
            text = Status(one["status"]).word.replace("_", " ")
            item = {
                "id": one["id"],
                "object": one["object"],
                "data_timestamp": from_day(one["data_day"]).isoformat(),
                "text": text,
                "seconds": max(0.0, (now - since) / 1e6),
            }
            found.setdefault(one["id"], item)
        return list(found.values())[:SHORT_LIST]

    def _slots(self) -> list[dict[str, Any]]:
        return list(self._with_fleet(_slots_used))

    # -- versions
    def _publication(self, row: Mapping[str, Any]) -> Publication:
        key = (project_of(row["object"]), int(row["_version"]))
        if key not in self._publications:
            self._publications[key] = self._store.publication(Environment(row["environment"]), *key)
        return self._publications[key]

    def _task(self, row: Mapping[str, Any]) -> CompiledTask:
        key = (row["object"], int(row["_version"]))
        if key not in self._compiled:
            for task in self._publication(row).tasks:
                self._compiled[task.name, key[1]] = task
        return self._compiled[key]


def _public(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.startswith("_")}


def _fields_of(task: CompiledTask, node_id: str) -> tuple[str, ...]:
    return next((node.fields for node in task.nodes if node.id == node_id), ())


def _field_of(status: Status) -> str:
    return field_status([status]).word


def _fields(task: CompiledTask, nodes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every field with the status folded from its nodes; a key field is in all of them."""
    found = []
    for one in task.fields:
        mine = [node for node in nodes if one.key or one.name in node["fields"]]
        status = (
            field_status([STATUS_BY_WORD[node["status"]] for node in mine])
            if mine
            else FieldStatus.NOT_RUNNING
        )
        starts = [node["start"] for node in mine if node["start"]]
        ends = [node["end"] for node in mine if node["end"]]
        seconds = [node["run_seconds"] for node in mine if node.get("run_seconds") is not None]
        found.append(
            {
                "field": one.name, "status": status.word, "key": one.key, "nodes": [node["node"] for node in mine],
                "labels": [node["label"] for node in mine], "type": one.type, "description": one.description,
                "owner": one.owner or task.definition.owner, "priority": (one.priority or task.definition.priority).word,
                "start": min(starts, default=None), "end": max(ends, default=None) if len(ends) == len(mine) else None,
                "run_seconds": max(seconds, default=None),
            }
        )  # fmt: skip
    return found


def _run(
    run: Mapping[str, Any], labels: Mapping[str, Node], together: Mapping[int, list[str]]
) -> dict[str, Any]:
    node = labels.get(run["node"])
    names = (
        "id",
        "node_instance",
        "node",
        "number",
        "attempt",
        "kind",
        "outcome",
        "start",
        "end",
        "run_seconds",
        "rows",
        "message",
        "code",
        "version",
    )
    others = [
        labels[name].label for name in together[run["fused_with"]] if name != run["node"] and name in labels
    ]
    return {name: run[name] for name in names} | {
        "label": node.label if node else "",
        "fields": list(node.fields) if node else [],
        "fused_with": sorted(others),
    }


def _table(publication: Publication, task: CompiledTask) -> dict[str, Any]:
    definition = task.definition
    by_field = {name: node for node in task.nodes for name in node.fields}
    return {
        "table": task.name, "kind": definition.table_kind.value if definition.table_kind else "", "project": definition.project,
        "description": definition.description, "owner": definition.owner, "period": definition.schedule.period.value, "key": list(task.key),
        "fields": [
            {
                "field": one.name, "key": one.key, "type": one.type, "description": one.description,
                "node": by_field[one.name].id if one.name in by_field else "", "label": by_field[one.name].label if one.name in by_field else "",
                "owner": one.owner or definition.owner, "project": one.project or definition.project,
            }
            for one in task.fields
        ],
        "nodes": [
            {
                "node": node.id, "label": node.label, "row_node": node.row_node, "fields": list(node.fields), "sources": list(node.sources), "why": node.why,
                "upstream": [
                    {"table": up.task, "fields": list(up.fields), "window": up.window.value, "n": up.n, "policy": up.policy.value} for up in node.upstream
                ],
            }
            for node in task.nodes
        ],
        "version": publication.version, "file": definition.file,
    }  # fmt: skip


def _source_text(text: str) -> str:
    """Without the lines that the header left blank."""
    lines = text.rstrip().splitlines()
    while lines and not lines[0].strip():
        lines.pop(0)
    return "\n".join(lines)


def _edit_url(project: ProjectDefinition, file: str) -> str:
    if not project.edit_url:
        return ""
    path = "/".join(Path(file).parts[-2:])
    return project.edit_url.replace("{path}", path).replace("{line}", "1")


# -- looks at the open window


def _looked_up(
    fleet: Fleet, ids: Sequence[int], waiting: Sequence[int], now: int
) -> tuple[dict[int, int], dict[int, list[str]]]:
    """Numbers of direct upstream node instances, and why those that wait do not run."""
    window = fleet.window
    counts: dict[int, int] = {}
    for number in ids:
        row = window.row(number)
        if row is not None:
            counts[number] = len(np.unique(window.upstream.of(np.array([row]))))
    reasons: dict[int, list[str]] = {}
    for number in waiting:
        if window.row(number) is not None:
            results = explain(fleet, number, now)
            reasons[number] = [
                reason.message for one in results if one.result == "blocked" for reason in one.reasons
            ]
    return counts, reasons


Pairs = tuple[set[int], set[int]]


def _neighbours(
    fleet: Fleet, number: int, up: int, down: int
) -> tuple[dict[int, int], dict[tuple[int, int], Pairs], dict[int, tuple[bool, bool]]]:
    """Instances by level around one (upstream negative), the edges among them, and who has more beyond."""
    window = fleet.window
    levels: dict[int, int] = {number: 0}
    edges: dict[tuple[int, int], Pairs] = {}
    for step, depth, adjacency in ((-1, up, window.upstream), (1, down, window.downstream)):
        layer = {number}
        for level in range(1, depth + 1):
            layer = {
                other
                for rows in [_rows_of(fleet, layer)]
                for other in window.instance_id[window.instance[adjacency.of(rows).astype(np.int64)]].tolist()
                if other not in levels
            }
            levels |= dict.fromkeys(layer, step * level)
            if not layer or len(levels) > GRAPH_AT_MOST:
                break
    more: dict[int, tuple[bool, bool]] = {}
    for one in list(levels)[:GRAPH_AT_MOST]:
        beyond = [False, False]
        for row in _rows_of(fleet, {one}).tolist():
            for ahead in window.upstream.of(np.array([row])).tolist():
                other = int(window.instance_id[window.instance[ahead]])
                if other == one:
                    continue
                if other in levels:
                    pairs = edges.setdefault((other, one), (set(), set()))
                    pairs[0].add(int(window.id[ahead]))
                    pairs[1].add(int(window.id[row]))
                else:
                    beyond[0] = True
            below = window.downstream.of(np.array([row])).astype(np.int64)
            beyond[1] = beyond[1] or any(
                int(other) not in levels for other in window.instance_id[window.instance[below]]
            )
        more[one] = (beyond[0], beyond[1])
    return levels, edges, more


def _rows_of(fleet: Fleet, instances: set[int]) -> Any:
    window = fleet.window
    owners = np.searchsorted(window.instance_id, np.array(sorted(instances), dtype=np.int64))
    owners = owners[owners < len(window.instance_id)]
    rows, _ = window.rows_of(owners)
    return rows.astype(np.int64)


def _slots_used(fleet: Fleet) -> list[dict[str, Any]]:
    """Resource groups with the slots in use."""
    used = fleet.queue.used
    return [
        {
            "name": f"{project}.{name}" if project else name,
            "used": used[number] if number < len(used) else 0,
            "slots": fleet.catalog.group_slots[number],
        }
        for (project, name), number in fleet.catalog.groups.items()
    ]
