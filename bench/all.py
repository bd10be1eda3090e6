"""Runs the benchmarks, prints their tables and writes bench/results.json.

    python -m bench.all            everything
    python -m bench.all p1 p3      some

A benchmark is a module of this folder with `measure() -> list[dict]`: rows with `measure`, `value`, `unit`, and where
there is one `target` (in the words of the target) and `met` (bool).
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
Rows = list[dict[str, Any]]


def names() -> list[str]:
    """Modules p<number>_<name>.py that measure, in order of their number."""
    found = [path.stem for path in HERE.glob("p*_*.py") if "def measure(" in path.read_text()]
    return sorted(found, key=lambda name: int(name[1:].partition("_")[0]))


def chosen(words: list[str]) -> list[str]:
    every = names()
    if not words:
        return every
    unknown = [
        word for word in words if not any(name == word or name.startswith(f"{word}_") for name in every)
    ]
    if unknown:
        raise SystemExit(f"no benchmark {unknown[0]!r}; there are: {', '.join(every)}")
    return [name for name in every if any(name == word or name.startswith(f"{word}_") for word in words)]


def number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def print_table(name: str, rows: Rows, seconds: float) -> None:
    print(f"\n{name}  ({seconds:.1f} s)")
    cells = [
        (
            str(row["measure"]),
            f"{number(row['value'])} {row.get('unit', '')}".strip(),
            str(row.get("target", "")),
            {True: "met", False: "MISSED", None: ""}[row.get("met")],
        )
        for row in rows
    ]
    widths = [max(len(cell[column]) for cell in cells) for column in range(4)]
    for cell in cells:
        print("  " + "  ".join(text.ljust(width) for text, width in zip(cell, widths, strict=True)).rstrip())


def machine() -> dict[str, object]:
    return {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}


def commit() -> str:
    answer = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE)
    return answer.stdout.strip()


def main(words: list[str]) -> int:
    document: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in chosen(words):
        began = time.perf_counter()
        rows = importlib.import_module(f"bench.{name}").measure()
        seconds = time.perf_counter() - began
        print_table(name, rows, seconds)
        document[name] = {
            "commit": commit(),
            "machine": machine(),
            "seconds": round(seconds, 1),
            "rows": rows,
        }
        RESULTS.write_text(json.dumps(dict(sorted(document.items())), indent=1, default=str) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
