"""`simulate`: what the scheduler would do over some run dates; no engine work is done."""

from __future__ import annotations

from typing import Annotated

import typer

from fieldwise.cli.arguments import parse_date
from fieldwise.cli.definitions import existing
from fieldwise.cli.options import AsJson, Projects
from fieldwise.cli.output import err, out, print_json, table
from fieldwise.simulation.replay import simulate_folders


def simulate(
    projects: Projects,
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="First local run date.")],
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="Last local run date.")],
    zone: Annotated[
        str | None, typer.Option("--zone", help="Time zone instead of the projects' own.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Generate and schedule run dates on a virtual clock, and check every invariant on the way.

    Example: fieldwise simulate examples/tpch --from 2026-03-28 --to 2026-03-30 --zone Europe/Berlin
    """
    document = simulate_folders(existing(projects), parse_date(first), parse_date(last), zone)
    if as_json:
        print_json(document)
    else:
        words = ("generated", "off_day", "succeeded", "failed")
        rows = [[name, *(str(counts[word]) for word in words)] for name, counts in document["tasks"].items()]
        table(["task", "generated", "off days", "succeeded", "failed"], rows)
        for sentence in document["violations"]:
            err.print(f"[red]✕[/] {sentence}")
        out.print(f"{len(document['violations'])} violations")
    if document["violations"]:
        raise typer.Exit(1)


def attach(app: typer.Typer) -> None:
    app.command()(simulate)
