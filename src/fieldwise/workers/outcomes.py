"""Why an attempt did not succeed: raised inside the pipeline, turned into one Report at its end."""

from __future__ import annotations

from fieldwise.model.status import RunOutcome


class AttemptEnded(Exception):
    """The attempt ends here, with an outcome, a stable code and one sentence for the operator."""

    outcome = RunOutcome.FAILED
    code = "failed"

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code


class StatementFailed(AttemptEnded):
    """The engine refused the statement."""

    code = "sql_error"


class CheckFailed(AttemptEnded):
    """The result was computed and is not fit to be published."""

    code = "check_failed"


class ScriptFailed(AttemptEnded):
    """The script ended with an error."""

    code = "script_failed"


class Fenced(AttemptEnded):
    """A newer attempt, a stop or a recovery refused this one; nothing was published."""

    outcome = RunOutcome.STOPPED
    code = "fenced"


class Interrupted(AttemptEnded):
    """Somebody stopped it."""

    outcome = RunOutcome.STOPPED
    code = "stopped"


class TimedOut(AttemptEnded):
    outcome = RunOutcome.TIMED_OUT
    code = "timeout"


class Lost(AttemptEnded):
    """Infrastructure, not the user: repeated from a budget of its own."""

    outcome = RunOutcome.LOST
    code = "infrastructure"
