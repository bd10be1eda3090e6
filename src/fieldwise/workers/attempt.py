"""One attempt from statement to report: compute, check, publish (spec 2 and 7)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from fieldwise.engines.duckdb import Warehouse
from fieldwise.engines.errors import altered, conflict, dead, infrastructure, short
from fieldwise.model.attempt import AttemptKind, AttemptRequest, MemberResult, Report
from fieldwise.model.status import RunOutcome
from fieldwise.workers.checks import check_rows, check_types
from fieldwise.workers.inputs import check_sources, types_may_drift
from fieldwise.workers.journal import Journal
from fieldwise.workers.outcomes import AttemptEnded, Interrupted, Lost, TimedOut
from fieldwise.workers.publish import insert_once, may_insert_once, publish
from fieldwise.workers.replace import Output, replace_partitions
from fieldwise.workers.script import ScriptRun

CONFLICT_SECONDS = 60.0
PAUSE_SECONDS = 0.005
FRESH_STARTS = 5  # how often a run begins again because definitions were published under it

Results = tuple[MemberResult, ...]


@dataclass
class Attempt:
    """One attempt set under way; `interrupt` may come from any thread at any time, and more than once."""

    warehouse: Warehouse
    request: AttemptRequest
    home: Path
    locks: Callable[[str], threading.Lock]
    script_memory: int = 0
    broken: bool = False
    """The database of this process is of no use any more."""
    interrupted: str = ""
    ended: bool = False
    timings: dict[str, float] = field(default_factory=dict)
    _cursor: duckdb.DuckDBPyConnection | None = None
    _script: ScriptRun | None = None
    _input_versions: tuple[tuple[str, str], ...] = ()

    def interrupt(self, code: str) -> None:
        self.interrupted = self.interrupted or code
        script, cursor = self._script, self._cursor
        if script is not None:
            script.kill()
        if cursor is not None and not self.ended:
            cursor.interrupt()

    def run(self) -> Report:
        """Always a report, never an exception."""
        journal = Journal(self.home / self.request.log if self.request.log else None)
        rows = 0
        results: Results = ()
        outcome, message, code = RunOutcome.SUCCEEDED, "", ""
        try:
            self._cursor = self.warehouse.cursor()
            rows, results = self._execute(journal)
        except BaseException as error:
            outcome, message, code = self._judge(error)
        finally:
            self.ended = True
            if self._cursor is not None:
                self._cursor.close()
        self._say_end(journal, outcome, message, rows)
        journal.close()
        good = outcome is RunOutcome.SUCCEEDED
        return Report(
            tuple(member.attempt for member in self.request.members), outcome, datetime.now(UTC), message, code,
            results, rows, self._input_versions if good else (), tuple(self.timings.items()),
        )  # fmt: skip

    def _execute(self, journal: Journal) -> tuple[int, Results]:
        if self.request.kind is AttemptKind.SCRIPT and self.request.language != "sql":
            return self._run_script(journal)
        for _ in range(FRESH_STARTS):
            try:
                return self._run_statement(journal)
            except duckdb.Error as error:
                if not altered(error) or self.interrupted:
                    raise
                journal.say("the table was changed by a publish of definitions: the run starts again")
        raise Lost("definitions were published again and again under the run")

    # -- SQL
    def _run_statement(self, journal: Journal) -> tuple[int, Results]:
        request, cursor = self.request, self._live()
        self._say_start(journal)
        with self._timed("inputs"):
            self._input_versions = self._look_at_inputs(cursor)
        self._stop_here()
        if request.kind is AttemptKind.SQL and may_insert_once(self.warehouse.ledger, cursor, request):
            done = self._insert_once(cursor)
            if done is not None:
                return done
        scratch, rows = self._compute(cursor)
        self._stop_here()
        if request.kind is AttemptKind.SCRIPT:
            outputs = {request.outputs[0]: Output(scratch)}
            return rows, self._publish(lambda: replace_partitions(self.warehouse, cursor, outputs, request))
        with self._timed("check"):
            check_rows(cursor, scratch, request, rows)
        self._stop_here()
        return rows, self._publish(lambda: publish(self.warehouse, cursor, request, scratch, rows))

    def _look_at_inputs(self, cursor: duckdb.DuckDBPyConnection) -> tuple[tuple[str, str], ...]:
        """Before reading: a change in between makes the run look stale, never fresh."""
        request = self.request
        check_sources(self.warehouse.facts, cursor, request)
        if request.kind is AttemptKind.SQL and types_may_drift(request):
            found = cursor.execute(f"DESCRIBE {request.sql}", self._bound()).fetchall()
            check_types([(name, kind) for name, kind, *_ in found], request)
        return self.warehouse.versions(cursor, request.inputs)

    def _compute(self, cursor: duckdb.DuckDBPyConnection) -> tuple[str, int]:
        scratch = f"scratch_{self.request.members[0].attempt}"
        with self._timed("compute"):
            cursor.execute(f"CREATE OR REPLACE TEMP TABLE {scratch} AS {self.request.sql}", self._bound())
            row = cursor.fetchone()
        return scratch, int(row[0]) if row else 0

    def _insert_once(self, cursor: duckdb.DuckDBPyConnection) -> tuple[int, Results] | None:
        """None: another publish came first, so it goes through scratch."""

        def check(source: str, rows: int) -> None:
            self._stop_here()
            with self._timed("check"):
                check_rows(cursor, source, self.request, rows)
            self._stop_here()

        try:
            with self._timed("compute and publish"):
                return insert_once(self.warehouse, cursor, self.request, check)
        except Exception as error:
            if isinstance(error, duckdb.InterruptException) and self._in_ledger(cursor):
                return self._found(cursor)
            if altered(error) or not conflict(error):
                raise
            self._reload(cursor)
            return None

    def _publish(self, act: Callable[[], Results]) -> Results:
        """One publisher per table in this process; the loser of a conflict repeats the publish, not the computation."""
        cursor = self._live()
        deadline = time.monotonic() + CONFLICT_SECONDS
        with self._timed("publish"), self.locks(self.request.relation):
            while time.monotonic() < deadline:
                self._stop_here()
                try:
                    return act()
                except Exception as error:
                    if isinstance(error, duckdb.InterruptException) and self._in_ledger(cursor):
                        return self._found(cursor)[1]
                    if altered(error) or not conflict(error):
                        raise
                    self._reload(cursor)
                    time.sleep(PAUSE_SECONDS)
        raise Lost("the publish lost every conflict; it will be tried again")

    def _reload(self, cursor: duckdb.DuckDBPyConnection) -> None:
        ledger, request = self.warehouse.ledger, self.request
        ledger.remember(ledger.stored(cursor, request.relation, request.partition))

    def _in_ledger(self, cursor: duckdb.DuckDBPyConnection) -> bool:
        """An interrupt may reach the commit itself: only the ledger knows whether it happened."""
        self._reload(cursor)
        state = self.warehouse.ledger.state(cursor, self.request.relation, self.request.partition)
        return all(
            state.published.get(member.target.node) == member.attempt for member in self.request.members
        )

    def _found(self, cursor: duckdb.DuckDBPyConnection) -> tuple[int, Results]:
        results = tuple(MemberResult(m.node_instance, m.attempt, m.fields) for m in self.request.members)
        return 0, results

    # -- scripts
    def _run_script(self, journal: Journal) -> tuple[int, Results]:
        request, cursor = self.request, self._live()
        script = self._script = ScriptRun(request, self.home, journal, self.script_memory)
        try:
            with self._timed("export"):
                script.prepare(cursor)
            self._stop_here()
            with self._timed("compute"):
                script.execute(lambda: self.interrupted)
            self._stop_here()
            outputs = script.outputs()
            results = self._publish(lambda: replace_partitions(self.warehouse, cursor, outputs, request))
            return results[0].rows_added, results
        finally:
            script.clean()

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

    def _judge(self, error: BaseException) -> tuple[RunOutcome, str, str]:
        if isinstance(error, AttemptEnded):
            return error.outcome, error.message, error.code
        if self.interrupted:
            return self._interrupted()
        self.broken = dead(error)
        if infrastructure(error):
            return RunOutcome.LOST, short(error), "engine_failed"
        if isinstance(error, duckdb.Error):
            return RunOutcome.FAILED, short(error), "sql_error"
        return RunOutcome.LOST, f"the worker failed: {type(error).__name__}: {short(error)}", "worker_error"

    def _live(self) -> duckdb.DuckDBPyConnection:
        assert self._cursor is not None
        return self._cursor

    def _bound(self) -> dict[str, object] | None:
        return dict(self.request.parameters) or None

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.timings[step] = self.timings.get(step, 0.0) + time.perf_counter() - start

    def _say_start(self, journal: Journal) -> None:
        request = self.request
        fields = ", ".join(one.name for one in request.fields) or "rows"
        lines = [f"computing {fields} of {request.relation}, ds {request.partition}", request.sql.strip()]
        if request.parameters:
            lines.append("parameters " + ", ".join(f"{name} = {value}" for name, value in request.parameters))
        journal.say(*lines)

    def _say_end(self, journal: Journal, outcome: RunOutcome, message: str, rows: int) -> None:
        spent = ", ".join(f"{step} {seconds:.3f} s" for step, seconds in self.timings.items())
        if outcome is RunOutcome.SUCCEEDED:
            journal.say(f"succeeded: {rows} rows, checks passed, published ({spent})")
        else:
            journal.say(f"{outcome.word.replace('_', ' ')}: {message}" + (f" ({spent})" if spent else ""))
