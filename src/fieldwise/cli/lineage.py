"""`lineage`: what a field is made from, and what is made from it."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.tree import Tree

from fieldwise.cli.arguments import parse_date
from fieldwise.cli.options import DEFAULT_HOME, AsJson, Home
from fieldwise.cli.output import STATUS_LOOK, out, print_json
from fieldwise.cli.reading import reads


def lineage(
    field: Annotated[str, typer.Argument(metavar="TABLE.FIELD", help="project.table.field")],
    up: Annotated[bool, typer.Option("--up", help="What it is made from.")] = False,
    down: Annotated[bool, typer.Option("--down", help="What is made from it.")] = False,
    depth: Annotated[int | None, typer.Option("--depth", min=1, help="Levels at the most.")] = None,
    data: Annotated[
        str | None, typer.Option("--data", metavar="DAY", help="Data timestamp of the statuses shown.")
    ] = None,
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Trace a field across tables and projects.

    Example: fieldwise lineage tpch.fct_line.discount_amount --down
    """
    table, _, name = field.rpartition(".")
    if table.count(".") != 1:
        raise typer.BadParameter(f"{field!r} is not a field; write project.table.field")
    if up and down:
        raise typer.BadParameter("choose --up or --down")
    direction = "down" if down else "up"
    with reads(home) as source:
        found = source.lineage(table, name, direction, parse_date(data) if data else None, depth)
    if as_json:
        print_json({"nodes": found["nodes"], "edges": found["edges"]})
        return
    out.print(_tree(found, field, direction))
    out.print("[bright_black]● its values   ◌ its rows (filter, join, grouping)[/]")


def _tree(found: dict[str, Any], root: str, direction: str) -> Tree:
    nodes = {f"{one['table']}.{one['field']}": one for one in found["nodes"]}
    near, far = ("to", "from") if direction == "up" else ("from", "to")
    beyond: dict[str, dict[str, str]] = {}
    for edge in found["edges"]:
        here = beyond.setdefault(edge[near], {})
        here[edge[far]] = "value" if "value" in (edge["how"], here.get(edge[far])) else "rows"
    tree = Tree(_label(nodes.get(root), root, ""))
    seen = {root}
    stack = [(tree, root)]
    while stack:
        branch, name = stack.pop()
        for other, how in sorted(beyond.get(name, {}).items(), key=lambda one: (one[1] != "value", one[0])):
            child = branch.add(_label(nodes.get(other), other, how) + (" …" if other in seen else ""))
            if other not in seen:
                seen.add(other)
                stack.append((child, other))
    return tree


def _label(node: dict[str, Any] | None, name: str, how: str) -> str:
    sign = {"value": "● ", "rows": "◌ "}.get(how, "")
    status = node.get("status") if node else None
    icon, colour = STATUS_LOOK.get(status, ("", "white")) if status else ("", "white")
    kind = " [bright_black](source)[/]" if node and node["kind"] == "source" else ""
    return f"{sign}[{colour}]{icon}[/] {escape(name)}{kind}" if icon else f"{sign}{escape(name)}{kind}"


def attach(app: typer.Typer) -> None:
    app.command()(lineage)
