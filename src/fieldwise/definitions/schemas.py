"""The shape of every file of a project as pydantic models; their JSON Schemas ship with the package (spec 2)."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from fieldwise.definitions.schedules import schedule_of
from fieldwise.definitions.words import (
    DESCRIPTION_LENGTH,
    NAME,
    NAME_LENGTH,
    Unreadable,
    day,
    seconds,
    span,
    suggestion,
)
from fieldwise.model.schedule import Schedule
from fieldwise.model.status import Priority

PRIORITIES = tuple(priority.word for priority in sorted(Priority, reverse=True))


def _name(value: str) -> str:
    if not NAME.match(value):
        raise Unreadable(f"{value!r} is not a name", "letters, digits and _, beginning with a letter")
    if len(value) > NAME_LENGTH:
        raise Unreadable(f"a name has at most {NAME_LENGTH} characters, this one {len(value)}")
    return value


def _description(value: str) -> str:
    if len(value) > DESCRIPTION_LENGTH:
        raise Unreadable(f"a description has at most {DESCRIPTION_LENGTH} characters, this one {len(value)}")
    return value.strip()


def _priority(value: object) -> str:
    if value not in PRIORITIES:
        raise Unreadable(
            f"unknown priority {value!r}", suggestion(str(value), PRIORITIES), "unknown_priority"
        )
    return str(value)


def _text(value: object) -> object:
    """Numbers and truth values where text is expected are taken as they were written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _one_or_many(value: object) -> object:
    return value if isinstance(value, list) or value is None else [value]


def _schedule(value: object) -> Schedule:
    if not isinstance(value, dict):
        raise Unreadable(
            f"{value!r} is not a schedule", 'for example {period: day, at: "02:30"}', "bad_schedule"
        )
    return schedule_of(value)


Text = Annotated[str, BeforeValidator(_text)]
Name = Annotated[str, BeforeValidator(_text), AfterValidator(_name)]
Description = Annotated[Text, AfterValidator(_description)]
PriorityWord = Annotated[str, BeforeValidator(_priority), WithJsonSchema({"enum": list(PRIORITIES)})]
Seconds = Annotated[
    float, BeforeValidator(seconds), WithJsonSchema({"type": "string", "examples": ["5m", "48h"]})
]
Day = Annotated[date, BeforeValidator(day), WithJsonSchema({"type": "string", "format": "date"})]
Names = Annotated[list[Text], BeforeValidator(_one_or_many)]
ScheduleForm = Annotated[
    Schedule,
    BeforeValidator(_schedule),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                "period": {"enum": ["minute", "hour", "day", "week", "month", "year"]},
                "at": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
                "every": {"type": "integer", "minimum": 1},
                "from": {"type": "string"},
                "to": {"type": "string"},
                "on": {"anyOf": [{"type": "string"}, {"type": "array"}]},
                "short_months": {"enum": ["last", "skip"]},
                "cron": {"type": "string"},
            },
            "additionalProperties": False,
        }
    ),
]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class RetriesForm(Form):
    times: Annotated[int, Field(ge=0, le=10)] = 1
    every: Annotated[Seconds, Field(ge=60, le=3600)] = 300.0
    on_timeout: bool = False


class ParameterForm(Form):
    type: Text
    value: Any


Timeout = Annotated[Seconds, Field(ge=36, le=168 * 3600)]
RerunWord = Literal["always", "on_failure", "never"]


class DefaultsForm(Form):
    priority: PriorityWord | None = None
    resource_group: Text | None = None
    retries: RetriesForm | None = None
    timeout: Timeout | None = None
    rerun: RerunWord | None = None


class ProjectForm(Form):
    """project.yml"""

    name: Name
    display_name: Text = ""
    mode: Literal["basic", "dev_prod"] = "basic"
    timezone: Text = "UTC"
    engine: Literal["duckdb"] = "duckdb"
    dialect: Text = ""
    owners: Names = []
    owner: Text = ""
    params: dict[Name, ParameterForm] = {}
    defaults: DefaultsForm = DefaultsForm()
    edit_url: Text = ""


class SourceForm(Form):
    location: Text = ""
    table: Text = ""
    from_task: Text = ""
    format: Literal["parquet", "csv", "json"] | None = None
    columns: dict[Text, Text] = {}
    key: Names = []
    partition: Text = ""
    ready: Text = ""
    description: Description = ""


class SourcesForm(Form):
    """sources/*.yml"""

    schema_: Name = Field(alias="schema")
    tables: dict[Text, SourceForm]


class FieldForm(Form):
    description: Description = ""
    checks: Annotated[list[Text], BeforeValidator(_one_or_many)] = []


class RowsForm(Form):
    min: Annotated[int, Field(ge=0)] | None = None
    max: Annotated[int, Field(ge=0)] | None = None
    allow_empty: bool = False


class ValidForm(Form):
    from_: Day | None = Field(default=None, alias="from")
    to: Day | None = None


class DependsOnForm(Form):
    table: Text
    fields: Names = []
    window: Literal[
        "current",
        "previous",
        "days_before",
        "last_n",
        "last_24_hours",
        "same_slot",
        "slots_in_interval",
        "slots_of_day",
    ] = "current"
    n: Annotated[int, Field(ge=1)] | None = None
    policy: Literal["all", "first", "last", "nearest_after", "nearest_before"] = "all"


class CommonForm(Form):
    """What every task's header may say."""

    description: Description = ""
    owner: Text = ""
    priority: PriorityWord | None = None
    schedule: ScheduleForm = Schedule()
    schedule_type: Literal["normal", "dry_run", "paused"] = "normal"
    valid: ValidForm = ValidForm()
    tags: Names = []
    depends_on: list[DependsOnForm] = []
    resource_group: Text | None = None
    cost: Annotated[int, Field(ge=1, le=1000)] = 1
    retries: RetriesForm | None = None
    timeout: Timeout | None = None
    rerun: RerunWord | None = None


class TableForm(CommonForm):
    """The header of tables/*.sql"""

    kind: Literal["dimension", "fact", "aggregate"]
    key: Annotated[Names, Field(min_length=1)]
    fields: dict[Text, FieldForm] = {}
    rows: RowsForm = RowsForm()
    allow_empty: bool = False
    nodes: list[Names] = []
    split: Literal["eager", "never"] = "eager"
    visible: Literal["early", "complete"] = "early"
    on_rows_differ: Literal["rerun", "mark"] = "rerun"
    columns: dict[Text, Text] = {}


class AtomicForm(Form):
    from_: Text = Field(alias="from")
    value: Text


class MetricForm(Form):
    atomic: Text = ""
    filter: Text = ""
    period: Annotated[str, BeforeValidator(span)] | None = None
    expr: Text = ""
    project: Text = ""
    owner: Text = ""
    priority: PriorityWord | None = None
    description: Description = ""
    checks: Annotated[list[Text], BeforeValidator(_one_or_many)] = []

    @model_validator(mode="after")
    def one_of_both(self) -> MetricForm:
        if bool(self.atomic) == bool(self.expr):
            raise Unreadable(
                "a metric has either `atomic` with `period`, or `expr`", "{atomic: pay_amt, period: 7d}"
            )
        if self.atomic and self.period is None:
            raise Unreadable("a metric made from an atomic one needs its `period`", "period: 1d")
        return self


class MetricsForm(CommonForm):
    """tables/*.yml"""

    kind: Literal["aggregate"] = "aggregate"
    key: Annotated[Names, Field(min_length=1)]
    atomic: dict[Name, AtomicForm]
    filters: dict[Name, Text] = {}
    metrics: Annotated[dict[Name, MetricForm], Field(min_length=1)]
    rows: RowsForm = RowsForm()
    allow_empty: bool = False
    visible: Literal["early", "complete"] = "early"


class TaskForm(CommonForm):
    """The header of tasks/*"""

    kind: Literal["integration", "computing"]
    outputs: Names = []
    output: Text = ""
    reads: Names = []


class GroupForm(Form):
    slots: Annotated[int, Field(ge=1)]


class GroupsForm(Form):
    """resource_groups.yml"""

    groups: dict[Text, GroupForm]


class RuleForm(Form):
    max_running: Annotated[int, Field(ge=0)]
    environment: Literal["", "prod", "dev"] = ""
    project: Text = ""
    run_type: Literal["", "recurring", "backfill", "manual"] = ""
    task_kind: Literal["", "integration", "computing", "modeling"] = ""
    engine: Text = ""
    tag: Text = ""


class RulesForm(Form):
    """throttling.yml"""

    rules: Annotated[dict[Text, RuleForm], Field(max_length=50)]


FORMS: dict[str, type[Form]] = {
    "project": ProjectForm,
    "sources": SourcesForm,
    "table": TableForm,
    "metrics": MetricsForm,
    "task": TaskForm,
    "resource_groups": GroupsForm,
    "throttling": RulesForm,
}


def json_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of every kind of file, by name."""
    return {name: form.model_json_schema(by_alias=True) for name, form in FORMS.items()}


QUALIFIED = re.compile(r"^[^\W\d]\w*\.[^\W\d]\w*$")
