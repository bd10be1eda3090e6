"""When a task recurs (spec 3, "Generation") and which days a dependency looks at (spec 2, "Dependencies")."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Period(StrEnum):
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"

    @property
    def below_day(self) -> bool:
        return self in (Period.MINUTE, Period.HOUR)


PERIOD_ORDER: tuple[Period, ...] = tuple(Period)


class ScheduleType(StrEnum):
    NORMAL = "normal"
    DRY_RUN = "dry_run"
    PAUSED = "paused"


class ShortMonths(StrEnum):
    LAST = "last"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A recurring schedule in local wall-clock terms; the zone is the project's.

    `at`: minutes after local midnight, sorted; for `every` schedules empty.
    `every`: n minutes (period minute) or n hours (period hour); elapsed time from `first` of each local day.
    `first`, `last`: minutes after local midnight bounding `every` (last slot <= last).
    `on`: the words as written: "mon".."sun", "1".."31", "last", "MM-DD", "business_days"; empty = every day.
    """

    period: Period = Period.DAY
    at: tuple[int, ...] = (0,)
    every: int | None = None
    first: int = 0
    last: int = 24 * 60 - 1
    on: tuple[str, ...] = ()
    short_months: ShortMonths = ShortMonths.LAST


@dataclass(frozen=True, slots=True)
class Validity:
    """Dates (of the scheduled time, local, inclusive) between which a task really runs; outside it is off-day dry runs."""

    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """One due moment of a task.

    `scheduled_at`, `slot_start`: aware UTC; slot_start is the previous scheduled time.
    `data_timestamp`: local date of scheduled_at minus one day. `ordinal`: 0-based number of the slot in its local day.
    `off_day`: a week/month/year task's day without work, or outside validity: Succeeded at generation.
    """

    scheduled_at: datetime
    slot_start: datetime
    data_timestamp: date
    ordinal: int
    off_day: bool = False


class Window(StrEnum):
    """Which days or slots of the upstream a dependency looks at."""

    CURRENT = "current"
    PREVIOUS = "previous"
    DAYS_BEFORE = "days_before"
    LAST_N = "last_n"
    LAST_24_HOURS = "last_24_hours"
    SAME_SLOT = "same_slot"
    SLOTS_IN_INTERVAL = "slots_in_interval"
    SLOTS_OF_DAY = "slots_of_day"


class Policy(StrEnum):
    """Which of the upstream's slots inside the window."""

    ALL = "all"
    FIRST = "first"
    LAST = "last"
    NEAREST_AFTER = "nearest_after"
    NEAREST_BEFORE = "nearest_before"


@dataclass(frozen=True, slots=True)
class Retries:
    """Automatic reruns: `times` 0-10, `every` seconds 60-3600, `on_timeout`."""

    times: int = 1
    every: int = 300
    on_timeout: bool = False


class Rerun(StrEnum):
    ALWAYS = "always"
    ON_FAILURE = "on_failure"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class TaskDefaults:
    """Project-wide defaults of a task; seconds for `timeout`."""

    priority: str = "medium"
    resource_group: str = "default"
    retries: Retries = field(default_factory=Retries)
    timeout: float = 48 * 3600.0
    rerun: Rerun = Rerun.ALWAYS
