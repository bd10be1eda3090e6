"""`init`, `check`, `plan`, `publish`, `schema`: from files to a published version."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.syntax import Syntax

from fieldwise.cli.options import DEFAULT_HOME, AsJson, Home, Projects
from fieldwise.cli.output import err, out, print_json, print_problems, problem_document, table
from fieldwise.cli.server import running_server
from fieldwise.definitions.schemas import json_schemas
from fieldwise.definitions.starter import starter_project
from fieldwise.model.errors import BadRequest, Problem
from fieldwise.wiring import check_folders, open_home, plan_folders


def init(
    folder: Annotated[Path, typer.Argument(help="Folder to make; its last part becomes the project's name.")],
    as_json: AsJson = False,
) -> None:
    """Make a small working project to begin with.

    Example: fieldwise init shop && fieldwise run shop --data 2026-11-18
    """
    if folder.exists() and any(folder.iterdir()):
        raise BadRequest(f"{folder} is not empty", "choose a new folder; nothing was written")
    for name, text in starter_project(folder.name).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if as_json:
        print_json({"project": folder.name, "folder": str(folder)})
        return
    out.print(f"[green]✓[/] project [bold]{escape(folder.name)}[/] in {escape(str(folder))}")
    out.print(
        f"  next: fieldwise check {escape(str(folder))}   then: fieldwise run {escape(str(folder))} --data YYYY-MM-DD"
    )


def existing(folders: Sequence[str]) -> list[Path]:
    """Every folder that was named, or a usage error that says which is wrong."""
    for folder in folders:
        if not Path(folder).is_dir():
            raise typer.BadParameter(f"folder {folder!r} does not exist", param_hint="PROJECT")
    return [Path(folder) for folder in folders]


def _given_home(home: Path) -> bool:
    """`check` and `plan` create nothing on disk: a home counts only if it is there."""
    return (home / "state.db").exists()


def check(projects: Projects, home: Home = DEFAULT_HOME, as_json: AsJson = False) -> None:
    """Report every mistake of the projects at once, with file, line, column and what to do.

    Example: fieldwise check examples/tpch
    """
    folders = existing(projects)
    problems = _checked(folders, home)
    if as_json:
        print_json({"ok": not problems, "errors": [problem_document(one) for one in problems]})
    elif problems:
        print_problems(problems)
        err.print(f"[red]✕[/] {len(problems)} problem(s)")
    else:
        out.print(f"[green]✓[/] {', '.join(folder.name for folder in folders)}: no problems")
    if problems:
        raise typer.Exit(1)


def _checked(folders: list[Path], home: Path) -> Sequence[Problem]:
    server = running_server(home)
    if server is not None:
        return [
            Problem(**one)
            for one in server.post("definitions/check", {"folders": _absolute(folders)})["errors"]
        ]
    if _given_home(home):
        with open_home(home) as deployment:
            return deployment.check(folders).problems
    return check_folders(folders).problems


def _absolute(folders: Sequence[Path]) -> list[str]:
    return [str(folder.resolve()) for folder in folders]


def plan(
    projects: Projects,
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
    sql: Annotated[bool, typer.Option("--sql", help="Show each node's statement.")] = False,
) -> None:
    """Show the nodes the SQL falls into, why, what they wait for, and what publishing would change.

    Example: fieldwise plan examples/tpch --sql
    """
    folders = existing(projects)
    document = _planned(folders, home)
    if as_json:
        print_json(document)
        return
    for one in document["tables"]:
        _show_table(one, sql)
    _show_changes(document["changes"])


def _planned(folders: list[Path], home: Path) -> dict[str, Any]:
    server = running_server(home)
    if server is not None:
        return dict(server.post("definitions/plan", {"folders": _absolute(folders)}))
    if _given_home(home):
        with open_home(home) as deployment:
            return deployment.plan(folders)
    return plan_folders(folders)


def _show_table(one: dict[str, Any], sql: bool) -> None:
    out.print(f"\n[bold]{escape(one['table'])}[/]  {one['kind']}  key ({', '.join(one['key'])})")
    for number, node in enumerate(one["nodes"], 1):
        label = node.get("label") or f"n{number}"
        row = "  [cyan]row node[/]" if node["row_node"] else ""
        out.print(
            f"  [bold]{label}[/]{row}  {escape(', '.join(node['fields'])) or '(key only)'}", soft_wrap=True
        )
        out.print(f"      [bright_black]{escape(node['why'])}[/]", soft_wrap=True)
        waits = [
            f"{up['table']} ({up['window']}{' ' + str(up['n']) if up['n'] else ''})"
            for up in node["upstream"]
        ]
        if waits:
            out.print(f"      waits for {escape(', '.join(waits))}", soft_wrap=True)
        if sql:
            out.print(Syntax(node["sql"], "sql", word_wrap=True, background_color="default", padding=(0, 6)))


def _show_changes(changes: Sequence[dict[str, Any]]) -> None:
    if not changes:
        out.print("\nNothing to publish: this is what is active.")
        return
    out.print()
    table(
        ["table", "change", "detail"],
        [(one["table"], one["change"].replace("_", " "), one["detail"]) for one in changes],
        "Changes",
    )


def publish(projects: Projects, home: Home = DEFAULT_HOME, as_json: AsJson = False) -> None:
    """Store a new version of the projects and bring the warehouse's tables to it; data is never destroyed.

    Example: fieldwise publish examples/tpch
    """
    folders = existing(projects)
    results = _published(folders, home)
    if as_json:
        print_json({"projects": results})
        return
    for one in results:
        words = (
            f"version {one['version']} is active"
            if one["changed"]
            else f"nothing changed; version {one['version']} stays active"
        )
        out.print(f"[green]✓[/] {escape(one['project'])}: {words}")
        if one["changes"]:
            _show_changes(one["changes"])


def _published(folders: list[Path], home: Path) -> list[dict[str, Any]]:
    server = running_server(home)
    if server is not None:
        return list(server.post("definitions", {"folders": _absolute(folders)})["projects"])
    with open_home(home) as deployment:
        return publish_documents(deployment.publish(folders))


def publish_documents(results: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {
            "project": one.publication.project.name,
            "version": one.publication.version,
            "changed": one.changed,
            "changes": [{"table": c.table, "change": c.change, "detail": c.detail} for c in one.changes],
        }
        for one in results
    ]


def schema(
    kind: Annotated[
        str, typer.Argument(help="project, sources, table, metrics, task, resource_groups or throttling")
    ] = "",
) -> None:
    """Print the JSON Schema of a kind of file (or of all), for editors.

    Example: fieldwise schema table > table.schema.json
    """
    schemas = json_schemas()
    if kind and kind not in schemas:
        raise typer.BadParameter(f"there is no kind {kind!r}; there are {', '.join(schemas)}")
    print_json(schemas[kind] if kind else schemas)


def attach(app: typer.Typer) -> None:
    for command in (init, check, plan, publish, schema):
        app.command()(command)
