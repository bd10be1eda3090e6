"""`run`: publish, generate and run data timestamps to the end, with a progress bar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from fieldwise.cli.arguments import parse_range
from fieldwise.cli.definitions import existing
from fieldwise.cli.options import DEFAULT_HOME, AsJson, Home, Projects
from fieldwise.cli.output import duration, err, out, print_json
from fieldwise.cli.server import running_server
from fieldwise.model.errors import BadRequest
from fieldwise.wiring import open_home

SHOWN = 20


def run(
    projects: Projects,
    data: Annotated[str, typer.Option("--data", metavar="DAY[..DAY]", help="Data timestamps to run.")],
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Publish the projects if they changed and run every instance of the data timestamps to the end, without a server.

    Scheduled times count as reached. What is done already is not run again.

    Example: fieldwise run examples/tpch --data 2026-11-18..2026-11-20
    """
    days = parse_range(data)
    result = run_days(existing(projects), days.first, days.last, home, quiet=as_json)
    if as_json:
        print_json(result.document())
    else:
        show_result(result)
    if not result.ok:
        raise typer.Exit(1)


def run_days(folders: Sequence[Path], first: date, last: date, home: Path, quiet: bool = False) -> Any:
    """Run with a progress bar on stderr; returns the use case's RunResult."""
    if running_server(home) is not None:
        raise BadRequest(
            f"a server runs on {home} and generates these projects itself",
            "stop it first, or use another --home",
        )
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("nodes"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=quiet and not err.is_terminal) as progress:
        task = progress.add_task("preparing", total=None)

        def moved(done: int, total: int) -> None:
            progress.update(task, description="running", completed=done, total=total)

        with open_home(home) as deployment:
            return deployment.run(folders, first, last, progress=moved)


def show_result(result: Any) -> None:
    """What ran, then what failed and what is blocked, each with its reason."""
    if result.node_instances == 0 and result.ok:
        out.print("[green]✓[/] nothing to run: every instance of these data timestamps has succeeded already")
        return
    look = "[green]✓[/]" if result.ok else "[red]✕[/]"
    out.print(
        f"{look} {result.instances} instances, {result.node_instances} nodes in {duration(result.seconds)}: "
        f"[green]{result.succeeded} succeeded[/], [red]{result.failed} failed[/], [yellow]{result.blocked} blocked[/]"
    )
    for word, colour, rows in (("failed", "red", result.failures), ("blocked", "yellow", result.blocks)):
        for one in rows[:SHOWN]:
            out.print(f"  [{colour}]{word}[/] {escape(_line(one))}", soft_wrap=True)
        if len(rows) > SHOWN:
            out.print(
                f"  ... and {len(rows) - SHOWN} more {word}; fieldwise instances list --status {'failed' if word == 'failed' else 'not_running'}"
            )


def _line(one: dict[str, Any]) -> str:
    fields = ", ".join(one.get("fields") or [])
    reasons = one.get("message") or "; ".join(
        reason.get("message", "") for reason in one.get("reasons") or []
    )
    what = f"{one.get('object', '')} {one.get('data_timestamp', '')}"
    return f"{what} ({fields}): {reasons}" if fields else f"{what}: {reasons}"


def attach(app: typer.Typer) -> None:
    app.command()(run)
