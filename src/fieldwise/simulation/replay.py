"""What the scheduler would do with a project over some run dates: the real leader, no faults, no engine work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fieldwise.fleet.values import Options
from fieldwise.leader.machine import Leader, Settings
from fieldwise.model.attempt import AttemptRequest
from fieldwise.model.errors import BadRequest
from fieldwise.model.event import Firing, to_micros
from fieldwise.model.plan import Publication
from fieldwise.model.status import Environment, Mark, Status
from fieldwise.simulation.clock import DAY, VirtualClock
from fieldwise.simulation.engine import SimulatedEngine, Warehouse
from fieldwise.simulation.faults import Faults
from fieldwise.simulation.invariants import (
    events_fold,
    ledger_rises,
    one_attempt,
    success_has_a_reason,
    success_is_published,
    unique_firings,
    within_budget,
)
from fieldwise.simulation.oracle import slots_due
from fieldwise.simulation.worker import SimulatedWorker
from fieldwise.store.sqlite import SqliteStore
from fieldwise.usecases.generate import generate_data_days
from fieldwise.usecases.versions import Versions
from fieldwise.wiring import check_folders

LONGEST = 7 * DAY  # of virtual time after the last run date


def simulate_folders(
    folders: Sequence[str | Path], first: date, last: date, zone: str | None = None
) -> dict[str, Any]:
    """The document of `simulate --json`. `zone` replaces the zone of every project. Raises DefinitionsInvalid."""
    if last < first:
        raise BadRequest(f"the range ends ({last}) before it begins ({first})")
    candidates = check_folders(folders).valid().candidates
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise BadRequest(f"there is no time zone {zone!r}", "name one as Asia/Shanghai") from None
        candidates = tuple(replace(one, project=replace(one.project, timezone=zone)) for one in candidates)
    return Replay(candidates, first, last).run()


class Replay:
    """A store in memory with every slot of the run dates, and a clock that jumps from event to event."""

    def __init__(self, candidates: Sequence[Publication], first: date, last: date) -> None:
        self._first, self._last = first, last
        zones = [ZoneInfo(one.project.timezone) for one in candidates]
        self.clock = VirtualClock(min(to_micros(_midnight(first, zone)) for zone in zones))
        self._end = max(to_micros(_midnight(last + timedelta(days=1), zone)) for zone in zones)
        self.store = SqliteStore(":memory:")
        self._violations: list[str] = []
        faults = Faults(Random(0), storm=False)
        self._warehouse = Warehouse()
        engine = SimulatedEngine(self._warehouse, faults)
        self.worker = SimulatedWorker(self.clock, self._warehouse, faults, Random(0), self._started)
        self.leader = Leader(self.store, engine, self.worker, Settings("home", options=Options(), lease=1e9))
        epoch = self.store.lead("home", self.clock.now(), 1e9)
        assert epoch is not None
        self._publications = [self._publish(epoch, one) for one in candidates]

    def _publish(self, epoch: int, candidate: Publication) -> Publication:
        now = self.clock.now()
        stored = self.store.begin_publication(epoch, candidate, now)
        self.store.activate_publication(epoch, Environment.PROD, stored.project.name, stored.version, now)
        day = timedelta(days=1)
        generate_data_days(self.store, epoch, stored, self._first - day, self._last - day, now)
        return stored

    def run(self) -> dict[str, Any]:
        while self.clock.micros < self._end + LONGEST:
            again = self.leader.turn(self.clock.micros)
            times = [at for at in (again, self.worker.next_time) if at is not None]
            if self.leader.idle or not times:
                break
            self.clock.move_to(max(min(times), self.clock.micros + 1))
            self.worker.pass_time()
        firings = list(self.store.window(Environment.PROD))
        self._check(firings)
        return {"tasks": self._counts(firings), "violations": sorted(set(self._violations))}

    def _started(self, request: AttemptRequest) -> None:
        """S7 and S18 at the moment of every start."""
        fleet = self.leader.fleet
        assert fleet is not None
        for member in request.members:
            row = fleet.window.row(member.node_instance)
            assert row is not None
            if int(fleet.window.instances.scheduled_at[fleet.window.instance[row]]) > self.clock.micros:
                self._violations.append(f"S18: {member.target.node} starts before its scheduled time")
            if int(fleet.window.blocking[row]) > 0:
                self._violations.append(f"S7: {member.target.node} starts before its upstream")

    def _check(self, firings: list[Firing]) -> None:
        versions = Versions(self.store, Environment.PROD)
        self._violations += unique_firings(firings)
        self._violations += one_attempt(firings, versions)
        self._violations += ledger_rises(self._warehouse)
        self._violations += success_is_published(self.store, firings, versions, self._warehouse)
        self._violations += success_has_a_reason(firings, self.store)
        self._violations += events_fold(self.store, firings)
        for publication in self._publications:
            names = {task.name for task in publication.tasks}
            self._violations += within_budget([f for f in firings if f.task in names], publication)
            self._check_slots(publication, firings)

    def _check_slots(self, publication: Publication, firings: list[Firing]) -> None:
        """S17: exactly the calendar's slots were generated."""
        zone = ZoneInfo(publication.project.timezone)
        days = (_midnight(self._first, zone), _midnight(self._last + timedelta(days=1), zone))
        made = {(f.task, f.scheduled_at) for f in firings if f.task in {t.name for t in publication.tasks}}
        for task, at in sorted(made ^ slots_due(publication, *days)):
            self._violations.append(f"S17: {task} at {at} is generated or due, not both")

    def _counts(self, firings: list[Firing]) -> dict[str, dict[str, int]]:
        """By task, in instances: one has succeeded if all its nodes have, failed if any has."""
        nodes: dict[tuple[str, int], list[Firing]] = defaultdict(list)
        for firing in firings:
            nodes[firing.task, firing.instance].append(firing)
        tasks = [task.name for publication in self._publications for task in publication.tasks]
        counts = {name: {"generated": 0, "off_day": 0, "succeeded": 0, "failed": 0} for name in tasks}
        for (task, _), members in nodes.items():
            statuses = {member.state.status for member in members}
            counts[task]["generated"] += 1
            counts[task]["off_day"] += bool(members[0].state.marks & Mark.OFF_DAY)
            counts[task]["succeeded"] += statuses == {Status.SUCCEEDED}
            counts[task]["failed"] += Status.FAILED in statuses
        return counts


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), zone)
