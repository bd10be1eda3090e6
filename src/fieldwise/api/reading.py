"""The read endpoints (spec 5): parse, ask the browser, respond."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import FileResponse, Response, StreamingResponse

from fieldwise.api import models
from fieldwise.api.errors import problem
from fieldwise.api.services import Acting, Reading
from fieldwise.model.plain import plain

router = APIRouter(prefix="/api/v1")
Words = Annotated[list[str] | None, Query()]
Number = Annotated[int, Path(ge=0, le=2**62)]
Levels = Annotated[int, Query(ge=0, le=100)]


@router.get("/instances", response_model=models.InstancePage, operation_id="listInstances")
def list_instances(
    browse: Reading,
    q: str | None = None,
    kind: Words = None,
    table_kind: Words = None,
    env: Words = None,
    project: Words = None,
    table: Words = None,
    data_from: str | None = None,
    data_to: str | None = None,
    status: Words = None,
    owner: Words = None,
    priority: Words = None,
    period: Words = None,
    paused: bool | None = None,
    dry_run: bool | None = None,
    tag: Words = None,
    run_type: Words = None,
    started_from: str | None = None,
    started_to: str | None = None,
    ended_from: str | None = None,
    ended_to: str | None = None,
    sort: str = "-scheduled",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: str | None = None,
    count: Literal["exact", "estimate"] | None = None,
) -> dict[str, Any]:
    """Instances by filters; the same key again means or, different keys mean and."""
    given: dict[str, list[str] | str | bool | None] = {
        "q": q, "kind": kind, "table_kind": table_kind, "env": env, "project": project, "table": table, "data_from": data_from, "data_to": data_to,
        "status": status, "owner": owner, "priority": priority, "period": period, "paused": paused, "dry_run": dry_run, "tag": tag,
        "run_type": run_type, "started_from": started_from, "started_to": started_to, "ended_from": ended_from, "ended_to": ended_to,
    }  # fmt: skip
    filters = {
        name: value if isinstance(value, list) else [str(value)]
        for name, value in given.items()
        if value is not None
    }
    return browse.instances(filters, sort, limit, cursor, count)


@router.get("/instances/{id}", response_model=models.InstanceDetail, operation_id="getInstance")
def get_instance(browse: Reading, id: Number) -> dict[str, Any]:
    return browse.instance(id)


@router.get("/instances/{id}/fields", response_model=list[models.FieldInstance], operation_id="listFields")
def list_fields(browse: Reading, id: Number) -> Any:
    return browse.instance(id)["fields"]


@router.get("/instances/{id}/nodes", response_model=list[models.NodeInstance], operation_id="listNodes")
def list_nodes(browse: Reading, id: Number) -> Any:
    return browse.instance(id)["nodes"]


@router.get("/instances/{id}/runs", response_model=models.RunList, operation_id="listRuns")
def list_runs(browse: Reading, id: Number) -> dict[str, Any]:
    return browse.runs(id)


@router.get("/instances/{id}/code", response_model=models.Code, operation_id="getCode")
def get_code(browse: Reading, id: Number) -> dict[str, Any]:
    return browse.code(id)


@router.get("/instances/{id}/graph", response_model=models.Graph, operation_id="getGraph")
def get_graph(browse: Reading, id: Number, up: Levels = 1, down: Levels = 1) -> dict[str, Any]:
    return browse.graph(id, up, down)


@router.get("/runs/{id}/log", response_model=models.LogSlice, operation_id="getLog")
def get_log(
    browse: Reading,
    id: Number,
    offset: Annotated[int, Query(ge=-1, description="-1: the last part")] = 0,
    limit: Annotated[int, Query(ge=1, le=4 * 1024 * 1024)] = 65_536,
    download: bool = False,
) -> Any:
    """A part of a run's log; with `download` the whole file."""
    if download:
        path, _ = browse.log_path(id)
        if path is None or not path.is_file():
            return problem(404, "not_found", "This run wrote no log")
        return FileResponse(path, media_type="text/plain; charset=utf-8", filename=f"run_{id}.log")
    return browse.log(id, offset, limit)


@router.get("/tables", response_model=models.TableList, operation_id="listTables")
def list_tables(browse: Reading) -> dict[str, Any]:
    return browse.tables()


@router.get("/tables/{table}", response_model=models.TableDetail, operation_id="getTable")
def get_table(browse: Reading, table: str) -> dict[str, Any]:
    return browse.table(table)


Day = Annotated[date | None, Query(description="data timestamp of the statuses shown; the newest if absent")]
Depth = Annotated[int | None, Query(ge=1, le=10_000)]


@router.get(
    "/tables/{table}/fields/{field}/production", response_model=models.Lineage, operation_id="getProduction"
)
def get_production(
    browse: Reading, table: str, field: str, data: Day = None, depth: Depth = None
) -> dict[str, Any]:
    return browse.lineage(table, field, "up", data, depth)


@router.get(
    "/tables/{table}/fields/{field}/consumption", response_model=models.Lineage, operation_id="getConsumption"
)
def get_consumption(
    browse: Reading, table: str, field: str, data: Day = None, depth: Depth = None
) -> dict[str, Any]:
    return browse.lineage(table, field, "down", data, depth)


@router.get("/projects", response_model=models.ProjectList, operation_id="listProjects")
def list_projects(browse: Reading) -> dict[str, Any]:
    return browse.projects()


@router.get("/overview", response_model=models.Overview, operation_id="getOverview")
def get_overview(browse: Reading) -> dict[str, Any]:
    return browse.overview()


@router.post("/sql", response_model=models.QueryAnswer, operation_id="querySql")
def query_sql(acting: Acting, body: models.Query) -> dict[str, Any]:
    """One reading statement over the warehouse."""
    found = acting.query(body.sql, body.parameters or None, body.limit)
    rows = [[plain(value) for value in row] for row in found.rows]
    return {"columns": list(found.columns), "types": list(found.types), "rows": rows, "more": found.more}


@router.get("/events", operation_id="events", response_class=StreamingResponse)
async def events(request: Request) -> Response:
    """Server-sent events: `instances` with {"ids": [...]} after changes, `ping` when nothing happens."""
    feed = request.app.state.feed
    stream: AsyncIterator[str] = feed.listen(request.headers.get("last-event-id"))
    return StreamingResponse(
        stream,
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.get("/instances-by-name", operation_id="findInstance")
def find_instance(
    browse: Reading, name: str, data: Annotated[date | None, Query()] = None, at: str = ""
) -> dict[str, int]:
    """The id of the instance of `project.table` at a data timestamp (and a local time of day)."""
    return {"id": browse.find(name, data, at)}
