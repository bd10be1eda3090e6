"""`demo`: the sample warehouse from nothing to an operated one, in one command."""

from __future__ import annotations

import shutil
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from fieldwise.cli.options import DEFAULT_HOME, Home
from fieldwise.cli.output import err, out
from fieldwise.cli.run import run_days, show_result
from fieldwise.cli.sample import SampleUnavailable, generate, landed
from fieldwise.cli.serve import serve_home
from fieldwise.model.errors import FieldwiseError
from fieldwise.usecases.read_project import read_project

PROJECTS = ("tpch", "tpch_growth")
PACKAGED = Path(__file__).resolve().parent.parent / "examples"
CHECKOUT = Path(__file__).resolve().parents[3] / "examples"
DAYS = 3


class SampleMissing(FieldwiseError):
    """The sample warehouse cannot be made."""

    code = "sample_missing"


def demo(
    home: Home = DEFAULT_HOME,
    sf: Annotated[
        float, typer.Option("--sf", help="TPC-H scale factor: 0.01 is tiny, 0.1 the default, 1 a gigabyte.")
    ] = 0.1,
    serve: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve the operations centre afterwards.")
    ] = True,
    port: Annotated[int, typer.Option(help="Port of the operations centre.")] = 8230,
) -> None:
    """Build the TPC-H sample warehouse for the last three data timestamps, then serve the operations centre.

    Safe to repeat: what is done already is not done again.

    Example: fieldwise demo --sf 0.01 --no-serve
    """
    folder = sample_folder()
    yesterday = _yesterday(folder / PROJECTS[0])
    filled = (home / "warehouse.duckdb").exists()
    try:
        with err.status("generating the sample data") as status:
            known = landed(folder / PROJECTS[0]) if filled else None
            # A warehouse that was filled from older deliveries goes on with them: a later day brings its own increment.
            landing = generate(
                folder / PROJECTS[0],
                known.scale_factor if known else sf,
                yesterday,
                DAYS,
                lambda said: status.update(f"sample data: {escape(said)}"),
                keep=filled,
            )
    except SampleUnavailable as error:
        raise SampleMissing(error.message, error.hint) from None
    first = max(landing.first_day, yesterday - timedelta(days=DAYS - 1))
    out.print(
        f"[green]✓[/] sample data of scale factor {landing.scale_factor:g} in {escape(str(folder / PROJECTS[0] / 'data'))}",
        soft_wrap=True,
    )
    out.print(f"  running data timestamps {first} .. {yesterday} of {' and '.join(PROJECTS)}")
    result = run_days([folder / name for name in PROJECTS], first, yesterday, home)
    show_result(result)
    if not result.ok:
        raise typer.Exit(1)
    if serve:
        serve_home(home, "127.0.0.1", port)
        return
    out.print(
        f'  next: fieldwise serve --home {escape(str(home))}    or: fieldwise sql "SELECT * FROM tpch.fct_order LIMIT 5"',
        soft_wrap=True,
    )


def sample_folder() -> Path:
    """The sample projects: those of the checkout, else a copy of the package's own beside the user."""
    if (CHECKOUT / PROJECTS[0] / "project.yml").is_file():
        return Path("examples") if Path("examples").resolve() == CHECKOUT else CHECKOUT
    if not (PACKAGED / PROJECTS[0] / "project.yml").is_file():
        raise SampleMissing(
            "this installation has no sample projects", "clone the repository and run `make demo` there"
        )
    folder = Path("examples")
    for name in PROJECTS:
        if not (folder / name).exists():
            shutil.copytree(PACKAGED / name, folder / name)
    return folder


def _yesterday(project: Path) -> date:
    """The newest data timestamp that can run now, in the zone of the sample's project."""
    definition, _ = read_project(project)
    zone = ZoneInfo(definition.timezone if definition is not None else "UTC")
    return datetime.now(zone).date() - timedelta(days=1)


def attach(app: typer.Typer) -> None:
    app.command()(demo)
