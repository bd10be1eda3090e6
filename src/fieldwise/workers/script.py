"""Runs a Python or shell script in a process group of its own, under limits, with its inputs and outputs as files (spec 2)."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb

from fieldwise.engines.errors import short
from fieldwise.engines.quoting import literal, relation
from fieldwise.model.attempt import AttemptRequest
from fieldwise.workers.journal import Journal
from fieldwise.workers.outcomes import Lost, ScriptFailed, TimedOut

INFRASTRUCTURE_EXIT = 75
LARGEST_FILE = 64 * 1024**3
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "SSL_CERT_FILE")
LAST_LINES = 5


class ScriptRun:
    """One script, once. Its folder lives under HOME/scratch and goes with it."""

    def __init__(self, request: AttemptRequest, home: Path, journal: Journal) -> None:
        self._request = request
        self._journal = journal
        self._folder = home / "scratch" / f"script_{request.members[0].attempt}"
        self._input = self._folder / "input"
        self._output = self._folder / "output"
        self._process: subprocess.Popen[str] | None = None
        self._killed = False

    def prepare(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Write the script, and every table it reads as parquet: the slot's partition of tables that have one."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._input.mkdir(parents=True)
        self._output.mkdir()
        for name in self._request.reads:
            self._export(cursor, name)

    def _export(self, cursor: duckdb.DuckDBPyConnection, name: str) -> None:
        try:
            columns = [column for column, *_ in cursor.execute(f"DESCRIBE {relation(name)}").fetchall()]
            where = (
                f" WHERE ds = CAST({literal(self._request.partition)} AS {self._request.partition_type})"
                if "ds" in columns
                else ""
            )
            target = literal(str(self._input / f"{name}.parquet"))
            cursor.execute(f"COPY (SELECT * FROM {relation(name)}{where}) TO {target} (FORMAT parquet)")
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise ScriptFailed(f"{name} could not be written for the script: {short(error)}") from None

    def execute(self, interrupted: Callable[[], str]) -> None:
        """Run to the end; its output goes to the log line by line. Raises what its exit code means."""
        ending = {"python": "py", "shell": "sh"}[self._request.language]
        file = self._folder / f"script.{ending}"
        file.write_text(self._request.script, encoding="utf-8")
        command = [sys.executable, "-u", str(file)] if ending == "py" else ["/bin/sh", str(file)]
        self._journal.say(f"running the {self._request.language} script, ds {self._request.partition}")
        process = subprocess.Popen(
            command, cwd=self._folder, env=self._environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, encoding="utf-8", errors="replace", start_new_session=True, preexec_fn=self._limit,
        )  # fmt: skip
        self._process = process
        if interrupted():
            self.kill()
        last: list[str] = []
        assert process.stdout is not None
        for line in process.stdout:
            self._journal.raw(line)
            last = [*last, line.strip()][-LAST_LINES:]
        code = process.wait()
        self.kill()  # whatever it left behind in its group
        if code == 0 or interrupted():
            return
        self._judge(code, " | ".join(line for line in last if line))

    def _judge(self, code: int, last: str) -> None:
        if code == INFRASTRUCTURE_EXIT:
            raise Lost(f"the script reported an infrastructure failure (exit 75): {last}")
        if code == -signal.SIGXCPU:
            raise TimedOut("the script used up its CPU time", "timeout")
        said = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        raise ScriptFailed(
            f"the script ended with {said}: {last}" if last else f"the script ended with {said}"
        )

    def _environment(self) -> dict[str, str]:
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        own = dict(self._request.environment_variables)
        return (
            passed
            | own
            | {
                "FIELDWISE_INPUT": str(self._input),
                "FIELDWISE_OUTPUT": str(self._output),
                "HOME": str(self._folder),
            }
        )

    def _limit(self) -> None:
        """In the child, before the script: CPU time, file size, no core files."""
        seconds = max(1, round(self._request.timeout))
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
            resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def kill(self) -> None:
        """The whole process group, at once."""
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    def outputs(self) -> dict[str, str]:
        """Table -> FROM item of the file the script wrote for it. A declared output that is missing is a failure."""
        found: dict[str, str] = {}
        for table in self._request.outputs:
            parquet, csv = self._output / f"{table}.parquet", self._output / f"{table}.csv"
            if parquet.exists():
                found[table] = f"read_parquet({literal(str(parquet))})"
            elif csv.exists():
                found[table] = f"read_csv({literal(str(csv))}, header = true)"
            else:
                there = sorted(path.name for path in self._output.iterdir())
                raise ScriptFailed(
                    f"the script wrote no {table}.parquet or {table}.csv into $FIELDWISE_OUTPUT"
                    + (f", only {', '.join(there)}" if there else ""),
                    "output_missing",
                )
        return found

    def clean(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
