"""The words of the operations contract (spec 4, "Contracts"): what plans, operations and the emergency wizard say."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from fieldwise.api.models import Answer

VerbWord = Literal[
    "rerun",
    "rerun_downstream",
    "force_rerun",
    "force_rerun_downstream",
    "set_success",
    "stop",
    "pause",
    "resume",
    "set_priority",
    "set_resource_group",
    "remove_upstream",
    "restore_upstream",
    "start",
]
PriorityWord = Literal["highest", "high", "medium", "low", "lowest"]
CauseWord = Literal["KEY", "SAME_NODE", "MADE_FROM", "STALE", "ROWS_DIFFER", "MODEL_REFRESH"]


class Asked(BaseModel):
    """What a client sends: unknown words are refused."""

    model_config = ConfigDict(extra="forbid")


class ScopeAsked(Asked):
    """Either instances by id, or a query in the selection language."""

    instances: list[int] | None = Field(default=None, max_length=100_000)
    query: str | None = Field(default=None, max_length=4_000)
    environment: Literal["prod", "dev"] = "prod"


class PickAsked(Asked):
    """A descendant to go along; `fields` null: the whole table."""

    instance: int
    fields: list[str] | None = None


class OptionsAsked(Asked):
    start_mode: Literal["normal", "dry_run"] = "normal"
    range: Literal["all", "all_failed", "all_final", "custom"] | None = Field(
        default=None, description="null: the verb's own default"
    )
    pick: list[PickAsked] = Field(default=[])
    cross_day: bool = True
    level: int | None = Field(default=None, ge=1, le=10)
    set: Literal["failed", "not_run", "both", "custom"] | None = None
    priority: PriorityWord | None = None
    resource_group: str | None = None
    until: str | None = Field(default=None, description="RFC 3339; pause ends by itself then")
    upstream: list[int] = Field(default=[], description="instance ids of direct upstream instances")
    with_not_run_descendants: bool = False
    check_sources: bool = False


class PlanAsked(Asked):
    verb: VerbWord
    scope: ScopeAsked
    fields: list[str] | None = None
    options: OptionsAsked = OptionsAsked()


class StepItem(Answer):
    """One node instance and what becomes of it."""

    node_instance: int
    instance: int
    table: str
    node: str
    label: str = ""
    fields: list[str]
    data_timestamp: str
    action: Literal["run", "dry_run", "stop", "set_status", "mark", "edge"]
    # Statuses in the API's words; "running" before a run that is stopped first.
    from_: str = Field(alias="from")
    to: str
    level: int = Field(default=0, description="distance from the start, 0 = the start itself")

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class RequiredItem(Answer):
    """A field that must go along, with its cause in words."""

    table: str
    data_timestamp: str
    instance: int
    field: str
    cause: CauseWord
    because: str


class ConflictItem(Answer):
    object: str
    code: str
    message: str


class SkippedItem(Answer):
    object: str
    code: str
    message: str
    instead: str | None = None
    instance: int | None = None
    node_instance: int | None = None


class BaselineImpact(Answer):
    name: str
    slip_minutes: float
    breaks: bool


class Impact(Answer):
    node_instances: int
    fields: int
    tables: int
    projects: list[str]
    owners: list[str]
    running_stopped: int
    engine_seconds: float | None = Field(description="from the last 10 runs of each node; null: no history")
    finish_at: str | None
    baselines: list[BaselineImpact] = Field(default=[])


class OlderThanInput(Answer):
    """A descendant that is not part of the plan and will be older than its input."""

    instance: int
    object: str
    data_timestamp: str
    fields: list[str]


class NotSucceeded(Answer):
    """An ancestor that is not Succeeded."""

    instance: int
    object: str
    data_timestamp: str
    status: str


class PlanBody(Answer):
    plan: str
    hash: str
    expires_at: str
    verb: str
    steps: list[StepItem]
    required: list[RequiredItem]
    conflicts: list[ConflictItem]
    skipped: list[SkippedItem]
    impact: Impact
    older_than_input: list[OlderThanInput] = Field(default=[])
    ancestors_not_succeeded: list[NotSucceeded] = Field(default=[])
    reason_required: bool = False
    warning: str = Field(default="", description="the sentence the dialog shows before it is confirmed")
    refused: str = Field(default="", description="why nothing can be confirmed; empty: it can")


class ConfirmAsked(Asked):
    plan: str
    hash: str
    reason: str = Field(default="", max_length=500)


class OperationItemResult(Answer):
    """Before and after of one node instance."""

    node_instance: int
    instance: int
    table: str
    node: str
    label: str = ""
    fields: list[str]
    data_timestamp: str
    action: str
    before: str
    after: str
    result: str = Field(
        description="applied | waiting | succeeded | failed | too_late | skipped ..., as it stands now"
    )


class OperationItem(Answer):
    """One row of the operation history."""

    operation: int
    status: Literal["applied", "applying", "refused", "cancelled", "awaiting_consent"]
    verb: str
    source: Literal["ui", "api", "cli", "agent"]
    actor: str
    at: str
    reason: str
    applied: int
    total: int
    objects: list[str] = Field(description="tables touched, at most 20")
    scope: dict[str, Any] = Field(default={})
    options: dict[str, Any] = Field(default={})
    fields: list[str] | None = None
    undo_of: int | None = None
    undone_by: int | None = None
    undoable: bool = False
    not_undoable_because: str = ""
    skipped: list[SkippedItem] = Field(default=[])


class OperationDetail(OperationItem):
    plan_hash: str
    items: list[OperationItemResult]


class OperationPage(Answer):
    items: list[OperationItem]
    cursor: str | None


class FieldChoice(Answer):
    """A field as the picker shows it (spec 4, "Choosing fields")."""

    field: str
    key: bool
    state: Literal["selectable", "required", "group", "disabled"]
    group: list[str] = Field(default=[], description="fields that go all or none with it")
    cause: str = ""
    because: str = ""
    status: str


class DraftAsked(Asked):
    instance: int


class BasicAsked(Asked):
    start: Literal["self", "children"]
    cross_day: bool
    confirmed: bool = False


class ProjectsAsked(Asked):
    selected: list[str]
    confirmed: bool = False


class SubmitAsked(Asked):
    hash: str
    reason: str = Field(default="", max_length=500)
    accepted: bool = False


class Draft(Answer):
    id: str
    step: int
    instance: int
    data_timestamp: str
    object: str = ""
    warning: str = ""


class DraftProject(Answer):
    project: str
    display_name: str
    administrator: bool
    instances: int


class DraftProjects(Answer):
    step: int
    projects: list[DraftProject]
    warning: str = ""


class DraftImpact(Answer):
    step: int
    force_rerun: int
    dry_run: int
    baselines: list[BaselineImpact]
    conflicts: list[ConflictItem]
    finish_at: str | None
    hash: str
    message: str = ""


class UndoAsked(Asked):
    reason: str = Field(default="", max_length=500)
