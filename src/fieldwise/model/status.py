"""Statuses, marks and types of instances (spec 3)."""

from __future__ import annotations

from enum import IntEnum, IntFlag, StrEnum


class Status(IntEnum):
    """Status of a node instance; the numbers are stored and must never be reused."""

    NOT_RUNNING = 0
    WAITING_TIME = 1
    THROTTLED = 2
    WAITING_RESOURCES = 3
    RUNNING = 4
    SUCCEEDED = 5
    FAILED = 6

    @property
    def word(self) -> str:
        """The word of the API: `not_running`, `waiting_time`, ..."""
        return self.name.lower()

    @property
    def waiting(self) -> bool:
        return Status.WAITING_TIME <= self <= Status.WAITING_RESOURCES

    @property
    def final(self) -> bool:
        return self >= Status.SUCCEEDED


STATUS_BY_WORD: dict[str, Status] = {status.word: status for status in Status}


class FieldStatus(IntEnum):
    """Status of a field instance: a fold over its node instances, never an input to a decision (spec 3)."""

    NOT_RUNNING = 0
    WAITING = 1
    RUNNING = 2
    SUCCEEDED = 3
    FAILED = 4

    @property
    def word(self) -> str:
        return self.name.lower()


class Mark(IntFlag):
    """Marks beside the status: one closed list (spec 3). Stored as an integer; bits must never be reused."""

    NONE = 0
    PAUSED = 1
    HELD = 2
    DRY_RUN = 4
    OFF_DAY = 8
    EXPIRED = 16
    FORCED_SUCCESS = 32
    FORCED = 64
    STOPPED = 128
    STOPPING = 256
    ROWS_DIFFER = 512
    STALE_INPUT = 1024
    REPLACED = 2048
    MANUAL = 4096
    BACKFILL = 8192

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(mark.name.lower() for mark in Mark if mark and mark in self and mark.name)


class InstanceType(IntEnum):
    RECURRING = 0
    BACKFILL = 1
    MANUAL = 2

    @property
    def word(self) -> str:
        return self.name.lower()


class Environment(StrEnum):
    PROD = "prod"
    DEV = "dev"


class Priority(IntEnum):
    """Bigger is more urgent; order of dispatch is descending (spec 3)."""

    LOWEST = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    HIGHEST = 4

    @property
    def word(self) -> str:
        return self.name.lower()


class TaskKind(StrEnum):
    INTEGRATION = "integration"
    COMPUTING = "computing"
    MODELING = "modeling"


class TableKind(StrEnum):
    DIMENSION = "dimension"
    FACT = "fact"
    AGGREGATE = "aggregate"


class RunOutcome(IntEnum):
    """How a run stands or ended."""

    RUNNING = 0
    SUCCEEDED = 1
    FAILED = 2  # the user's fault: SQL, script or check
    TIMED_OUT = 3
    STOPPED = 4
    LOST = 5  # infrastructure: worker or engine died, budget of its own

    @property
    def word(self) -> str:
        return self.name.lower()
