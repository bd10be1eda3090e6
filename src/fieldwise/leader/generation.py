"""Generation by the clock: each project at 23:00 of its zone, and at once when it is new or behind."""

from __future__ import annotations

from fieldwise import telemetry
from fieldwise.fleet.values import Added, Input
from fieldwise.model.event import from_micros, to_micros
from fieldwise.ports.store import Store
from fieldwise.usecases.generate import Generated, generate_due, next_generation
from fieldwise.usecases.versions import Versions


class GenerationTimer:
    """Asks every active project what it owes. `catch_up`: the operator's word for projects more than 7 days behind."""

    def __init__(self, store: Store, catch_up: str = "") -> None:
        self._store = store
        self._catch_up = catch_up
        self.held: tuple[str, ...] = ()
        self.quarantined: tuple[tuple[str, str], ...] = ()

    def due(self, versions: Versions, epoch: int, now: int) -> tuple[list[Input], int | None]:
        instant = from_micros(now)
        total = Generated()
        times: list[int] = []
        for publication in versions.active:
            generated = generate_due(self._store, epoch, publication, instant, self._catch_up)
            total.firings += generated.firings
            total.held += generated.held
            total.quarantined += generated.quarantined
            times.append(to_micros(next_generation(publication, instant)))
        self.held, self.quarantined = tuple(total.held), tuple(total.quarantined)
        if total.firings:
            telemetry.info("generated", node_instances=len(total.firings))
        total.firings.sort(key=lambda firing: firing.state.id)
        return ([Added(total.firings)] if total.firings else []), min(times, default=None)
