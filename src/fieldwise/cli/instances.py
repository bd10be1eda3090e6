"""`instances list|show|log|code`: what ran, when, with which SQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.syntax import Syntax

from fieldwise.cli.arguments import parse_date, parse_range
from fieldwise.cli.options import DEFAULT_HOME, AsJson, Home
from fieldwise.cli.output import counts_text, duration, local_time, out, print_json, status_text, table
from fieldwise.cli.reading import Reads, reads
from fieldwise.model.errors import NotFound

instances = typer.Typer(no_args_is_help=True, help="Look at instances: list, show, log, code.")
Name = Annotated[str, typer.Argument(metavar="INSTANCE", help="An id, or project.table with --data.")]
Data = Annotated[
    str | None, typer.Option("--data", metavar="DAY", help="Data timestamp, with a table's name.")
]
At = Annotated[
    str, typer.Option("--at", metavar="HH:MM", help="Local scheduled time, for several slots a day.")
]
Many = Annotated[list[str] | None, typer.Option()]
PAGE = 500
FOLLOW_SECONDS = 0.5


def day_of(text: str | None) -> date | None:
    return parse_date(text) if text else None


@instances.command("list")
def list_(
    home: Home = DEFAULT_HOME,
    data: Annotated[str | None, typer.Option("--data", metavar="DAY[..DAY]", help="Data timestamps.")] = None,
    q: Annotated[str | None, typer.Option("--q", help="Part of a name, or an id.")] = None,
    kind: Many = None,
    table_kind: Many = None,
    env: Many = None,
    project: Many = None,
    table_: Annotated[list[str] | None, typer.Option("--table")] = None,
    status: Many = None,
    owner: Many = None,
    priority: Many = None,
    period: Many = None,
    tag: Many = None,
    run_type: Many = None,
    data_from: Annotated[str | None, typer.Option()] = None,
    data_to: Annotated[str | None, typer.Option()] = None,
    started_from: Annotated[str | None, typer.Option()] = None,
    started_to: Annotated[str | None, typer.Option()] = None,
    ended_from: Annotated[str | None, typer.Option()] = None,
    ended_to: Annotated[str | None, typer.Option()] = None,
    paused: Annotated[bool | None, typer.Option()] = None,
    dry_run: Annotated[bool | None, typer.Option()] = None,
    sort: Annotated[
        str, typer.Option(help="name, scheduled, start, end or run_time; -name descends.")
    ] = "-scheduled",
    limit: Annotated[int | None, typer.Option(min=1, help="Rows at the most (default: all).")] = None,
    as_json: AsJson = False,
) -> None:
    """List instances. Options given twice mean or, different options mean and.

    Example: fieldwise instances list --data 2026-11-18 --status failed --status running
    """
    if data:
        days = parse_range(data)
        data_from, data_to = days.first.isoformat(), days.last.isoformat()
    given: dict[str, Any] = {
        "q": q, "kind": kind, "table_kind": table_kind, "env": env, "project": project, "table": table_, "status": status, "owner": owner,
        "priority": priority, "period": period, "tag": tag, "run_type": run_type, "data_from": data_from, "data_to": data_to, "paused": paused,
        "dry_run": dry_run, "started_from": started_from, "started_to": started_to, "ended_from": ended_from, "ended_to": ended_to,
    }  # fmt: skip
    filters = {
        name: value if isinstance(value, list) else [str(value)]
        for name, value in given.items()
        if value is not None and value != []
    }
    with reads(home) as source:
        items = list(_pages(source, filters, sort, limit))
    if as_json:
        print_json({"items": items, "cursor": None})
        return
    if not items:
        out.print("No instance matches.")
        return
    rows = [
        (
            str(one["id"]), one["object"], counts_text(one["status"]["fields"]), counts_text(one["status"]["nodes"]), one["data_timestamp"],
            local_time(one["scheduled_at"], one["timezone"]), duration(one["run_seconds"]), ", ".join(one["owners"]), ", ".join(one["marks"]),
        )
        for one in items
    ]  # fmt: skip
    table(["id", "instance", "fields", "nodes", "data", "scheduled", "run time", "owner", "marks"], rows)


def _pages(
    source: Reads, filters: dict[str, list[str]], sort: str, limit: int | None
) -> Iterator[dict[str, Any]]:
    """Every item, page by page, up to the limit."""
    cursor, left = None, limit
    while left is None or left > 0:
        page = source.instances(filters, sort, min(PAGE, left or PAGE), cursor)
        yield from page["items"]
        cursor = page["cursor"]
        left = None if left is None else left - len(page["items"])
        if cursor is None:
            return


@instances.command()
def show(
    name: Name, home: Home = DEFAULT_HOME, data: Data = None, at: At = "", as_json: AsJson = False
) -> None:
    """Show an instance with its fields and nodes, and why what waits does wait.

    Example: fieldwise instances show tpch.fct_line --data 2026-11-18
    """
    with reads(home) as source:
        one = source.instance(source.find(name, day_of(data), at))
    if as_json:
        print_json(one)
        return
    zone = one["timezone"]
    out.print(
        f"[bold]{escape(one['object'])}[/]  id {one['id']}  data timestamp {one['data_timestamp']}  scheduled {local_time(one['scheduled_at'], zone)}"
    )
    out.print(counts_text(one["status"]["nodes"]))
    if one["fields"]:
        rows = [
            (
                f["field"] + (" (key)" if f["key"] else ""),
                status_text(f["status"]),
                ", ".join(f["labels"]),
                f["type"],
                local_time(f["end"], zone),
            )
            for f in one["fields"]
        ]
        table(["field", "status", "node", "type", "ended"], rows, "\nFields")
    nodes = [
        (
            n["label"] or n["node"],
            status_text(n["status"]),
            ", ".join(n["fields"]),
            str(n["run"]),
            duration(n["run_seconds"]),
            "; ".join(n["waits_for"]),
        )
        for n in one["nodes"]
    ]
    table(["node", "status", "fields", "run", "run time", "waits for"], nodes, "\nNodes")


def _chosen_runs(source: Reads, number: int, node: str, run: int | None) -> list[dict[str, Any]]:
    """The latest run of each node, or the ones asked for; a fused statement is shown once."""
    found = source.runs(number)["items"]
    if node:
        found = [
            one
            for one in found
            if node in (one["label"], one["node"], one["node"].split("/")[-1]) or node in one["fields"]
        ]
    if run is not None:
        return [one for one in found if one["number"] == run]
    latest: dict[str, dict[str, Any]] = {}
    for one in found:
        if one["node"] not in latest or one["number"] > latest[one["node"]]["number"]:
            latest[one["node"]] = one
    return list(latest.values())


@instances.command()
def log(
    name: Name,
    home: Home = DEFAULT_HOME,
    data: Data = None,
    at: At = "",
    node: Annotated[str, typer.Option("--node", help="Label (n1), id or a field of a node.")] = "",
    run: Annotated[int | None, typer.Option("--run", help="Number of a run (default: the latest).")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on while it runs.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the logs of an instance's latest runs.

    Example: fieldwise instances log tpch.fct_line --data 2026-11-18 --node n2
    """
    with reads(home) as source:
        runs = _chosen_runs(source, source.find(name, day_of(data), at), node, run)
        if not runs:
            raise NotFound(f"{name} has no such run", "fieldwise instances show lists its nodes and runs")
        if as_json:
            print_json([one | {"log": _whole_log(source, one["id"])} for one in runs])
            return
        for one in runs:
            out.print(
                f"[bold]{one['label'] or one['node']}[/]  run {one['number']}  {one['outcome'].replace('_', ' ')}  {duration(one['run_seconds'])}"
            )
            _print_log(source, one["id"], follow)


def _whole_log(source: Reads, run: int) -> str:
    texts: list[str] = []
    offset = 0
    while True:
        part = source.log(run, offset)
        texts.append(part["text"])
        offset = part["next_offset"]
        if offset >= part["size"] or not part["text"]:
            return "".join(texts)


def _print_log(source: Reads, run: int, follow: bool) -> None:
    offset = 0
    while True:
        part = source.log(run, offset)
        out.print(part["text"], end="", markup=False, soft_wrap=True)
        offset = part["next_offset"]
        if offset >= part["size"] and (part["ended"] or not follow):
            return
        if not part["text"]:
            time.sleep(FOLLOW_SECONDS)


@instances.command()
def code(
    name: Name, home: Home = DEFAULT_HOME, data: Data = None, at: At = "", as_json: AsJson = False
) -> None:
    """Print the statements of an instance's nodes as they run, with their parameters.

    Example: fieldwise instances code tpch.fct_line --data 2026-11-18
    """
    with reads(home) as source:
        found = source.code(source.find(name, day_of(data), at))
    if as_json:
        print_json(found)
        return
    out.print(f"[bright_black]{escape(found['file'])}[/]")
    for node in found["nodes"]:
        out.print(
            f"\n[bold]{node['label']}[/]  {escape(', '.join(node['fields']))}\n  [bright_black]{escape(node['why'])}[/]",
            soft_wrap=True,
        )
        text = node["sql"] or found["text"]
        out.print(
            Syntax(
                text, "sql" if node["sql"] else found["language"], word_wrap=True, background_color="default"
            )
        )
        if node["parameters"]:
            out.print(
                "  " + escape(", ".join(f"{key} = {value}" for key, value in node["parameters"].items()))
            )


def attach(app: typer.Typer) -> None:
    app.add_typer(instances, name="instances")
