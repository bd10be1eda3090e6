"""Publications survive the store exactly, whatever they hold."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fieldwise.model.definition import (
    Atomic,
    Metric,
    MetricsDefinition,
    Parameter,
    ProjectDefinition,
    TaskDefinition,
    ThrottlingRule,
)
from fieldwise.model.plan import CompiledTask, Dependency, Field, LineageEdge, Node, Publication
from fieldwise.model.schedule import Schedule, TaskDefaults, Validity
from fieldwise.store.codec import card, decode, encode, facets

WORD = st.text(max_size=12)
PARAMETERS = st.builds(
    Parameter,
    WORD,
    WORD,
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | WORD
    | st.floats(allow_nan=False, allow_infinity=False),
)
PROJECTS = st.builds(
    ProjectDefinition, name=WORD, folder=WORD, parameters=st.lists(PARAMETERS, max_size=3).map(tuple),
    throttling=st.lists(st.builds(ThrottlingRule, WORD, st.integers(0, 9)), max_size=2).map(tuple),
    defaults=st.builds(TaskDefaults), sources=st.just(()), tasks=st.just(()),
)  # fmt: skip
METRICS = st.builds(
    MetricsDefinition,
    st.lists(st.builds(Atomic, WORD, WORD, WORD), max_size=2).map(tuple),
    st.lists(st.tuples(WORD, WORD), max_size=2).map(tuple),
    st.lists(st.builds(Metric, WORD), max_size=2).map(tuple),
)
DEFINITIONS = st.builds(
    TaskDefinition, name=WORD, schedule=st.builds(Schedule), validity=st.builds(Validity), metrics=st.none() | METRICS,
    timeout=st.floats(1, 10**6),
)  # fmt: skip
TASKS = st.builds(
    CompiledTask,
    DEFINITIONS,
    st.lists(
        st.builds(Node, id=WORD, upstream=st.lists(st.builds(Dependency), max_size=2).map(tuple)), max_size=2
    ).map(tuple),
    st.lists(st.builds(Field, WORD), max_size=2).map(tuple),
    lineage=st.lists(st.builds(LineageEdge), max_size=2).map(tuple),
)
PUBLICATIONS = st.builds(Publication, PROJECTS, st.lists(TASKS, max_size=2).map(tuple))


def kinds(value: Any) -> Any:
    """The value with the type of every part: 1 and True and 1.0 are equal, but not the same."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return (type(value), [kinds(getattr(value, field.name)) for field in dataclasses.fields(value)])
    if isinstance(value, tuple | list):
        return (type(value), [kinds(part) for part in value])
    return (type(value), value)


@settings(max_examples=40)
@given(PUBLICATIONS)
def test_a_publication_comes_back_exactly(publication: Publication) -> None:
    found = decode(encode(publication))
    assert found == publication
    assert kinds(found) == kinds(publication)


@settings(max_examples=40)
@given(PUBLICATIONS)
def test_every_filter_value_is_shown_on_the_card(publication: Publication) -> None:
    for task in publication.tasks:
        shown = card(publication, task)
        assert {value for _, value in facets(publication, task)} <= {
            *shown["owners"], *shown["priorities"], *shown["projects"], *shown["tags"],
        }  # fmt: skip
