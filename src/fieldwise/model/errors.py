"""What can go wrong, as values and exceptions with data: the message is built from the data, never a stack trace."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ProblemCode(StrEnum):
    """Codes of located problems found by `check` (spec 2, "Rules of the SQL")."""

    SYNTAX = "syntax"
    NOT_ONE_SELECT = "not_one_select"
    UNKNOWN_TABLE = "unknown_table"
    UNKNOWN_COLUMN = "unknown_column"
    AMBIGUOUS_COLUMN = "ambiguous_column"
    KEY_NOT_SELECTED = "key_not_selected"
    DUPLICATE_FIELD = "duplicate_field"
    RESERVED_FIELD = "reserved_field"
    MISSING_PARTITION = "missing_partition"
    LONGER_PERIOD = "longer_period"
    UNSUPPORTED = "unsupported"
    UNNAMED_COLUMN = "unnamed_column"
    CYCLE = "cycle"
    DUPLICATE_OUTPUT = "duplicate_output"
    BAD_SCHEDULE = "bad_schedule"
    UNKNOWN_OWNER = "unknown_owner"
    UNKNOWN_GROUP = "unknown_group"
    UNKNOWN_PRIORITY = "unknown_priority"
    UNKNOWN_KEY = "unknown_key"
    VOLATILE = "volatile"
    SOURCE_UNREADABLE = "source_unreadable"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in a definition: where (1-based line and column of the file), what, and what to do.

    `file` is relative to the current directory if the project was given so, as the user typed it.
    """

    file: str
    line: int
    column: int
    code: ProblemCode
    message: str
    hint: str = ""


class FieldwiseError(Exception):
    """Root of every error Fieldwise raises on purpose; `code` is stable and what clients switch on."""

    code = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class DefinitionsInvalid(FieldwiseError):
    """The definitions have problems; nothing was published."""

    code = "definitions_invalid"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{len(problems)} problem(s) in the definitions; nothing was published")
        self.problems = problems


class HomeInUse(FieldwiseError):
    """Another process holds the home."""

    code = "home_in_use"

    def __init__(self, pid: int) -> None:
        super().__init__(f"home in use by pid {pid}")
        self.pid = pid


class NotFound(FieldwiseError):
    """The object that was named does not exist."""

    code = "not_found"


class BadRequest(FieldwiseError):
    """The caller asked for something that makes no sense; the message says what and what to do."""

    code = "bad_request"


class Deposed(FieldwiseError):
    """A write carried an old fencing epoch: another leader took over, nothing was written (spec 7)."""

    code = "deposed"


class EngineUnavailable(FieldwiseError):
    """The engine cannot be reached; nothing is known about what it did."""

    code = "engine_unavailable"


class EngineRefused(FieldwiseError):
    """The engine answered with an error; the message is the engine's own, shortened."""

    code = "engine_refused"
