"""Finds out, at start, what became of everything the store calls running: the ledger knows, the fence makes it final."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fieldwise.model.attempt import Report, Target
from fieldwise.model.status import RunOutcome
from fieldwise.ports.engine import Engine
from fieldwise.ports.store import Store


def settle_running(
    store: Store, engine: Engine, epoch: int, running: Mapping[int, Target], now: datetime
) -> list[Report]:
    """One report per attempt: a run found in the ledger succeeded and is not run again, any other is lost.

    The counter of attempts goes above the ledger's first, so that a restored backup never draws one again. Repeating
    this after a crash in the middle gives the same answer: fences only rise, and nothing can publish below them.
    """
    store.raise_attempt(epoch, engine.greatest_attempt())
    if not running:
        return []
    published = engine.raise_fence([(target, attempt) for attempt, target in running.items()])
    return [_report(attempt, published.get(target) == attempt, now) for attempt, target in running.items()]


def _report(attempt: int, published: bool, now: datetime) -> Report:
    if published:
        return Report((attempt,), RunOutcome.SUCCEEDED, now, code="found_in_ledger")
    return Report((attempt,), RunOutcome.LOST, now, "the process that ran it is gone", "worker_lost")
