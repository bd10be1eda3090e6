"""Where a file's YAML header is, and the rest of the file with every position kept (spec 2, "A project on disk")."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fieldwise.definitions.words import Unreadable

LEADING_COMMENT = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z))*/\*(.*?)\*/", re.DOTALL)
OPENED_COMMENT = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z))*/\*")
SCRIPT_HEADER = re.compile(r"\A(?:#!.*\n|[^\S\n]*\n)*# ---[ \t]*\n((?:#.*\n)*?)# ---[ \t]*(?:\n|\Z)")
OPENED_SCRIPT_HEADER = re.compile(r"\A(?:#!.*\n|[^\S\n]*\n)*# ---[ \t]*(?:\n|\Z)")


@dataclass(frozen=True, slots=True)
class Header:
    """The YAML text with the position of its first character, and the body with the header blanked out."""

    yaml: str
    line: int
    column: int
    body: str


def sql_header(text: str) -> Header:
    """The leading /* */ comment of a .sql file. Blanking keeps line and column of every SQL token.

    Lines of `--` may stand before it. Raises Unreadable if there is none.
    """
    match = LEADING_COMMENT.match(text)
    if match is None:
        if OPENED_COMMENT.match(text):
            raise Unreadable("the header's comment is not closed", "end the header with */ before the SELECT")
        raise Unreadable(
            "there is no header", "begin the file with /* kind: fact ... key: [id] */, then one SELECT"
        )
    start = match.start(1)
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    return Header(match.group(1), line, column, blanked(match.group(0)) + text[match.end() :])


def cut_by_comment_end(header: Header) -> bool:
    """Whether the YAML ends inside a quoted text: a cron step such as "*/5" closes the comment around it."""
    last_line = header.yaml.rpartition("\n")[2]
    return "cron" in last_line and (last_line.count('"') % 2 == 1 or last_line.count("'") % 2 == 1)


def script_header(text: str) -> Header:
    """The `# ` lines between two `# ---` lines at the top of a Python or shell script. Raises Unreadable."""
    match = SCRIPT_HEADER.match(text)
    if match is None:
        hint = "begin the script with `# ---`, YAML in `# ` lines, and `# ---`"
        opened = OPENED_SCRIPT_HEADER.match(text)
        raise Unreadable("the header is not closed" if opened else "there is no header", hint)
    # A space for every `#` keeps the columns of the file.
    lines = [" " + line[1:] if line.rstrip() != "#" else "" for line in match.group(1).split("\n")]
    return Header("\n".join(lines), text.count("\n", 0, match.start(1)) + 1, 1, text)


def blanked(text: str) -> str:
    """Spaces for every character but line breaks."""
    return re.sub(r"[^\n]", " ", text)
