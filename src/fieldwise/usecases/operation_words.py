"""The words of the operations contract as the core's values (spec 4, "Contracts")."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

from fieldwise.model.errors import BadRequest
from fieldwise.model.operation import (
    OperationOptions,
    OperationRequest,
    Pick,
    Range,
    StartMode,
    SuccessSet,
    Verb,
)
from fieldwise.model.status import Environment, Priority
from fieldwise.usecases.operate import parse_until

E = TypeVar("E", bound=Enum)


def word_of(kind: type[E], word: str, what: str) -> E:
    """Raises BadRequest with the words there are."""
    try:
        return kind(word)
    except ValueError:
        known = ", ".join(str(one.value) for one in kind)
        raise BadRequest(f"there is no {what} {word}", f"known: {known}") from None


def priority_of(word: str) -> Priority:
    try:
        return Priority[word.upper()]
    except KeyError:
        raise BadRequest(f"there is no priority {word}", "highest, high, medium, low or lowest") from None


def request_of(body: Mapping[str, Any]) -> OperationRequest:
    """A plan request of the contract. Raises BadRequest."""
    options, scope = body.get("options") or {}, body.get("scope") or {}
    fields = body.get("fields")
    return OperationRequest(
        word_of(Verb, body["verb"], "verb"),
        tuple(scope.get("instances") or ()),
        None if fields is None else tuple(fields),
        options_of(options),
        scope.get("query") or "",
        word_of(Environment, scope.get("environment") or "prod", "environment"),
    )


def options_of(options: Mapping[str, Any]) -> OperationOptions:
    range_, set_, until = options.get("range"), options.get("set"), options.get("until")
    priority, cross_day = options.get("priority"), options.get("cross_day")
    return OperationOptions(
        start_mode=word_of(StartMode, options.get("start_mode") or "normal", "start mode"),
        range=word_of(Range, range_, "range") if range_ else None,
        pick=tuple(
            Pick(one["instance"], None if one.get("fields") is None else tuple(one["fields"]))
            for one in options.get("pick") or ()
        ),
        cross_day=True if cross_day is None else bool(cross_day),
        level=options.get("level"),
        set=word_of(SuccessSet, set_, "set") if set_ else None,
        priority=priority_of(priority) if priority else None,
        resource_group=options.get("resource_group"),
        until=parse_until(until) if until else None,
        upstream=tuple(options.get("upstream") or ()),
        with_not_run_descendants=bool(options.get("with_not_run_descendants")),
        check_sources=bool(options.get("check_sources")),
    )
