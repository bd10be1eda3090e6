"""Named SQL: each `.sql` file of queries is a noun, each `-- name --` in it a statement."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

NAME = re.compile(r"^-- (\w+) --$", re.MULTILINE)


@cache
def queries(noun: str) -> dict[str, str]:
    """The statements of one file, by name, without their comments."""
    text = resources.files("fieldwise.store").joinpath("queries", f"{noun}.sql").read_text(encoding="utf-8")
    parts = NAME.split(text)
    return {name: _bare(body) for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def _bare(body: str) -> str:
    return "\n".join(line for line in body.splitlines() if not line.startswith("--")).strip()


def migrations() -> list[tuple[int, str]]:
    """(number, script) in order."""
    folder = resources.files("fieldwise.store").joinpath("migrations")
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    return [(int(name.split("_")[0]), folder.joinpath(name).read_text(encoding="utf-8")) for name in names]


def statements(script: str) -> list[str]:
    """The statements of a script: each ends with a semicolon at the end of a line."""
    bare = "\n".join(line.partition("--")[0].rstrip() for line in script.splitlines())
    return [text.strip() for text in bare.split(";\n") if text.strip()]
