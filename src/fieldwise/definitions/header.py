"""Where a file's YAML header is, and the rest of the file with every position kept (spec 2, "A project on disk")."""

from __future__ import annotations

import re
from dataclasses import dataclass

LEADING_COMMENT = re.compile(r"\s*/\*(.*?)\*/", re.DOTALL)
SCRIPT_HEADER = re.compile(r"\A(?:#!.*\n|\s*\n)*# ---[ \t]*\n((?:#.*\n)*?)# ---[ \t]*(?:\n|\Z)")


@dataclass(frozen=True, slots=True)
class Header:
    """The YAML text with the position of its first character, and the body with the header blanked out."""

    yaml: str
    line: int
    column: int
    body: str


def sql_header(text: str) -> Header | None:
    """The leading /* */ comment of a .sql file. Blanking keeps line and column of every SQL token."""
    match = LEADING_COMMENT.match(text)
    if match is None:
        return None
    start = match.start(1)
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    return Header(match.group(1), line, column, blanked(match.group(0)) + text[match.end() :])


def script_header(text: str) -> Header | None:
    """The `# ` lines between two `# ---` lines at the top of a Python or shell script."""
    match = SCRIPT_HEADER.match(text)
    if match is None:
        return None
    lines = [line.removeprefix("#").removeprefix(" ") for line in match.group(1).splitlines()]
    # YAML loses two characters of every line; `offset` gives them back to the columns of problems.
    return Header(
        "\n".join("  " + line if line else "" for line in lines) + "\n",
        text.count("\n", 0, match.start(1)) + 1,
        1,
        text,
    )


def blanked(text: str) -> str:
    """Spaces for every character but line breaks."""
    return re.sub(r"[^\n]", " ", text)
