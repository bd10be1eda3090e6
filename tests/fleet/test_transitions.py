"""Every (status, event) cell of the table by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldwise.fleet.transitions import TRANSITIONS, diagram, next_status, page
from fieldwise.model.event import Event
from fieldwise.model.status import Status

# One line per event: the status after it in not_running, waiting_time, throttled, waiting_resources, running,
# succeeded, failed; "." = the event cannot happen there.
GRID = """
GENERATED       .  .  .  .  .  .  .
UPSTREAM_DONE   WT .  .  .  .  .  .
UPSTREAM_UNDONE .  N  N  N  .  .  .
TIME_REACHED    .  WR .  .  .  .  .
THROTTLED       T  T  .  T  .  .  .
ADMITTED        WR WR WR .  .  .  .
STARTED         R  R  R  R  .  .  .
SUCCEEDED       .  .  .  .  S  .  .
FAILED          .  .  .  .  F  .  .
RETRY_PLANNED   .  .  .  .  WT .  .
TIMED_OUT       .  .  .  .  F  .  .
LOST            .  .  .  .  WT .  .
STOPPED         .  F  F  F  F  .  .
DRY_RUN_DONE    S  S  .  .  .  .  .
PAUSED          N  WT WT .  .  .  .
RESUMED         N  WT .  .  .  .  .
HELD            N  WT WT WT R  S  F
RELEASED        N  WT .  .  R  S  F
FORCED_SUCCESS  S  .  .  .  .  .  S
RERUN           N  N  N  N  .  N  N
FORCED          WT WT WT WT .  WT WT
MARKED          N  WT T  WR R  S  F
UNFUSED         .  .  .  .  WT .  .
UNDONE          .  .  .  .  .  F  .
"""
WORDS = dict(zip(["N", "WT", "T", "WR", "R", "S", "F"], Status, strict=True))
CELLS = [
    (event, status, WORDS.get(cell))
    for line in GRID.split("\n")
    if line
    for event, *cells in [line.split()]
    for status, cell in zip(Status, cells, strict=True)
]


def test_the_grid_names_every_cell():
    assert {(Event[event], status) for event, status, _ in CELLS} == {(e, s) for e in Event for s in Status}
    assert len(CELLS) == len(Event) * len(Status)


@pytest.mark.parametrize(("event", "status", "after"), CELLS, ids=[f"{e}-{s.word}" for e, s, _ in CELLS])
def test_cell(event: str, status: Status, after: Status | None):
    assert next_status(Event[event], status) is after


def test_one_event_in_one_status_has_one_outcome():
    cells = [(row.event, row.before) for row in TRANSITIONS if row.before is not None]
    assert len(cells) == len(set(cells))


def test_every_event_is_used():
    assert {row.event for row in TRANSITIONS} == set(Event)


def test_a_final_status_is_left_only_by_an_operation():
    left = {
        row.event
        for row in TRANSITIONS
        if row.before is not None and row.before.final and row.after is not row.before
    }
    assert left == {Event.RERUN, Event.FORCED, Event.FORCED_SUCCESS, Event.UNDONE}


def test_the_diagram_names_every_status():
    assert all(status.word in diagram() for status in Status)


def test_the_page_is_current():
    path = Path(__file__).parents[2] / "docs" / "statuses.md"
    assert path.read_text() == page(), (
        "write it again: python -m fieldwise.fleet.transitions > docs/statuses.md"
    )
