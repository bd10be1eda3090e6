"""The shape of every file of a project as pydantic models; their JSON Schemas ship with the package (spec 2)."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
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
from fieldwise.model.schedule import Period, Schedule, ShortMonths
from fieldwise.model.status import Priority

PRIORITIES = tuple(priority.word for priority in sorted(Priority, reverse=True))


def _name(value: str) -> str:
    if not NAME.match(value):
        raise Unreadable(f"{value!r} is not a name", "letters, digits and _, beginning with a letter")
    if len(value) > NAME_LENGTH:
        raise Unreadable(f"a name has at most {NAME_LENGTH} characters, this one {len(value)}")
    return value


def _short_enough(value: str) -> str:
    if not value.strip():
        raise Unreadable("a name is empty")
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


def _condition(value: str) -> str:
    if not value.strip():
        raise Unreadable("a check is empty", 'write a condition of the value: not_null, ">= 0"')
    return value.strip()


def _schedule(value: object) -> Schedule:
    if not isinstance(value, dict):
        raise Unreadable(
            f"{value!r} is not a schedule", 'for example {period: day, at: "02:30"}', "bad_schedule"
        )
    return schedule_of(value)


def _supported_engine(value: object) -> object:
    if value in ("postgres", "postgresql", "spark"):
        raise Unreadable(f"engine {value} is not supported by this version", "engine: duckdb", "unsupported")
    return value


def _supported_dialect(value: object) -> object:
    if value not in ("", "duckdb"):
        raise Unreadable(
            f"dialect {value!r} is not supported by this version", "write the SQL for duckdb", "unsupported"
        )
    return value


SCALAR: dict[str, Any] = {"type": ["string", "number", "boolean"]}
SCALARS: dict[str, Any] = {"anyOf": [SCALAR, {"type": "array", "items": SCALAR}]}
TIMES: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}

Text = Annotated[str, BeforeValidator(_text), WithJsonSchema(SCALAR)]
Name = Annotated[
    str,
    BeforeValidator(_text),
    AfterValidator(_name),
    WithJsonSchema({"type": "string", "pattern": r"^\w+$"}),
]
FieldName = Annotated[Text, AfterValidator(_short_enough)]
Description = Annotated[Text, AfterValidator(_description)]
PriorityWord = Annotated[str, BeforeValidator(_priority), WithJsonSchema({"enum": list(PRIORITIES)})]
Whole = Annotated[int, Field(strict=True)]
Seconds = Annotated[
    float, BeforeValidator(seconds), WithJsonSchema({"type": "string", "examples": ["5m", "48h"]})
]
Day = Annotated[date, BeforeValidator(day), WithJsonSchema({"type": "string", "format": "date"})]
Names = Annotated[list[FieldName], BeforeValidator(_one_or_many), WithJsonSchema(SCALARS)]
Checks = Annotated[
    list[Annotated[Text, AfterValidator(_condition)]],
    BeforeValidator(_one_or_many),
    WithJsonSchema(SCALARS),
]
ScheduleForm = Annotated[
    Schedule,
    BeforeValidator(_schedule),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                "period": {"enum": list(Period)},
                "at": TIMES,
                "every": {"type": "integer", "minimum": 1},
                "from": {"type": "string"},
                "to": {"type": "string"},
                "on": SCALARS,
                "short_months": {"enum": list(ShortMonths)},
                "cron": {"type": "string"},
            },
            "additionalProperties": False,
        }
    ),
]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


def _within(least: str, most: str) -> AfterValidator:
    low, high = seconds(least), seconds(most)

    def check(value: float) -> float:
        if not low <= value <= high:
            raise Unreadable(f"a duration here lies between {least} and {most}", f"for example {most}")
        return value

    return AfterValidator(check)


class RetriesForm(Form):
    times: Annotated[Whole, Field(ge=0, le=10)] = 1
    every: Annotated[Seconds, _within("1m", "60m")] = 300.0
    on_timeout: StrictBool = False


def _scalar(value: object) -> object:
    if isinstance(value, list | dict):
        raise Unreadable("a parameter has a single value", "text, a number, true or false")
    return value


def _bound_value(type_: str, value: object) -> None:
    """A value must be readable as its SQL type where it is converted before the engine sees it."""
    kind = type_.upper()
    try:
        if kind.startswith(("DECIMAL", "NUMERIC")) and not Decimal(str(value)).is_finite():
            raise ValueError
        if kind == "DATE":
            day(value)
        if kind.startswith("TIMESTAMP"):
            datetime.fromisoformat(str(value))
    except (ValueError, InvalidOperation):
        raise Unreadable(
            f"{value!r} is not a {kind}", "correct the value or its type", path="value"
        ) from None


class ParameterForm(Form):
    type: Text
    value: Annotated[Any, AfterValidator(_scalar), WithJsonSchema({"type": [*SCALAR["type"], "null"]})]

    @model_validator(mode="after")
    def value_of_type(self) -> ParameterForm:
        if self.value is not None:
            _bound_value(self.type, self.value)
        return self


Timeout = Annotated[Seconds, _within("0.01h", "168h")]
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
    engine: Annotated[Literal["duckdb"], BeforeValidator(_supported_engine)] = "duckdb"
    dialect: Annotated[Literal["", "duckdb"], BeforeValidator(_supported_dialect)] = ""
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
    tables: dict[Name, SourceForm]


class FieldForm(Form):
    description: Description = ""
    checks: Checks = []


class RowsForm(Form):
    min: Annotated[Whole, Field(ge=0)] | None = None
    max: Annotated[Whole, Field(ge=0)] | None = None
    allow_empty: StrictBool = False

    @model_validator(mode="after")
    def in_order(self) -> RowsForm:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise Unreadable(
                f"max {self.max} is less than min {self.min}", "exchange or correct them", path="max"
            )
        return self


class ValidForm(Form):
    from_: Day | None = Field(default=None, alias="from")
    to: Day | None = None

    @model_validator(mode="after")
    def in_order(self) -> ValidForm:
        if self.from_ and self.to and self.from_ > self.to:
            raise Unreadable(
                f"this ends ({self.to}) before it begins ({self.from_})",
                "exchange or correct them",
                path="to",
            )
        return self


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
    n: Annotated[Whole, Field(ge=1)] | None = None
    policy: Literal["all", "first", "last", "nearest_after", "nearest_before"] = "all"

    @model_validator(mode="after")
    def n_where_it_counts(self) -> DependsOnForm:
        counts = self.window in ("days_before", "last_n")
        if counts and self.n is None:
            raise Unreadable(
                f"window {self.window} needs `n`", f"{{window: {self.window}, n: 3}}", path="window"
            )
        if not counts and self.n is not None:
            raise Unreadable(f"window {self.window} has no `n`", "use last_n or days_before", path="n")
        return self


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
    cost: Annotated[Whole, Field(ge=1, le=1000)] = 1
    retries: RetriesForm | None = None
    timeout: Timeout | None = None
    rerun: RerunWord | None = None


class TableForm(CommonForm):
    """The header of tables/*.sql"""

    kind: Literal["dimension", "fact", "aggregate"]
    key: Annotated[Names, Field(min_length=1)]
    fields: dict[FieldName, FieldForm] = {}
    rows: RowsForm = RowsForm()
    allow_empty: StrictBool = False
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
    checks: Checks = []

    @model_validator(mode="after")
    def one_of_both(self) -> MetricForm:
        if bool(self.atomic) == bool(self.expr):
            raise Unreadable(
                "a metric has either `atomic` with `period`, or `expr`", "{atomic: pay_amt, period: 7d}"
            )
        if self.atomic and self.period is None:
            raise Unreadable("a metric made from an atomic one needs its `period`", "period: 1d")
        extra = next((word for word in ("filter", "period") if self.expr and getattr(self, word)), None)
        if extra:
            raise Unreadable(
                f"a metric made by `expr` has no `{extra}`",
                "filter and span belong to the metrics it is made from",
                path=extra,
                at_key=True,
            )
        return self


class MetricsForm(CommonForm):
    """tables/*.yml"""

    kind: Literal["aggregate"] = "aggregate"
    key: Annotated[Names, Field(min_length=1)]
    atomic: dict[Name, AtomicForm]
    filters: dict[Name, Text] = {}
    metrics: Annotated[dict[Name, MetricForm], Field(min_length=1)]
    fields: dict[FieldName, FieldForm] = {}
    rows: RowsForm = RowsForm()
    allow_empty: StrictBool = False
    visible: Literal["early", "complete"] = "early"


class TaskForm(CommonForm):
    """The header of tasks/*"""

    kind: Literal["integration", "computing"]
    outputs: Names = []
    output: Text = ""
    reads: Names = []


class GroupForm(Form):
    slots: Annotated[Whole, Field(ge=1)]


class GroupsForm(Form):
    """resource_groups.yml"""

    groups: dict[FieldName, GroupForm]


class RuleForm(Form):
    max_running: Annotated[Whole, Field(ge=0)]
    environment: Literal["", "prod", "dev"] = ""
    project: Text = ""
    run_type: Literal["", "recurring", "backfill", "manual"] = ""
    task_kind: Literal["", "integration", "computing", "modeling"] = ""
    engine: Text = ""
    tag: Text = ""


class RulesForm(Form):
    """throttling.yml"""

    rules: Annotated[dict[FieldName, RuleForm], Field(max_length=50)]


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
    """The JSON Schema of every kind of file, by name; the package has them as files too."""
    return {name: _json_schema(form) for name, form in FORMS.items()}


def _json_schema(form: type[Form]) -> dict[str, Any]:
    """Without what pydantic adds for itself: titles made of keys, defaults in our units instead of the file's."""
    bare = _without_noise(form.model_json_schema(by_alias=True))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **bare}


def _without_noise(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_noise(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {}
    for word, value in schema.items():
        if word in ("properties", "$defs"):
            found[word] = {name: _without_noise(one) for name, one in value.items()}
        elif word not in ("title", "default"):
            found[word] = _without_noise(value)
    return found


QUALIFIED = re.compile(r"[^\W\d]\w*\.[^\W\d]\w*\Z")
