"""The words of the HTTP contract (spec 5): what each answer holds. The web client is generated from these."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

StatusWord = Literal[
    "not_running", "waiting_time", "throttled", "waiting_resources", "running", "succeeded", "failed"
]
FieldStatusWord = Literal["not_running", "waiting", "running", "succeeded", "failed"]
HowWord = Literal["value", "rows"]


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StatusCounts(Answer):
    """Counts of fields by field status and of nodes by node status; only statuses that occur are present."""

    fields: dict[str, int]
    nodes: dict[str, int]


class InstanceItem(Answer):
    """One row of the instance list."""

    id: int
    object: str = Field(description="project.table or project.task")
    description: str = ""
    kind: Literal["integration", "computing", "modeling"]
    table_kind: Literal["dimension", "fact", "aggregate"] | None = None
    environment: Literal["prod", "dev"] = "prod"
    type: Literal["recurring", "backfill", "manual"] = "recurring"
    status: StatusCounts
    period: str
    data_timestamp: str = Field(description="YYYY-MM-DD")
    scheduled_at: str = Field(description="RFC 3339 UTC")
    start: str | None = None
    end: str | None = None
    run_seconds: float | None = None
    priorities: list[str] = []
    owners: list[str] = []
    projects: list[str] = []
    project_display_names: list[str] = []
    tags: list[str] = []
    marks: list[str] = []
    resource_group: str = ""
    timezone: str = Field(default="UTC", description="zone of the project")
    runs: int = 0


class InstancePage(Answer):
    items: list[InstanceItem]
    cursor: str | None
    total: int | None = None


class FieldInstance(Answer):
    field: str
    status: FieldStatusWord
    key: bool
    nodes: list[str]
    labels: list[str] = Field(default=[], description="n1, n2 of the nodes")
    type: str = ""
    description: str = ""
    owner: str = ""
    priority: str = ""
    start: str | None = None
    end: str | None = None
    run_seconds: float | None = None


class NodeInstance(Answer):
    id: int
    node: str
    label: str = ""
    row_node: bool = False
    why: str = ""
    fields: list[str]
    status: StatusWord
    marks: list[str]
    run: int = Field(description="number of the latest run, 0 = never")
    start: str | None = None
    end: str | None = None
    run_seconds: float | None = None
    upstream: int = Field(description="number of direct upstream node instances")
    waits_for: list[str] = Field(
        default=[], description="why it does not run now, in words; empty if nothing holds it"
    )


class InstanceDetail(InstanceItem):
    fields: list[FieldInstance]
    nodes: list[NodeInstance]


class RunItem(Answer):
    id: int
    node_instance: int
    node: str
    label: str = ""
    fields: list[str] = []
    number: int
    attempt: int
    kind: str
    outcome: Literal["running", "succeeded", "failed", "timed_out", "stopped", "lost"]
    start: str
    end: str | None = None
    run_seconds: float | None = None
    rows: int | None = None
    message: str = ""
    code: str = ""
    version: int = 0
    fused_with: list[str] = Field(default=[], description="labels of nodes computed in the same statement")


class RunList(Answer):
    items: list[RunItem]


class LogSlice(Answer):
    """A part of a run's log: `text` from byte `offset`; read on from `next_offset`; `ended` = no more will come."""

    text: str
    offset: int
    next_offset: int
    size: int
    ended: bool


class NodeCode(Answer):
    node: str
    label: str
    row_node: bool
    fields: list[str]
    why: str
    sql: str
    parameters: dict[str, str] = {}
    language: str = "sql"
    file: str
    version: int
    sources: list[str] = []


class Code(Answer):
    """The code of an instance: the user's own text, and every node's statement as run."""

    object: str
    file: str
    language: str
    text: str
    edit_url: str = ""
    nodes: list[NodeCode]


class GraphField(Answer):
    field: str
    key: bool
    status: FieldStatusWord


class GraphInnerNode(Answer):
    id: int
    label: str
    status: StatusWord
    fields: list[GraphField]


class GraphNode(Answer):
    """An instance in the graph, or the virtual root (id 0). `level` < 0 is upstream, 0 the centre."""

    id: int
    object: str
    kind: str
    table_kind: str | None = None
    period: str = ""
    owner: str = ""
    description: str = ""
    data_timestamp: str = ""
    scheduled_at: str = ""
    start: str | None = None
    end: str | None = None
    level: int
    status: StatusCounts
    nodes: list[GraphInnerNode]
    more_up: bool = Field(description="has upstream that is not in this slice")
    more_down: bool


class GraphEdge(Answer):
    """`from_nodes`, `to_nodes`: ids of the node instances joined by it; `previous_period` is drawn dashed."""

    source: int
    target: int
    from_nodes: list[int]
    to_nodes: list[int]
    fields: list[str] = []
    previous_period: bool = False


class Graph(Answer):
    centre: int
    nodes: list[GraphNode]
    edges: list[GraphEdge]
    truncated: bool = False


class LineageNode(Answer):
    table: str
    field: str
    node: str = ""
    kind: Literal["source", "field"]
    status: FieldStatusWord | None = None
    owner: str = ""
    project: str = ""


class LineageEdge(Answer):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    from_: str = Field(alias="from", description="table.field")
    to: str
    how: HowWord


class Lineage(Answer):
    nodes: list[LineageNode]
    edges: list[LineageEdge]


class TableField(Answer):
    field: str
    key: bool
    type: str
    description: str = ""
    node: str = ""
    label: str = ""
    owner: str = ""
    project: str = ""


class TableNode(Answer):
    node: str
    label: str
    row_node: bool
    fields: list[str]
    sources: list[str]
    upstream: list[dict[str, object]]
    why: str


class TableDetail(Answer):
    table: str
    kind: str
    project: str
    description: str = ""
    owner: str = ""
    period: str
    key: list[str]
    fields: list[TableField]
    nodes: list[TableNode]
    version: int
    file: str


class TableList(Answer):
    items: list[TableDetail]


class ProjectItem(Answer):
    name: str
    display_name: str
    timezone: str
    engine: str
    owners: list[str]
    version: int
    tables: int
    tasks: int


class ProjectList(Answer):
    items: list[ProjectItem]


class DayCount(Answer):
    data_timestamp: str
    instances: int
    nodes: dict[str, int]


class OverviewItem(Answer):
    id: int
    object: str
    data_timestamp: str
    text: str
    seconds: float | None = None


class Overview(Answer):
    """The first page: newest data timestamp's counts, the last 7 days, what failed, what runs, what waits longest."""

    data_timestamp: str | None
    instances: int
    nodes: dict[str, int]
    fields: dict[str, int]
    days: list[DayCount]
    failed: list[OverviewItem]
    running: list[OverviewItem]
    waiting: list[OverviewItem]
    slots: list[dict[str, object]] = Field(description="resource groups: name, used, slots")


class Query(Answer):
    sql: str
    parameters: dict[str, object] = {}
    limit: int | None = Field(default=1000, ge=1, le=1_000_000)


class QueryAnswer(Answer):
    columns: list[str]
    types: list[str]
    rows: list[list[object]]
    more: bool


class Failure(BaseModel):
    """application/problem+json (RFC 9457) with a stable `code`."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    code: str
    hint: str = ""
