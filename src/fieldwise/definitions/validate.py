"""From a YAML document to a form, with every mistake as a located problem."""

from __future__ import annotations

import copy
import types
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from fieldwise.definitions.located import Located, shortened
from fieldwise.definitions.schemas import Form
from fieldwise.definitions.words import Unreadable, suggestion
from fieldwise.model.errors import Problem, ProblemCode

FormType = TypeVar("FormType", bound=Form)
Path = tuple[int | str, ...]
GONE = object()

SHOULD_BE = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}
NOT_YET = {
    "conditions": "write a task of its own for the days that differ",
    "calendar": "use {period: week, on: [mon, tue, wed, thu, fri]} or dates of a year schedule",
}


def validate(form: type[FormType], document: Located, file: str) -> tuple[FormType | None, list[Problem]]:
    """The form and what is wrong; None only if nothing sensible is left without the wrong parts.

    Wrong parts are cut out so that the rest of the file is still checked and others may refer to it. What is wrong
    only because of a cut is not said.
    """
    cuts = _Cuts(copy.deepcopy({} if document.value is None else document.value))
    problems: list[Problem] = []
    while True:
        try:
            return form.model_validate(cuts.value), problems
        except ValidationError as error:
            details = error.errors(include_url=False)
        found = [(cuts.written(detail["loc"]), detail) for detail in details]
        for path, detail in found:
            if not cuts.caused(path, detail["type"]):
                problems.append(_problem(form, document, file, path, detail))
        for path, detail in found:
            cuts.cut(path[:-1] if detail["type"] == "missing" else path)
        if not cuts.made_since_last_asked():
            return None, problems


class _Cuts:
    """The document without its wrong parts. Paths are those of the file: what is left of a list keeps its numbers."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self._paths: set[Path] = set()
        self._left: dict[Path, list[int]] = {}
        self._made = False

    def written(self, place: Sequence[int | str]) -> Path:
        """A place in what is left as a path of the file."""
        path: Path = ()
        for part in place:
            if part == "[key]":  # pydantic's word for: the key itself is wrong
                continue
            left = self._left.get(path)
            path = (*path, left[part] if left is not None and isinstance(part, int) else part)
        return path

    def caused(self, path: Path, kind: str) -> bool:
        """Whether an earlier cut explains that something is missing here, or that this mapping is incomplete."""
        if kind == "missing":
            return path in self._paths
        return any(cut[: len(path)] == path for cut in self._paths)

    def cut(self, path: Path) -> None:
        """Take a part out; the root stays."""
        if not path:
            return
        parent = self._at(path[:-1])
        if isinstance(parent, dict) and isinstance(path[-1], str):
            self._made |= parent.pop(path[-1], GONE) is not GONE
        elif isinstance(parent, list) and isinstance(path[-1], int):
            left = self._left.setdefault(path[:-1], list(range(len(parent))))
            if path[-1] in left:
                number = left.index(path[-1])
                del parent[number], left[number]
                self._made = True
        elif parent is not GONE:  # a single value that stands for a list of one
            self.cut(path[:-1])
        self._paths.add(path)

    def made_since_last_asked(self) -> bool:
        made, self._made = self._made, False
        return made

    def _at(self, path: Path) -> Any:
        here: Any = self.value
        for depth, part in enumerate(path):
            if isinstance(here, dict):
                here = here.get(part, GONE)
            elif isinstance(here, list) and isinstance(part, int):
                left = self._left.get(path[:depth], range(len(here)))
                here = here[left.index(part)] if part in left else GONE
            else:
                return here
        return here


def _problem(form: type[Form], document: Located, file: str, path: Path, detail: ErrorDetails) -> Problem:
    name = ".".join(map(str, path))
    last = str(path[-1]) if path else ""
    context = detail.get("ctx") or {}
    cause = context.get("error")
    match detail["type"]:
        case "extra_forbidden" if last in NOT_YET:
            message = f"`{last}` is not supported by this version"
            return Problem(file, *document.place(name), ProblemCode.UNSUPPORTED, message, NOT_YET[last])
        case "extra_forbidden":
            hint = suggestion(last, _known_keys(form, path[:-1]))
            return Problem(
                file, *document.place(name), ProblemCode.UNKNOWN_KEY, f"unknown key {last!r}", hint
            )
        case "missing":
            parent = ".".join(map(str, path[:-1]))
            message = f"{last!r} is missing" + (f" in {parent}" if parent else "")
            return Problem(file, *document.place(parent), ProblemCode.SYNTAX, message, f"add `{last}:`")
    if isinstance(cause, Unreadable):
        inner = f"{name}.{cause.path}".strip(".") if cause.path else name
        at_key = cause.at_key or detail["loc"][-1:] == ("[key]",)
        at = document.place(inner) if at_key else document.value_place(inner)
        return Problem(file, *at, ProblemCode(cause.code), shortened(cause.message, 300), cause.hint)
    message, hint = _words(detail["type"], detail["msg"], context, detail["input"])
    shown = _shown(path)
    return Problem(file, *document.value_place(name), ProblemCode.SYNTAX, f"{shown} {message}", hint)


def _shown(path: Path) -> str:
    """What a message calls a part: its key, and for an item its number in the list."""
    if not path:
        return "the file"
    if isinstance(path[-1], int) and len(path) > 1:
        return f"item {path[-1] + 1} of {path[-2]!r}"
    return repr(path[-1])


def _words(kind: str, message: str, context: dict[str, Any], value: object) -> tuple[str, str]:
    """What is wrong with a value and what to do, without the validator's own words."""
    if kind in SHOULD_BE:
        return f"should be {SHOULD_BE[kind]}" + (
            ", and nothing is written there" if value is None else ""
        ), ""
    match kind:
        case "literal_error":
            expected = str(context["expected"])
            known = [word.strip("' ") for word in expected.replace(" or ", ", ").split(",")]
            known = [word for word in known if word]
            if len(known) == 1:
                return f"can only be {known[0]}, not {_quoted(value)}", ""
            return f"should be one of {', '.join(known)}, not {_quoted(value)}", suggestion(str(value), known)
        case "greater_than_equal":
            return f"should be at least {context['ge']}, not {_quoted(value)}", ""
        case "less_than_equal":
            return f"should be at most {context['le']}, not {_quoted(value)}", ""
        case "too_short":
            return "is empty", ""
        case "too_long":
            return f"has more than {context['max_length']} entries", ""
    return message[:1].lower() + message[1:].replace("Input should be", "should be"), ""


def _quoted(value: object) -> str:
    return shortened(repr(value))


def _known_keys(form: type[BaseModel], path: Path) -> list[str]:
    """The keys that the form at a path takes; walks dictionaries and lists of forms."""
    here: Any = form
    for part in path:
        here = _unwrapped(here)
        if isinstance(here, type) and issubclass(here, BaseModel):
            fields = {field.alias or name: field.annotation for name, field in here.model_fields.items()}
            here = fields.get(str(part))
        elif get_origin(here) in (dict, list):
            here = get_args(here)[-1]
    here = _unwrapped(here)
    if isinstance(here, type) and issubclass(here, BaseModel):
        return [field.alias or name for name, field in here.model_fields.items()]
    return []


def _unwrapped(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is types.UnionType:
        return next((one for one in get_args(annotation) if one is not type(None)), annotation)
    return annotation
