"""The verbs: each prints its plan and asks before it does anything (spec 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import typer
from rich.markup import escape

from fieldwise.cli.arguments import parse_date
from fieldwise.cli.options import DEFAULT_HOME, AsJson, Home
from fieldwise.cli.output import err, out, print_json, status_text, table
from fieldwise.cli.reading import Reads, Remote
from fieldwise.cli.server import running_server
from fieldwise.client import Client
from fieldwise.model.access import LOCAL
from fieldwise.model.errors import NotFound
from fieldwise.usecases.operation_words import request_of
from fieldwise.wiring import open_home

HELP = {
    "rerun": "Run again: starts by itself when its upstream has succeeded.",
    "rerun-downstream": "Run again what depends on it: after this instance's data changed, or after a descendant failed.",
    "force-rerun": "Run now, whatever upstream, time or status.",
    "force-rerun-downstream": "Run now, and everything below it from the top.",
    "set-success": "Declare failed or not-run fields Succeeded and let what depends on them go on.",
    "stop": "Stop: system or operating error, or running without producing data: look at the log.",
    "pause": "Hold with its descendants. Resources are short: hold low priorities so that high ones run.",
    "resume": "Lift a pause.",
    "set-priority": "Change the priority of instances or of single metrics.",
    "set-resource-group": "Move to another resource group.",
    "remove-upstream": "No longer wait for named direct upstream instances.",
    "restore-upstream": "Wait for removed upstream instances again.",
    "start": "Ask a Not Running instance of dev to run when its conditions hold.",
}
MANY_STEPS = 40


class Operates(Protocol):
    """The path of an operation, through a server or in this process."""

    def plan(self, body: dict[str, Any]) -> dict[str, Any]: ...

    def confirm(self, plan: dict[str, Any], reason: str) -> dict[str, Any]: ...

    def plan_undo(self, operation: int) -> dict[str, Any]: ...

    def operation(self, number: int) -> dict[str, Any]: ...

    def operations(self, filters: dict[str, Any]) -> dict[str, Any]: ...

    def wait(self, operation: int) -> dict[str, Any]: ...


class OfServer:
    def __init__(self, client: Client) -> None:
        self._client = client

    def plan(self, body: dict[str, Any]) -> dict[str, Any]:
        return dict(self._client.post("plans", body))

    def confirm(self, plan: dict[str, Any], reason: str) -> dict[str, Any]:
        return self._client.confirm(plan, reason)

    def plan_undo(self, operation: int) -> dict[str, Any]:
        return dict(self._client.post(f"operations/{operation}/undo?plan_only=true", {}))

    def operation(self, number: int) -> dict[str, Any]:
        return self._client.operation(number)

    def operations(self, filters: dict[str, Any]) -> dict[str, Any]:
        return dict(self._client.get("operations", filters))

    def wait(self, operation: int) -> dict[str, Any]:
        return self._client.wait(operation)


class OfHome:
    """Without a server this process applies the operation and runs what it set in motion to the end."""

    def __init__(self, deployment: Any) -> None:
        self._operator = deployment.operate

    def plan(self, body: dict[str, Any]) -> dict[str, Any]:
        return dict(self._operator.plan(request_of(body), LOCAL))

    def confirm(self, plan: dict[str, Any], reason: str) -> dict[str, Any]:
        return dict(self._operator.confirm(plan["plan"], plan["hash"], reason, LOCAL))

    def plan_undo(self, operation: int) -> dict[str, Any]:
        return dict(self._operator.plan_undo(operation, LOCAL))

    def operation(self, number: int) -> dict[str, Any]:
        return dict(self._operator.operation(number))

    def operations(self, filters: dict[str, Any]) -> dict[str, Any]:
        limit = int(filters.pop("limit", 50))
        filters["actor"] = filters.pop("operator", None)
        return dict(self._operator.operations(filters, limit))

    def wait(self, operation: int) -> dict[str, Any]:
        return self.operation(operation)


@contextmanager
def operating(home: Path) -> Iterator[tuple[Operates, Reads, bool]]:
    """(operations, reads, whether this process itself runs what is set in motion)."""
    server = running_server(home)
    if server is not None:
        yield OfServer(server), Remote(server), False
        return
    if not (home / "state.db").exists():
        raise NotFound(f"{home} holds no state yet", "run a project first, or name another --home")
    with open_home(home) as deployment:
        yield OfHome(deployment), deployment.browse, True


@dataclass(frozen=True)
class Answering:
    """How a verb's plan is shown and confirmed."""

    reason: str
    yes: bool
    plan_only: bool
    wait: bool
    as_json: bool


def show_plan(plan: dict[str, Any]) -> None:
    """What goes along and why first, then steps, impact and what is left out."""
    if plan["required"]:
        rows = [
            (one["table"], one["data_timestamp"], one["field"], one["cause"], one["because"])
            for one in plan["required"]
        ]
        table(["table", "data", "required field", "cause", "because"], rows[:MANY_STEPS], "Must go along")
        _more(len(rows))
    rows_ = [
        (
            str(one["instance"]), one["table"], one["label"], one["data_timestamp"], ", ".join(one["fields"]) or "-",
            one["action"], status_text(one["from"]), status_text(one["to"]),
        )
        for one in plan["steps"]
    ]  # fmt: skip
    if rows_:
        table(["id", "table", "node", "data", "fields", "action", "from", "to"], rows_[:MANY_STEPS], "Steps")
        _more(len(rows_))
    for name, title in (("conflicts", "Conflict"), ("skipped", "Skipped")):
        for one in plan[name][:MANY_STEPS]:
            instead = f" (instead: {one['instead']})" if one.get("instead") else ""
            out.print(
                f"[yellow]{title}[/] {escape(one['object'])}: {escape(one['message'])}{instead}",
                soft_wrap=True,
            )
    for one in plan["ancestors_not_succeeded"][:MANY_STEPS]:
        out.print(
            f"[yellow]Upstream[/] {one['object']} {one['data_timestamp']} is {one['status'].replace('_', ' ')}"
        )
    for one in plan["older_than_input"][:MANY_STEPS]:
        fields = ", ".join(one["fields"])
        out.print(
            f"[yellow]Older than its input afterwards:[/] {one['object']} {one['data_timestamp']} {fields}"
        )
    impact = plan["impact"]
    time = (
        "" if impact["engine_seconds"] is None else f", about {impact['engine_seconds']:.1f} s of engine time"
    )
    stopped = f", {impact['running_stopped']} running are stopped" if impact["running_stopped"] else ""
    out.print(
        f"[bold]{impact['node_instances']} node instances[/], {impact['fields']} fields of {impact['tables']} tables, "
        f"projects {', '.join(impact['projects']) or '-'}, owners {', '.join(impact['owners']) or '-'}{time}{stopped}",
        soft_wrap=True,
    )
    if plan["warning"]:
        out.print(f"[red]{escape(plan['warning'])}[/]", soft_wrap=True)


def _more(count: int) -> None:
    if count > MANY_STEPS:
        out.print(f"... and {count - MANY_STEPS} more (--json shows all)")


def answer(operates: Operates, plan: dict[str, Any], how: Answering, local: bool) -> None:
    """Show the plan, ask, apply, and say what came of it."""
    if how.plan_only:
        if how.as_json:
            print_json(plan)
        else:
            show_plan(plan)
            if plan["refused"]:
                out.print(f"[red]✕[/] {escape(plan['refused'])}")
        raise typer.Exit(1 if plan["refused"] else 0)
    if not how.as_json:
        show_plan(plan)
    if plan["refused"]:
        _refuse(plan, how)
    if not how.yes:
        if how.as_json:
            raise typer.BadParameter("with --json confirm with --yes, or stop at the plan with --plan-only")
        typer.confirm(
            f"{plan['verb'].replace('_', ' ').capitalize()} {len(plan['steps'])} node instances?", abort=True
        )
    operation = operates.confirm(plan, how.reason)
    ended = operates.wait(operation["operation"]) if how.wait or local else None
    runs = _runs(ended) if ended is not None else None
    if how.as_json:
        document = {**operation, "plan_body": plan}
        print_json(document | ({"runs": runs} if runs is not None else {}))
    else:
        said = f"operation {operation['operation']}: {operation['applied']}/{operation['total']} {operation['status']}"
        ran = (
            f"; {runs['succeeded']} succeeded, {runs['failed']} failed"
            if runs is not None and (runs["succeeded"] or runs["failed"])
            else ""
        )
        out.print(f"[green]✓[/] {said}{ran}")
    raise typer.Exit(1 if runs is not None and runs["failed"] else 0)


def _refuse(plan: dict[str, Any], how: Answering) -> None:
    if how.as_json:
        error = {"code": "plan_refused", "message": plan["refused"], "hint": ""}
        print_json({"error": error, "plan_body": plan})
    else:
        err.print(f"[red]✕[/] {escape(plan['refused'])}", soft_wrap=True)
    raise typer.Exit(1)


def _runs(operation: dict[str, Any]) -> dict[str, int]:
    results = [item["result"] for item in operation["items"] if item["action"] == "run"]
    return {
        "succeeded": sum(result == "succeeded" for result in results),
        "failed": sum(result in ("failed", "timed_out", "lost") for result in results),
    }


Objects = Annotated[
    list[str] | None, typer.Argument(metavar="[INSTANCE]...", help="Ids, or project.table with --data.")
]
Data = Annotated[
    str | None, typer.Option("--data", metavar="DAY", help="Data timestamp, with a table's name.")
]
At = Annotated[
    str, typer.Option("--at", metavar="HH:MM", help="Local scheduled time, for several slots a day.")
]
Query = Annotated[
    str | None, typer.Option("--query", help='Selection, e.g. "table:shop.fct_order status:failed".')
]
Fields = Annotated[
    str | None, typer.Option("--fields", metavar="A,B", help="Only these fields, and what must go along.")
]
Reason = Annotated[str, typer.Option("--reason", help="Kept in the operation log.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Confirm the plan without asking.")]
PlanOnly = Annotated[bool, typer.Option("--plan-only", help="Print the plan and stop.")]
Wait = Annotated[
    bool, typer.Option("--wait", help="With a server: wait until everything that runs has ended.")
]
Pick = Annotated[
    list[str] | None,
    typer.Option("--pick", metavar="ID[:A,B]", help="A descendant (and fields of it); may be repeated."),
]


def _scope(
    source: Reads, objects: list[str] | None, data: str | None, at: str, query: str | None
) -> dict[str, Any]:
    if query:
        return {"query": query}
    if not objects:
        raise typer.BadParameter("name instances, or give --query")
    day = parse_date(data) if data else None
    return {"instances": [source.find(name, day, at) for name in objects]}


def _pick(text: str) -> dict[str, Any]:
    number, _, fields = text.partition(":")
    if not number.isdigit():
        raise typer.BadParameter(f"--pick {text}: write an instance id, or id:field,field")
    return {"instance": int(number), "fields": fields.split(",") if fields else None}


def _ids(text: str) -> list[int]:
    parts = [part for part in text.replace(" ", ",").split(",") if part]
    if not all(part.isdigit() for part in parts):
        raise typer.BadParameter(f"--upstream {text}: write instance ids, separated by commas")
    return [int(part) for part in parts]


def _run(
    verb: str,
    objects: list[str] | None,
    home: Path,
    data: str | None,
    at: str,
    query: str | None,
    fields: str | None,
    how: Answering,
    options: dict[str, Any],
) -> None:
    with operating(home) as (operates, source, local):
        body = {
            "verb": verb.replace("-", "_"),
            "scope": _scope(source, objects, data, at, query),
            "fields": [name for name in fields.split(",") if name] if fields else None,
            "options": {name: value for name, value in options.items() if value not in (None, [], "")},
        }
        answer(operates, operates.plan(body), how, local)


def _plain(verb: str) -> Callable[..., None]:
    """A verb without options of its own."""

    def command(
        objects: Objects = None,
        data: Data = None,
        at: At = "",
        query: Query = None,
        fields: Fields = None,
        check_sources: Annotated[
            bool,
            typer.Option("--check-sources", help="Read the sources in scope again to find stale fields."),
        ] = False,
        reason: Reason = "",
        yes: Yes = False,
        plan_only: PlanOnly = False,
        wait: Wait = False,
        home: Home = DEFAULT_HOME,
        as_json: AsJson = False,
    ) -> None:
        how = Answering(reason, yes, plan_only, wait, as_json)
        _run(verb, objects, home, data, at, query, fields, how, {"check_sources": check_sources})

    command.__doc__ = f"""{HELP[verb]}

    Example: fieldwise {verb} shop.fct_order --data 2026-11-18 --fields refund --plan-only
    """
    return command


def force_rerun(
    objects: Objects = None,
    data: Data = None,
    at: At = "",
    query: Query = None,
    fields: Fields = None,
    with_not_run_descendants: Annotated[
        bool,
        typer.Option("--with-not-run-descendants", help="Descendants that have not run are looked at again."),
    ] = False,
    check_sources: Annotated[bool, typer.Option("--check-sources")] = False,
    reason: Reason = "",
    yes: Yes = False,
    plan_only: PlanOnly = False,
    wait: Wait = False,
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Run now, whatever upstream, time or status; a running one is stopped first.

    Example: fieldwise force-rerun shop.fct_order --data 2026-11-18 --fields refund --yes
    """
    options = {"with_not_run_descendants": with_not_run_descendants, "check_sources": check_sources}
    how = Answering(reason, yes, plan_only, wait, as_json)
    _run("force_rerun", objects, home, data, at, query, fields, how, options)


def _downstream(verb: str) -> Callable[..., None]:
    def command(
        objects: Objects = None,
        data: Data = None,
        at: At = "",
        query: Query = None,
        fields: Fields = None,
        start_mode: Annotated[
            Literal["normal", "dry_run"],
            typer.Option("--start-mode", help="dry_run: the start succeeds without running."),
        ] = "normal",
        range_: Annotated[
            Literal["all", "all_failed", "all_final", "custom"] | None,
            typer.Option("--range", help="Which descendants."),
        ] = None,
        pick: Pick = None,
        cross_day: Annotated[
            Literal["yes", "no"], typer.Option("--cross-day", help="Follow dependencies to later days.")
        ] = "yes",
        level: Annotated[int | None, typer.Option("--level", min=1, max=10, help="How far down.")] = None,
        check_sources: Annotated[bool, typer.Option("--check-sources")] = False,
        reason: Reason = "",
        yes: Yes = False,
        plan_only: PlanOnly = False,
        wait: Wait = False,
        home: Home = DEFAULT_HOME,
        as_json: AsJson = False,
    ) -> None:
        options = {
            "start_mode": start_mode, "range": range_ or ("custom" if pick else None), "pick": [_pick(one) for one in pick or []],
            "cross_day": cross_day == "yes", "level": level, "check_sources": check_sources,
        }  # fmt: skip
        how = Answering(reason, yes, plan_only, wait, as_json)
        _run(verb, objects, home, data, at, query, fields, how, options)

    command.__doc__ = f"""{HELP[verb]}

    Example: fieldwise {verb} shop.fct_order --data 2026-11-18 --fields refund --reason "late refunds"
    """
    return command


def set_success(
    objects: Objects = None,
    data: Data = None,
    at: At = "",
    query: Query = None,
    fields: Fields = None,
    set_: Annotated[
        Literal["failed", "not_run", "both", "custom"] | None, typer.Option("--set", help="Which fields.")
    ] = None,
    reason: Reason = "",
    yes: Yes = False,
    plan_only: PlanOnly = False,
    wait: Wait = False,
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Declare failed or not-run fields Succeeded and let what depends on them go on. Writes no data.

    Example: fieldwise set-success shop.fct_order --data 2026-11-18 --set failed --reason "checked by hand"
    """
    how = Answering(reason, yes, plan_only, wait, as_json)
    _run("set_success", objects, home, data, at, query, fields, how, {"set": set_})


def pause(
    objects: Objects = None,
    data: Data = None,
    at: At = "",
    query: Query = None,
    fields: Fields = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Resumes by itself then, e.g. 2026-11-21T08:00:00Z."),
    ] = None,
    reason: Reason = "",
    yes: Yes = False,
    plan_only: PlanOnly = False,
    wait: Wait = False,
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Hold with its descendants. Resources are short: hold low priorities so that high ones run.

    Example: fieldwise pause --query "priority:low status:not_running" --until 2026-11-21T08:00:00Z
    """
    how = Answering(reason, yes, plan_only, wait, as_json)
    _run("pause", objects, home, data, at, query, fields, how, {"until": until})


def set_priority(
    objects: Objects = None,
    priority: Annotated[
        Literal["highest", "high", "medium", "low", "lowest"], typer.Option("--priority")
    ] = "medium",
    data: Data = None,
    at: At = "",
    query: Query = None,
    fields: Fields = None,
    reason: Reason = "",
    yes: Yes = False,
    plan_only: PlanOnly = False,
    wait: Wait = False,
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Change the priority of instances, or of single metrics of an aggregate table.

    Example: fieldwise set-priority tpch_growth.agg_channel --data 2026-11-18 --fields order_count_7d --priority high
    """
    how = Answering(reason, yes, plan_only, wait, as_json)
    _run("set_priority", objects, home, data, at, query, fields, how, {"priority": priority})


def set_resource_group(
    objects: Objects = None,
    group: Annotated[str, typer.Option("--group", help="Name of the resource group.")] = "default",
    data: Data = None,
    at: At = "",
    query: Query = None,
    fields: Fields = None,
    reason: Reason = "",
    yes: Yes = False,
    plan_only: PlanOnly = False,
    wait: Wait = False,
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Move instances to the queue of another resource group.

    Example: fieldwise set-resource-group shop.fct_order --data 2026-11-18 --group small
    """
    how = Answering(reason, yes, plan_only, wait, as_json)
    _run("set_resource_group", objects, home, data, at, query, fields, how, {"resource_group": group})


def _upstream(verb: str) -> Callable[..., None]:
    def command(
        objects: Objects = None,
        upstream: Annotated[
            str, typer.Option("--upstream", metavar="IDS", help="Direct upstream instances, by id.")
        ] = "",
        data: Data = None,
        at: At = "",
        fields: Fields = None,
        reason: Reason = "",
        yes: Yes = False,
        plan_only: PlanOnly = False,
        wait: Wait = False,
        home: Home = DEFAULT_HOME,
        as_json: AsJson = False,
    ) -> None:
        how = Answering(reason, yes, plan_only, wait, as_json)
        _run(verb, objects, home, data, at, None, fields, how, {"upstream": _ids(upstream)})

    command.__doc__ = f"""{HELP[verb]}

    Example: fieldwise {verb} shop.total --data 2026-11-18 --upstream 12,13 --reason "source was dropped"
    """
    return command


def undo(
    operation: Annotated[int, typer.Argument(help="Number of the operation.")],
    reason: Reason = "",
    yes: Yes = False,
    plan_only: PlanOnly = False,
    wait: Wait = False,
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Take an operation back, where there is a way back.

    Example: fieldwise undo 12
    """
    with operating(home) as (operates, _, local):
        answer(
            operates, operates.plan_undo(operation), Answering(reason, yes, plan_only, wait, as_json), local
        )


def operations(
    number: Annotated[
        int | None, typer.Argument(metavar="[OPERATION]", help="Show one with its node instances.")
    ] = None,
    object_: Annotated[str | None, typer.Option("--object", help="Part of a table's name.")] = None,
    verb: Annotated[str | None, typer.Option("--verb")] = None,
    operator: Annotated[str | None, typer.Option("--operator", help="Who.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="ui, api, cli or agent.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """The operation log: who did what, when and why, and what became of it.

    Example: fieldwise operations --verb force_rerun --limit 5
    """
    with operating(home) as (operates, _, _local):
        if number is not None:
            _one(operates.operation(number), as_json)
            return
        given = {"object": object_, "verb": verb, "operator": operator, "source": source, "limit": limit}
        page = operates.operations({name: value for name, value in given.items() if value is not None})
    if as_json:
        print_json(page)
        return
    if not page["items"]:
        out.print("No operation yet.")
        return
    rows = [
        (
            str(one["operation"]), one["at"][:19].replace("T", " ") + " UTC", one["actor"], one["source"], one["verb"].replace("_", " "),
            ", ".join(one["objects"][:3]), f"{one['applied']}/{one['total']}", one["status"], one["reason"],
        )
        for one in page["items"]
    ]  # fmt: skip
    table(["id", "at", "who", "by", "verb", "objects", "applied", "status", "reason"], rows)


def _one(operation: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(operation)
        return
    said = f"{operation['verb'].replace('_', ' ')} by {operation['actor']} ({operation['source']}) at {operation['at']}"
    out.print(f"[bold]operation {operation['operation']}[/] {said}: {operation['status']}")
    if operation["reason"]:
        out.print(f"reason: {escape(operation['reason'])}")
    rows = [
        (
            item["table"], item["label"], item["data_timestamp"], ", ".join(item["fields"]), item["action"],
            status_text(item["before"]), status_text(item["after"]), item["result"],
        )
        for item in operation["items"]
    ]  # fmt: skip
    table(["table", "node", "data", "fields", "action", "before", "now", "result"], rows)


def attach(app: typer.Typer) -> None:
    app.command("rerun")(_plain("rerun"))
    app.command("rerun-downstream")(_downstream("rerun-downstream"))
    app.command("force-rerun")(force_rerun)
    app.command("force-rerun-downstream")(_downstream("force-rerun-downstream"))
    app.command("set-success")(set_success)
    app.command("stop")(_plain("stop"))
    app.command("pause")(pause)
    app.command("resume")(_plain("resume"))
    app.command("set-priority")(set_priority)
    app.command("set-resource-group")(set_resource_group)
    app.command("remove-upstream")(_upstream("remove-upstream"))
    app.command("restore-upstream")(_upstream("restore-upstream"))
    app.command("undo")(undo)
    app.command("operations")(operations)
