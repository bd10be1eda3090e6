"""YAML with positions: plain values beside the line and column of every key and value (spec 2, "Rules of the SQL")."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from fieldwise.model.errors import Problem, ProblemCode


class PlainLoader(yaml.SafeLoader):
    """YAML 1.2's idea of scalars: `on`, `yes` and `01:30` stay text; dates stay text too (fields say what they want)."""


PlainLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), "tf"),
    ("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), "n~\0"),
    ("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        re.compile(r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$"),
        "-+.0123456789",
    ),
):
    PlainLoader.add_implicit_resolver(_tag, _pattern, list(_first) + ([""] if "\0" in _first else []))


@dataclass(slots=True)
class Located:
    """A YAML document as plain values, the places of its parts, and what was wrong with it.

    `places`: path ("fields.amount.checks.0") -> (line, column) of the key, or of the item in a list.
    """

    value: Any
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    values: dict[str, tuple[int, int]] = field(default_factory=dict)

    def place(self, path: str) -> tuple[int, int]:
        """Where a path stands; else its nearest parent."""
        while path and path not in self.places:
            path = path.rpartition(".")[0]
        return self.places.get(path, (1, 1))

    def value_place(self, path: str) -> tuple[int, int]:
        return self.values.get(path) or self.place(path)


def read_yaml(text: str, file: str, line: int = 1, column: int = 1) -> tuple[Located | None, list[Problem]]:
    """Parse one YAML document that begins at (line, column) of the file; duplicate keys are problems."""
    try:
        root = yaml.compose(text, Loader=PlainLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        words = " ".join(part for part in (error.context, error.problem) if part)
        return None, [
            Problem(
                file,
                *shifted(at, line, column),
                ProblemCode.SYNTAX,
                f"this is not YAML: {words}",
                "check indentation, colons and quotes around this place",
            )
        ]
    except yaml.YAMLError as error:
        return None, [
            Problem(
                file,
                line,
                column,
                ProblemCode.SYNTAX,
                f"this is not YAML: {error}",
                "save the file as UTF-8 text",
            )
        ]
    document = Located(None)
    problems: list[Problem] = []
    document.places[""] = (line, column)
    document.value = _plain(root, "", document, problems, file, line, column)
    return document, problems


def shifted(at: tuple[int, int], line: int, column: int) -> tuple[int, int]:
    """A position inside a part of a file as a position of the file."""
    return (at[0] + line - 1, at[1] + (column - 1 if at[0] == 1 else 0))


def _plain(
    node: yaml.Node | None,
    path: str,
    document: Located,
    problems: list[Problem],
    file: str,
    line: int,
    column: int,
) -> Any:
    if node is None:
        return None
    at = shifted((node.start_mark.line + 1, node.start_mark.column + 1), line, column)
    document.values[path] = at
    document.places.setdefault(path, at)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document, problems, file, line, column)
    if isinstance(node, yaml.SequenceNode):
        return [
            _plain(item, _join(path, str(n)), document, problems, file, line, column)
            for n, item in enumerate(node.value)
        ]
    return _scalar(node, file, at, problems)


def _mapping(
    node: yaml.MappingNode,
    path: str,
    document: Located,
    problems: list[Problem],
    file: str,
    line: int,
    column: int,
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        here = _join(path, key)
        at = shifted((key_node.start_mark.line + 1, key_node.start_mark.column + 1), line, column)
        if key in found:
            problems.append(
                Problem(file, *at, ProblemCode.SYNTAX, f"{key!r} stands here twice", "keep one of the two")
            )
            continue
        document.places[here] = at
        found[key] = _plain(value_node, here, document, problems, file, line, column)
    return found


def _scalar(node: yaml.Node, file: str, at: tuple[int, int], problems: list[Problem]) -> Any:
    text = str(node.value)
    match node.tag.rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return text == "true"
        case "int":
            return int(text)
        case "float":
            return float(text)
        case "str":
            return text
        case tag:
            problems.append(
                Problem(
                    file, *at, ProblemCode.SYNTAX, f"YAML tag {tag!r} is not taken", "write a plain value"
                )
            )
            return None


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
