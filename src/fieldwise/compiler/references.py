"""Which tables a definition names, found on its words without parsing."""

from __future__ import annotations

import re

from fieldwise.model.definition import ProjectDefinition, TaskDefinition

_PAIR = re.compile(r"""(?<![\w."$])("(?:[^"]|"")+"|[^\W\d]\w*)\s*\.\s*("(?:[^"]|"")+"|[^\W\d]\w*)""")
_NOISE = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)


def references_of(definition: TaskDefinition, project: ProjectDefinition) -> set[str]:
    """Every `a.b` of the text that may be a table, in lower case, with what the header reads.

    Columns with their alias are among them: only names that are tables count for whoever asks.
    """
    del project
    names = {name.lower() for name in definition.reads}
    names |= {one.table.lower() for one in definition.depends_on}
    if definition.metrics is not None:
        names |= {one.source.lower() for one in definition.metrics.atomic}
    elif definition.language == "sql":
        text = _NOISE.sub(" ", definition.text)
        names |= {f"{_plain(first)}.{_plain(second)}" for first, second in _PAIR.findall(text)}
    return names


def _plain(word: str) -> str:
    return (word[1:-1].replace('""', '"') if word.startswith('"') else word).lower()
