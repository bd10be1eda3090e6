"""Decides which event may take a node instance from which status to which: THE TABLE."""

from __future__ import annotations

from typing import NamedTuple

from fieldwise.model.event import Event
from fieldwise.model.status import Status


class Row(NamedTuple):
    """`before` None: the node instance is born."""

    event: Event
    before: Status | None
    after: Status


N = Status.NOT_RUNNING
WT = Status.WAITING_TIME
T = Status.THROTTLED
WR = Status.WAITING_RESOURCES
R = Status.RUNNING
S = Status.SUCCEEDED
F = Status.FAILED


def _rows(event: Event, befores: tuple[Status, ...], after: Status) -> tuple[Row, ...]:
    return tuple(Row(event, before, after) for before in befores)


def _same(event: Event, statuses: tuple[Status, ...]) -> tuple[Row, ...]:
    return tuple(Row(event, status, status) for status in statuses)


# Statuses that would last no longer than one decision are never written: a node instance whose upstream is
# done, time
# reached and slot free goes from Not Running straight to Running.
TRANSITIONS: tuple[Row, ...] = (
    Row(Event.GENERATED, None, N),
    Row(Event.GENERATED, None, S),  # off-days and expired dry runs
    *_rows(Event.UPSTREAM_DONE, (N,), WT),
    *_rows(Event.UPSTREAM_UNDONE, (WT, T, WR), N),
    *_rows(Event.TIME_REACHED, (WT,), WR),
    *_rows(Event.THROTTLED, (N, WT, WR), T),
    *_rows(Event.ADMITTED, (N, WT, T), WR),
    *_rows(Event.STARTED, (N, WT, T, WR), R),
    *_rows(Event.DRY_RUN_DONE, (N, WT), S),
    *_rows(Event.SUCCEEDED, (R,), S),
    *_rows(Event.FAILED, (R,), F),
    *_rows(Event.RETRY_PLANNED, (R,), WT),
    *_rows(Event.TIMED_OUT, (R,), F),
    *_rows(Event.LOST, (R,), WT),
    *_rows(Event.STOPPED, (WT, T, WR, R), F),
    *_rows(Event.UNFUSED, (R,), WT),
    *_same(Event.PAUSED, (N, WT)),
    *_rows(Event.PAUSED, (T,), WT),
    *_same(Event.RESUMED, (N, WT)),
    *_same(Event.HELD, (N, WT, R, S, F)),
    *_rows(Event.HELD, (T, WR), WT),
    *_same(Event.RELEASED, (N, WT, R, S, F)),
    *_rows(Event.FORCED_SUCCESS, (N, F), S),
    *_rows(Event.RERUN, (N, WT, T, WR, S, F), N),
    *_rows(Event.FORCED, (N, WT, T, WR, S, F), WT),
    *_same(Event.MARKED, tuple(Status)),
    Row(Event.UNDONE, S, F),
)

_NEXT: dict[tuple[Event, Status], Status] = {
    (row.event, row.before): row.after for row in TRANSITIONS if row.before is not None
}


def next_status(event: Event, status: Status) -> Status | None:
    """The status after `event`, None if the event cannot happen in `status`."""
    return _NEXT.get((event, status))


def diagram() -> str:
    """The table as a Mermaid state diagram; events that change no status are left out."""
    edges: dict[tuple[str, str], list[str]] = {}
    for event, before, after in TRANSITIONS:
        if before is not after:
            edge = (before.word if before is not None else "[*]", after.word)
            edges.setdefault(edge, []).append(event.name.lower())
    lines = [f"    {before} --> {after}: {', '.join(events)}" for (before, after), events in edges.items()]
    return "\n".join(["stateDiagram-v2", *lines])


def page() -> str:
    """The generated page docs/statuses.md."""
    head = "| event | " + " | ".join(status.word for status in Status) + " |"
    rule = "|---" * (len(Status) + 1) + "|"
    body = []
    for event in Event:
        cells = [next_status(event, status) for status in Status]
        words = [cell.word if cell is not None else "" for cell in cells]
        body.append("| " + " | ".join([event.name.lower(), *words]) + " |")
    return "\n".join(
        [
            "<!-- Generated from src/fieldwise/fleet/transitions.py; do not edit. -->",
            "# Statuses of a node instance",
            "",
            "Every change of a status is one of these. A cell names the status after it; an empty cell",
            "means that the event cannot happen there. `generated` gives birth in `not_running`, or in",
            "`succeeded` on off-days and for expired dry runs.",
            "",
            "```mermaid",
            diagram(),
            "```",
            "",
            head,
            rule,
            *body,
            "",
        ]
    )
