"""The real `fieldwise` command in subprocesses, as a person or a script would call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "fieldwise.cli.main")
PATIENCE = 60.0


@dataclass(frozen=True)
class Answer:
    """What one call printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document it must be."""
        return json.loads(self.out)


@dataclass(frozen=True)
class CommandLine:
    """Calls in one folder, with one home."""

    folder: Path

    def __call__(self, *arguments: str, code: int | None = 0) -> Answer:
        """Call and check the exit code; None takes any."""
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        answer = Answer(done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in answer.err, answer.err
        assert code is None or answer.code == code, answer
        return answer

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the caller's own Fieldwise, and a terminal wide enough for any line."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FIELDWISE_")}
        return kept | {"COLUMNS": "400", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def table(select: str, header: str = "") -> str:
    """A table file of a fact with key order_id: the SELECT begins on line 5, plus the lines of `header`."""
    return f"/*\nkind: fact\nkey: [order_id]\n{header}*/\n{select}\n"


def wait_until(holds: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)
