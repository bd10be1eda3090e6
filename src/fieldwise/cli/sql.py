"""`sql`: a reading query over the warehouse, through the server if one runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fieldwise.cli.options import DEFAULT_HOME, AsJson, Home
from fieldwise.cli.output import out, print_json, table
from fieldwise.cli.server import running_server
from fieldwise.model.plain import plain
from fieldwise.wiring import open_home

SHOWN_ROWS = 200


def sql(
    query: Annotated[str, typer.Argument(help="One SELECT; tables are named project.table.")],
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="Rows at the most (default: all with --json, else 200)."),
    ] = None,
) -> None:
    """Ask the warehouse.

    Example: fieldwise sql "SELECT ds, count(*) FROM tpch.fct_order GROUP BY ds ORDER BY ds"
    """
    columns, rows, more = _asked(query, home, limit if limit or as_json else SHOWN_ROWS)
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    table(columns, [["NULL" if value is None else str(value) for value in row] for row in rows])
    out.print(f"[bright_black]{len(rows)} rows" + (", there are more: --limit" if more else "") + "[/]")


def _asked(query: str, home: Path, limit: int | None) -> tuple[list[str], list[list[Any]], bool]:
    server = running_server(home)
    if server is not None:
        answer = server.post("sql", {"sql": query, "limit": limit})
        return list(answer["columns"]), list(answer["rows"]), bool(answer["more"])
    with open_home(home) as deployment:
        found = deployment.query(query, None, limit)
    return list(found.columns), [[plain(value) for value in row] for row in found.rows], found.more


def attach(app: typer.Typer) -> None:
    app.command()(sql)
