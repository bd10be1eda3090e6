"""YAML with positions: plain values beside the line and column of every key and value (spec 2, "Rules of the SQL")."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

import yaml

from fieldwise.model.errors import Problem, ProblemCode

MOST_PARTS = 200_000  # aliases can multiply a small text into a huge value
DEEPEST = 50


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
        """Where the value of a path stands; else that of its nearest parent."""
        while path and path not in self.values:
            path = path.rpartition(".")[0]
        return self.values.get(path) or self.place(path)


def read_yaml(text: str, file: str, line: int = 1, column: int = 1) -> tuple[Located | None, list[Problem]]:
    """Parse one YAML document that begins at (line, column) of the file; duplicate keys are problems."""
    reading = _Reading(text, file, line, column)
    try:
        root = yaml.compose(text, Loader=PlainLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = " ".join(part for part in (error.context, error.problem) if part)
        at = reading.place(mark.index) if mark else (line, column)
        hint = "check indentation, colons and quotes around this place"
        return None, [Problem(file, *at, ProblemCode.SYNTAX, f"this is not YAML: {words}", hint)]
    except yaml.reader.ReaderError as error:
        message = f"the character U+{int(error.character):04X} cannot stand here"
        at = reading.place(error.position)
        return None, [Problem(file, *at, ProblemCode.SYNTAX, message, "save the file as UTF-8 text")]
    except RecursionError:
        return None, [Problem(file, line, column, ProblemCode.SYNTAX, TOO_DEEP, LESS_DEEP)]
    reading.document.places[""] = (line, column)
    try:
        reading.document.value = reading.plain(root, "")
    except _Unbounded as error:
        at = reading.place(error.index)
        return None, [Problem(file, *at, ProblemCode.SYNTAX, str(error), LESS_DEEP)]
    return reading.document, reading.problems


TOO_DEEP = "this is nested too deeply"
LESS_DEEP = "write it with fewer levels and without aliases (*name)"


class _Unbounded(Exception):
    """Aliases that contain themselves or multiply, or levels without end."""

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.index = index


class _Reading:
    """One document while its nodes become plain values and places."""

    def __init__(self, text: str, file: str, line: int, column: int) -> None:
        self.file = file
        self.document = Located(None)
        self.problems: list[Problem] = []
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._line = line
        self._column = column
        self._parts = 0
        self._open: set[int] = set()

    def place(self, index: int) -> tuple[int, int]:
        """A character of the text as line and column of the file. YAML's own marks count more characters as breaks."""
        line = bisect_right(self._starts, index)
        column = index - self._starts[line - 1] + 1
        return line + self._line - 1, column + (self._column - 1 if line == 1 else 0)

    def say(self, at: tuple[int, int], message: str, hint: str) -> None:
        self.problems.append(Problem(self.file, *at, ProblemCode.SYNTAX, message, hint))

    def plain(self, node: yaml.Node | None, path: str) -> Any:
        if node is None:
            return None
        index = node.start_mark.index
        self._parts += 1
        if id(node) in self._open:
            raise _Unbounded("this alias contains itself", index)
        if self._parts > MOST_PARTS:
            raise _Unbounded(f"aliases make this more than {MOST_PARTS} values", index)
        if len(self._open) >= DEEPEST:
            raise _Unbounded(TOO_DEEP, index)
        at = self.place(index)
        self.document.values[path] = at
        self.document.places.setdefault(path, at)
        self._open.add(id(node))
        value = self._value(node, path, at)
        self._open.discard(id(node))
        return value

    def _value(self, node: yaml.Node, path: str, at: tuple[int, int]) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(item, _join(path, str(n))) for n, item in enumerate(node.value)]
        return self._scalar(node, at)

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            at = self.place(key_node.start_mark.index)
            if not isinstance(key_node, yaml.ScalarNode):
                self.say(at, "a key cannot be a list or a mapping", "key: value")
                continue
            key = str(key_node.value)
            if key == "<<" and not key_node.style:
                self.say(at, "merging with << is not taken", "write the keys out")
                continue
            if key in found:
                self.say(at, f"{key!r} stands here twice", "keep one of the two")
                continue
            here = _join(path, key)
            self.document.places[here] = at
            found[key] = self.plain(value_node, here)
        return found

    def _scalar(self, node: yaml.Node, at: tuple[int, int]) -> Any:
        text, tag = str(node.value), node.tag.rpartition(":")[2]
        try:
            match tag:
                case "null":
                    return None
                case "bool" if text in ("true", "false"):
                    return text == "true"
                case "int":
                    return int(text)
                case "float":
                    return float(text)
                case "str":
                    return text
        except ValueError:
            self.say(at, f"{shortened(text)!r} is not {'a whole number' if tag == 'int' else 'a number'}", "")
            return None
        self.say(at, f"YAML tag {tag!r} is not taken", "write a plain value")
        return None


def shortened(text: str, most: int = 60) -> str:
    """What a message quotes: long texts would bury it."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
