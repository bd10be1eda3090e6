"""What the leader asks a worker to do and what it hears back (spec 7, "State protocol")."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from fieldwise.model.status import RunOutcome


@dataclass(frozen=True, slots=True)
class Target:
    """What a run writes: one node's columns in one partition. At most one running attempt each (spec 7).

    `partition`: the value of `ds` in ISO form: "2026-11-18" or "2026-11-18 13:00:00" (UTC).
    """

    environment: str
    task: str
    node: str
    partition: str


class AttemptKind(StrEnum):
    SQL = "sql"  # one (fused) statement of one logical table
    SCRIPT = "script"  # python, shell, or a .sql integration/computing task
    NOTHING = "nothing"  # no-op of benchmarks and simulation: succeeds at once, publishes nothing


@dataclass(frozen=True, slots=True)
class Member:
    """One node of an attempt. `run`: its run number in the store; `fields`: its non-key fields."""

    node_instance: int
    attempt: int
    run: int
    target: Target
    fields: tuple[str, ...]
    row_node: bool = False


@dataclass(frozen=True, slots=True)
class OutputField:
    name: str
    type: str
    checks: tuple[str, ...] = ()
    zero_when_absent: bool = False


@dataclass(frozen=True, slots=True)
class InputRead:
    """An input whose version a run records: a logical table's fields, or a source (a digest per column).

    `partitions`: the `ds` values that dependencies resolve to, ISO; empty = whole relation (source without partition).
    """

    relation: str
    fields: tuple[str, ...]
    partitions: tuple[str, ...] = ()
    source: bool = False


@dataclass(frozen=True, slots=True)
class AttemptRequest:
    """Everything a worker needs to compute, check and publish one attempt set (one node, or nodes fused).

    All members share one statement, one partition, one start and one end. `relation`: the logical table's name in
    the warehouse, `project.table`. `parameters`: values by name of the placeholders in `sql`. `key`: key fields with
    types. `outputs` of a script: source tables it replaces. `log`: path of the log file, relative to the home.
    `metrics`: rows are a union over the nodes; such nodes are not fused, because one statement cannot tell whose keys are
    whose. `all_nodes`: nodes whose publish makes the partition complete; without those that will not run (forced success,
    dry run). A set that holds them all may insert straight into an empty partition.
    """

    kind: AttemptKind
    members: tuple[Member, ...]
    relation: str
    partition: str
    partition_type: str
    sql: str = ""
    parameters: tuple[tuple[str, object], ...] = ()
    key: tuple[OutputField, ...] = ()
    fields: tuple[OutputField, ...] = ()
    rows_minimum: int | None = None
    rows_maximum: int | None = None
    refuse_empty: bool = False  # the last 7 real runs all had rows and `allow_empty` is not set
    metrics: bool = False
    visible_complete: bool = False
    all_nodes: tuple[str, ...] = ()  # ids of the table's nodes
    inputs: tuple[InputRead, ...] = ()
    source_keys: tuple[
        tuple[str, tuple[str, ...], str], ...
    ] = ()  # (relation SQL, key, partition column) to verify
    language: str = ""
    script: str = ""
    outputs: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    environment_variables: tuple[tuple[str, str], ...] = ()
    working_folder: str = ""
    timeout: float = 48 * 3600.0  # seconds
    memory_limit: str = ""  # engine's words, "2GB"
    log: str = ""


@dataclass(frozen=True, slots=True)
class MemberResult:
    """What an attempt did for one member. Versions are attempts: who last changed a value (spec 4, STALE)."""

    node_instance: int
    attempt: int
    changed_fields: tuple[str, ...] = ()
    rows_added: int = 0
    rows_removed: int = 0
    rows_changed: int = 0
    rows_differ: tuple[str, ...] = ()  # ids of the other nodes whose rows no longer match


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker says when an attempt set ended. `rows`: of the scratch result; seconds split by step in `timings`.

    A repeated or late report is recorded and changes nothing (spec 7).
    """

    attempts: tuple[int, ...]
    outcome: RunOutcome
    ended_at: datetime
    message: str = ""  # one sentence for the operator; the log has the rest
    code: str = ""  # stable reason: sql_error check_failed timeout stopped fenced worker_lost ...
    members: tuple[MemberResult, ...] = ()
    rows: int = 0
    input_versions: tuple[tuple[str, str], ...] = ()  # ("table.field@ds", version or digest)
    timings: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class SlotValues:
    """The values bound to the parameters of one slot; all datetimes are UTC."""

    data_date: date
    scheduled_at: datetime
    slot_start: datetime
    slot_end: datetime
    day_start: datetime
    day_end: datetime
