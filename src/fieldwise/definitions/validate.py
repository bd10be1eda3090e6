"""From a YAML document to a form, with every mistake as a located problem."""

from __future__ import annotations

import copy
import types
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from fieldwise.definitions.located import Located
from fieldwise.definitions.schemas import Form
from fieldwise.definitions.words import Unreadable, suggestion
from fieldwise.model.errors import Problem, ProblemCode

FormType = TypeVar("FormType", bound=Form)
MOST_ROUNDS = 3
CUT = object()


def validate(form: type[FormType], document: Located, file: str) -> tuple[FormType | None, list[Problem]]:
    """The form and what is wrong; None only if nothing sensible is left without the wrong parts.

    Wrong parts are cut out so that the rest of the file is still checked and others may refer to it.
    """
    value = copy.deepcopy({} if document.value is None else document.value)
    problems: list[Problem] = []
    for _ in range(MOST_ROUNDS):
        try:
            return form.model_validate(value), problems
        except ValidationError as error:
            details = error.errors(include_url=False)
            problems += [_problem(form, document, file, detail) for detail in details]
            if not all(
                _cut(value, [part for part in detail["loc"] if part != "[key]"]) for detail in details
            ):
                break
    return None, problems


def _cut(value: Any, path: list[int | str]) -> bool:
    """Take one part out; False if there is nothing to take out (a key that is missing)."""
    for part in path[:-1]:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return True  # its parent was cut already
    if not path:
        return False
    last = path[-1]
    if isinstance(value, dict):
        return value.pop(last, CUT) is not CUT
    if isinstance(value, list) and isinstance(last, int) and last < len(value):
        value[last] = ""
    return True


def _problem(form: type[Form], document: Located, file: str, detail: ErrorDetails) -> Problem:
    path = [str(part) for part in detail["loc"] if part != "[key]"]
    name = ".".join(path)
    kind = detail["type"]
    if kind == "extra_forbidden":
        known = _known_keys(form, path[:-1])
        return Problem(
            file,
            *document.place(name),
            ProblemCode.UNKNOWN_KEY,
            f"unknown key {path[-1]!r}",
            suggestion(path[-1], known),
        )
    if kind == "missing":
        parent = ".".join(path[:-1])
        return Problem(
            file,
            *document.place(parent),
            ProblemCode.SYNTAX,
            f"{path[-1]!r} is missing" + (f" in {parent}" if parent else ""),
            f"add `{path[-1]}:`",
        )
    cause = (detail.get("ctx") or {}).get("error")
    if isinstance(cause, Unreadable):
        line, column = document.value_place(name)
        return Problem(file, line, column, ProblemCode(cause.code), cause.message, cause.hint)
    expected = (detail.get("ctx") or {}).get("expected")
    hint = (
        suggestion(
            str(detail["input"]),
            [word.strip("' ") for word in str(expected).replace(" or ", ", ").split(",")],
        )
        if expected
        else ""
    )
    shown = path[-1] if path else "the file"
    return Problem(
        file, *document.value_place(name), ProblemCode.SYNTAX, f"{shown}: {_plain(detail['msg'])}", hint
    )


def _plain(message: str) -> str:
    return message[:1].lower() + message[1:].replace("Input should be", "should be")


def _known_keys(form: type[BaseModel], path: list[str]) -> list[str]:
    """The keys that the form at a path takes; walks dictionaries and lists of forms."""
    here: Any = form
    for part in path:
        here = _unwrapped(here)
        if isinstance(here, type) and issubclass(here, BaseModel):
            fields = {field.alias or name: field.annotation for name, field in here.model_fields.items()}
            here = fields.get(part)
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
