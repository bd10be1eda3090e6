"""One attempt from statement to report: compute into scratch, check, publish (spec 2 and 7)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from fieldwise.engines.duckdb import Warehouse
from fieldwise.engines.errors import conflict, short
from fieldwise.model.attempt import AttemptKind, AttemptRequest, MemberResult, Report
from fieldwise.model.status import RunOutcome
from fieldwise.workers.checks import check_result, check_source_keys, check_types
from fieldwise.workers.journal import Journal
from fieldwise.workers.outcomes import AttemptEnded, Interrupted, Lost, StatementFailed, TimedOut
from fieldwise.workers.publish import publish_columns
from fieldwise.workers.replace import replace_partitions
from fieldwise.workers.script import ScriptRun

PUBLISH_TRIES = 40
CONNECTION_LOST = ("INTERNAL Error", "FATAL Error", "database has been invalidated", "Out of Memory")


@dataclass
class Attempt:
    """One attempt set under way; `interrupt` may come from any thread at any time."""

    warehouse: Warehouse
    request: AttemptRequest
    home: Path
    locks: Callable[[str], threading.Lock]
    cursor: duckdb.DuckDBPyConnection | None = None
    script: ScriptRun | None = None
    interrupted: str = ""
    timings: dict[str, float] = field(default_factory=dict)

    def interrupt(self, code: str) -> None:
        self.interrupted = self.interrupted or code
        if self.script is not None:
            self.script.kill()
        if self.cursor is not None:
            self.cursor.interrupt()

    def run(self) -> Report:
        """Always a report, never an exception."""
        journal = Journal(self._logs())
        try:
            return self._run(journal)
        finally:
            journal.close()

    def _run(self, journal: Journal) -> Report:
        results: tuple[MemberResult, ...] = ()
        rows = 0
        try:
            self.cursor = self.warehouse.cursor()
            rows, results = self._execute(journal)
            outcome, message, code = RunOutcome.SUCCEEDED, "", ""
        except AttemptEnded as ended:
            outcome, message, code = ended.outcome, ended.message, ended.code
        except duckdb.InterruptException:
            outcome, message, code = self._interrupted()
        except duckdb.Error as error:
            outcome, message, code = self._engine_error(error)
        except Exception as error:
            outcome, message, code = (
                RunOutcome.LOST,
                f"the worker failed: {type(error).__name__}: {short(error)}",
                "worker_error",
            )
        finally:
            if self.cursor is not None:
                self.cursor.close()
        self._close_log(journal, outcome, message, rows)
        return Report(
            tuple(member.attempt for member in self.request.members), outcome, datetime.now(UTC), message, code, results, rows,
            tuple(self._input_versions) if outcome is RunOutcome.SUCCEEDED else (), tuple(self.timings.items()),
        )  # fmt: skip

    _input_versions: tuple[tuple[str, str], ...] = ()

    def _execute(self, journal: Journal) -> tuple[int, tuple[MemberResult, ...]]:
        if self.request.kind is AttemptKind.SCRIPT and self.request.language != "sql":
            return self._run_script(journal)
        return self._run_statement(journal)

    # -- SQL
    def _run_statement(self, journal: Journal) -> tuple[int, tuple[MemberResult, ...]]:
        request, cursor = self.request, self._live()
        scratch = f"temp.scratch_{request.members[0].attempt}"
        journal.say(
            f"computing {', '.join(self._fields()) or request.relation} of {request.relation}, ds {request.partition}"
        )
        journal.raw(request.sql.rstrip() + "\n")
        if request.parameters:
            journal.say("parameters " + ", ".join(f"{name} = {value}" for name, value in request.parameters))
        with self._timed("compute"):
            check_source_keys(cursor, request)
            if request.inputs:
                self._input_versions = self._versions_read(cursor)
            cursor.execute(
                f"CREATE OR REPLACE TEMP TABLE {scratch.removeprefix('temp.')} AS {request.sql}",
                self._bound(),
            )
        self._stop_here()
        if request.kind is AttemptKind.SCRIPT:
            with self._timed("publish"):
                results = self._publish(
                    lambda: replace_partitions(self._live(), {request.outputs[0]: scratch}, request)
                )
            return results[0].rows_added, results
        with self._timed("check"):
            if any(one.type for one in request.fields):
                check_types(
                    [(name, kind) for name, kind, *_ in cursor.execute(f"DESCRIBE {scratch}").fetchall()],
                    request,
                )
            rows = check_result(cursor, scratch, request)
        journal.say(f"{rows} rows, checks passed")
        self._stop_here()
        with self._timed("publish"):
            results = self._publish(lambda: publish_columns(self._live(), scratch, request, rows))
        return rows, results

    def _live(self) -> duckdb.DuckDBPyConnection:
        assert self.cursor is not None
        return self.cursor

    def _bound(self) -> dict[str, object] | None:
        return dict(self.request.parameters) or None

    def _publish(self, act: Callable[[], tuple[MemberResult, ...]]) -> tuple[MemberResult, ...]:
        """One publisher per table in this process; the loser of a conflict repeats the publish, not the computation."""
        with self.locks(self.request.relation):
            for _ in range(PUBLISH_TRIES):
                self._stop_here()
                try:
                    return act()
                except duckdb.Error as error:
                    if isinstance(error, duckdb.InterruptException) or not conflict(error):
                        raise
                    time.sleep(0.005)
        raise Lost("the publish lost every conflict; it will be tried again")

    def _versions_read(self, cursor: duckdb.DuckDBPyConnection) -> tuple[tuple[str, str], ...]:
        """The versions of the columns and partitions about to be read: what STALE compares later."""
        found: list[tuple[str, str]] = []
        for read in self.request.inputs:
            if read.source:
                continue
            rows = cursor.execute(
                "SELECT field, partition, attempt FROM fieldwise.version WHERE relation = ? AND list_contains(?, field) AND list_contains(?, partition)",
                [read.relation, ["", *read.fields], list(read.partitions)],
            ).fetchall()
            found += [
                (f"{read.relation}.{name}@{partition}", str(attempt)) for name, partition, attempt in rows
            ]
        return tuple(found)

    # -- scripts
    def _run_script(self, journal: Journal) -> tuple[int, tuple[MemberResult, ...]]:
        request, cursor = self.request, self._live()
        self.script = ScriptRun(request, self.home, journal)
        try:
            with self._timed("export"):
                self.script.prepare(cursor)
            self._stop_here()
            with self._timed("compute"):
                self.script.execute(lambda: self.interrupted)
            self._stop_here()
            outputs = self.script.outputs()
            with self._timed("publish"):
                results = self._publish(lambda: replace_partitions(self._live(), outputs, request))
            return results[0].rows_added, results
        finally:
            self.script.clean()

    # -- ends
    def _stop_here(self) -> None:
        if self.interrupted:
            outcome, message, code = self._interrupted()
            raise (TimedOut if outcome is RunOutcome.TIMED_OUT else Interrupted)(message, code)

    def _interrupted(self) -> tuple[RunOutcome, str, str]:
        if self.interrupted == "timeout":
            return (
                RunOutcome.TIMED_OUT,
                f"stopped after its time limit of {self.request.timeout:g} s",
                "timeout",
            )
        return RunOutcome.STOPPED, "stopped on request", self.interrupted or "stopped"

    def _engine_error(self, error: duckdb.Error) -> tuple[RunOutcome, str, str]:
        if self.interrupted:
            return self._interrupted()
        text = short(error)
        if any(word in text for word in CONNECTION_LOST[:3]):
            return RunOutcome.LOST, text, "engine_failed"
        failed = StatementFailed(text)
        return failed.outcome, failed.message, failed.code

    def _fields(self) -> list[str]:
        return [one.name for one in self.request.fields]

    def _logs(self) -> list[Path]:
        if not self.request.log:
            return []
        return [self.home / self.request.log]

    def _timed(self, step: str) -> _Timed:
        return _Timed(self.timings, step)

    def _close_log(self, journal: Journal, outcome: RunOutcome, message: str, rows: int) -> None:
        spent = ", ".join(f"{step} {seconds:.3f} s" for step, seconds in self.timings.items())
        if outcome is RunOutcome.SUCCEEDED:
            journal.say(f"succeeded: {rows} rows published ({spent})")
        else:
            journal.say(
                f"{outcome.word.replace('_', ' ')}: {message} ({spent})"
                if spent
                else f"{outcome.word.replace('_', ' ')}: {message}"
            )


class _Timed:
    def __init__(self, timings: dict[str, float], step: str) -> None:
        self._timings, self._step, self._start = timings, step, 0.0

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *error: object) -> None:
        self._timings[self._step] = self._timings.get(self._step, 0.0) + time.perf_counter() - self._start
