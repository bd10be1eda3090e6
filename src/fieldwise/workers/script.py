"""Runs a Python or shell script in a process group of its own, under limits, with its inputs and outputs as files (spec 2)."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

import duckdb

from fieldwise.engines.errors import short
from fieldwise.engines.quoting import literal, relation
from fieldwise.model.attempt import AttemptRequest
from fieldwise.workers.journal import Journal
from fieldwise.workers.outcomes import Lost, ScriptFailed, TimedOut
from fieldwise.workers.replace import Output

INFRASTRUCTURE_EXIT = 75
LARGEST_FILE = 64 * 1024**3
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "SSL_CERT_FILE")
LAST_LINES = 5
LONGEST_LINE = 1 << 16

# Set by a shell and not between fork and exec, which is unsafe in a process with threads. The first line leaves a
# watcher in the group: it reads a pipe that ends when the engine process dies, and then kills the whole group. The pipe
# comes as standard input: a POSIX shell need not understand the number of a descriptor above 9.
LAUNCH = """\
exec 3<&0 </dev/null
( ( read _ <&3; kill -KILL 0 ) >/dev/null 2>&1 & )
exec 3<&-
ulimit -c 0; ulimit -t "$1"; ulimit -f "$2"; [ "$3" = 0 ] || ulimit -v "$3"
shift 3
exec "$@"
"""


class ScriptRun:
    """One script, once. Its folder lives under HOME/scratch and goes with it."""

    def __init__(self, request: AttemptRequest, home: Path, journal: Journal, memory: int = 0) -> None:
        self._request = request
        self._journal = journal
        self._memory = _bytes(request.memory_limit) or memory
        self._folder = home.absolute() / "scratch" / f"script_{request.members[0].attempt}"
        self._work, self._input, self._output = (self._folder / name for name in ("work", "input", "output"))
        self._process: subprocess.Popen[bytes] | None = None
        self._last: deque[str] = deque(maxlen=LAST_LINES)

    def prepare(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Write the script, and every table it reads as parquet: the slot's partition of tables that have one."""
        shutil.rmtree(self._folder, ignore_errors=True)
        for folder in (self._work, self._input, self._output):
            folder.mkdir(parents=True)
        for name in self._request.reads:
            self._export(cursor, name)

    def _export(self, cursor: duckdb.DuckDBPyConnection, name: str) -> None:
        try:
            columns = {column for column, *_ in cursor.execute(f"DESCRIBE {relation(name)}").fetchall()}
            where = f" WHERE ds = {literal(self._request.partition)}" if "ds" in columns else ""
            target = literal(str(self._input / f"{name}.parquet"))
            cursor.execute(f"COPY (SELECT * FROM {relation(name)}{where}) TO {target} (FORMAT parquet)")
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise ScriptFailed(f"{name} could not be written for the script: {short(error)}") from None

    def execute(self, interrupted: Callable[[], str]) -> None:
        """Run to the end; its output goes to the log line by line. Raises what its exit code means."""
        self._journal.say(f"running the {self._request.language} script, ds {self._request.partition}")
        alive, watched = os.pipe()
        try:
            process = self._start(alive)
            self._process = process
            if interrupted():
                self.kill()
            reader = threading.Thread(target=self._listen, args=(process,), daemon=True)
            reader.start()
            code = process.wait()
            self.kill()  # whatever it left behind in its group; the watcher keeps the group's number taken until here
            self._process = None
            reader.join(5.0)  # a process that left the group may hold the pipe
        finally:
            os.close(watched)
            os.close(alive)
        if code != 0 and not interrupted():
            self._judge(code, " | ".join(line for line in self._last if line))

    def _start(self, alive: int) -> subprocess.Popen[bytes]:
        python = self._request.language == "python"
        file = self._folder / ("script.py" if python else "script.sh")
        file.write_text(self._request.script, encoding="utf-8")
        seconds = max(1, round(self._request.timeout)) + 5
        limits = [str(seconds), str(LARGEST_FILE // 512), str(self._memory // 1024)]
        command = [sys.executable, "-u", str(file)] if python else ["/bin/sh", str(file)]
        return subprocess.Popen(
            ["/bin/sh", "-c", LAUNCH, "sh", *limits, *command],
            cwd=self._work, env=self._environment(), stdin=alive, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with contextlib.suppress(ValueError, OSError), process.stdout:
            while line := process.stdout.readline(LONGEST_LINE):
                text = line.decode("utf-8", "replace")
                self._journal.output(text)
                self._last.append(text.strip())

    def _judge(self, code: int, last: str) -> None:
        if code == INFRASTRUCTURE_EXIT:
            raise Lost(f"the script reported an infrastructure failure (exit 75): {last}")
        if code == -signal.SIGXCPU:
            raise TimedOut("the script used up its CPU time", "timeout")
        said = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        raise ScriptFailed(f"the script ended with {said}" + (f": {last}" if last else ""))

    def _environment(self) -> dict[str, str]:
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        folders = {
            "FIELDWISE_INPUT": str(self._input),
            "FIELDWISE_OUTPUT": str(self._output),
            "HOME": str(self._work),
        }
        return passed | dict(self._request.environment_variables) | folders

    def kill(self) -> None:
        """The whole process group, at once."""
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    def outputs(self) -> dict[str, Output]:
        """Table -> the file the script wrote for it. Raises ScriptFailed if a declared output is missing."""
        found: dict[str, Output] = {}
        for table in self._request.outputs:
            parquet, csv = self._output / f"{table}.parquet", self._output / f"{table}.csv"
            if parquet.exists():
                found[table] = Output(f"read_parquet({literal(str(parquet))})")
            elif csv.exists():
                found[table] = Output(literal(str(csv)), text=True)
            else:
                there = ", ".join(sorted(path.name for path in self._output.iterdir()))
                only = f"; there is {there}" if there else ""
                raise ScriptFailed(
                    f"the script wrote no {table}.parquet or {table}.csv into $FIELDWISE_OUTPUT{only}",
                    "output_missing",
                )
        return found

    def clean(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


def _bytes(limit: str) -> int:
    """ "2GB" as the engine writes it; 0 if nothing is said."""
    units = {"": 1, "B": 1, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "TB": 1000**4}
    units |= {"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40}
    number = limit.strip().rstrip("abgikmtABGIKMT ")
    unit = limit.strip()[len(number) :].strip().upper()
    return int(float(number) * units[unit]) if number and unit in units else 0
