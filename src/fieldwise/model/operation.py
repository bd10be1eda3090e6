"""The words of operations: what a person asks, and the frozen answer to what it would do (spec 4).

Instants are microseconds since 1970 UTC, days are days since 1970, as everywhere in the core.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from fieldwise.model.status import Environment, Priority


class Verb(StrEnum):
    RERUN = "rerun"
    RERUN_DOWNSTREAM = "rerun_downstream"
    FORCE_RERUN = "force_rerun"
    FORCE_RERUN_DOWNSTREAM = "force_rerun_downstream"
    SET_SUCCESS = "set_success"
    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"
    SET_PRIORITY = "set_priority"
    SET_RESOURCE_GROUP = "set_resource_group"
    REMOVE_UPSTREAM = "remove_upstream"
    RESTORE_UPSTREAM = "restore_upstream"
    START = "start"
    EMERGENCY_RERUN = "emergency_rerun"
    UNDO = "undo"

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")


DOWNSTREAM = frozenset({Verb.RERUN_DOWNSTREAM, Verb.FORCE_RERUN_DOWNSTREAM})
FORCED = frozenset({Verb.FORCE_RERUN, Verb.FORCE_RERUN_DOWNSTREAM, Verb.EMERGENCY_RERUN})


class StartMode(StrEnum):
    NORMAL = "normal"
    DRY_RUN = "dry_run"


class Range(StrEnum):
    ALL = "all"
    ALL_FAILED = "all_failed"
    ALL_FINAL = "all_final"
    CUSTOM = "custom"


class SuccessSet(StrEnum):
    FAILED = "failed"
    NOT_RUN = "not_run"
    BOTH = "both"
    CUSTOM = "custom"


class Action(StrEnum):
    RUN = "run"
    DRY_RUN = "dry_run"
    STOP = "stop"
    SET_STATUS = "set_status"
    MARK = "mark"
    EDGE = "edge"


class Cause(StrEnum):
    """Why a field that was not chosen goes along (spec 4, "Choosing fields")."""

    KEY = "KEY"
    SAME_NODE = "SAME_NODE"
    MADE_FROM = "MADE_FROM"
    STALE = "STALE"
    ROWS_DIFFER = "ROWS_DIFFER"
    MODEL_REFRESH = "MODEL_REFRESH"


@dataclass(frozen=True, slots=True)
class Pick:
    """A descendant to go along; `fields` None: whatever of it depends on the start."""

    instance: int
    fields: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class OperationOptions:
    """`until`: instant at which a pause ends by itself. `upstream`: ids of direct upstream instances."""

    start_mode: StartMode = StartMode.NORMAL
    range: Range | None = None
    pick: tuple[Pick, ...] = ()
    cross_day: bool = True
    level: int | None = None
    set: SuccessSet | None = None
    priority: Priority | None = None
    resource_group: str | None = None
    until: int | None = None
    upstream: tuple[int, ...] = ()
    with_not_run_descendants: bool = False
    check_sources: bool = False


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """What was asked: a verb on instances, on all of their fields (None) or on chosen ones."""

    verb: Verb
    instances: tuple[int, ...]
    fields: tuple[str, ...] | None = None
    options: OperationOptions = field(default_factory=OperationOptions)
    query: str = ""
    environment: Environment = Environment.PROD


class Step(NamedTuple):
    """One node instance: `before` and `after` are Status numbers; `level` its distance from the start."""

    node_instance: int
    instance: int
    table: str
    node: str
    label: str
    fields: tuple[str, ...]
    data_day: int
    action: Action
    before: int
    after: int
    level: int


class Required(NamedTuple):
    """A field that must go along. `because`: words for people."""

    instance: int
    table: str
    data_day: int
    field: str
    cause: Cause
    because: str


class Conflict(NamedTuple):
    """What forbids the plan, or a part of it that stays as it is. `blocking`: the plan is refused."""

    object: str
    code: str
    message: str
    blocking: bool = True


class Skipped(NamedTuple):
    """What was asked for and is not eligible. `instead`: a verb that would do."""

    object: str
    code: str
    message: str
    instead: str = ""
    instance: int = 0
    node_instance: int = 0


class Neighbour(NamedTuple):
    """An instance that is not in the plan but concerned: left older than its input, or an ancestor not Succeeded."""

    instance: int
    object: str
    data_day: int
    fields: tuple[str, ...]
    status: str


@dataclass(frozen=True, slots=True)
class ImpactOfPlan:
    """`engine_seconds` None: none of the nodes has a history. `finish_at`: instant, an estimate."""

    node_instances: int = 0
    fields: int = 0
    tables: int = 0
    projects: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    running_stopped: int = 0
    engine_seconds: float | None = None
    finish_at: int | None = None
