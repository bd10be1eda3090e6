"""Builds a deployment and connects its parts: the only place that knows every implementation.

with open_home(home) as deployment:                    # takes HOME/lock, opens store, engine and workers
    deployment.check(folders)                          # -> Checked: problems, candidates (raises nothing)
    deployment.plan(folders)                           # -> the document of `plan --json`
    deployment.publish(folders)                        # -> [PublishResult]; raises DefinitionsInvalid
    deployment.run(folders, first, last, progress=f)   # -> RunResult: document(), ok, failures, blocks
    deployment.query(sql, parameters, limit)           # -> ports.engine.Rows
    deployment.browse                                  # usecases.browse.Browser: everything people read
deployment.operate                                 # usecases.operate.Operator: plan, confirm, log, undo
    deployment.serve(catch_up="")                      # start the leader's thread; close() ends it
check_folders(folders), plan_folders(folders)          # without a home: nothing is created on disk
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from fieldwise.config import Config, read_config
from fieldwise.engines.duckdb import InMemoryEngine
from fieldwise.fleet.decide import Fleet
from fieldwise.fleet.readiness import explain
from fieldwise.fleet.values import Options, Published
from fieldwise.leader.columns import Scope as LeaderScope
from fieldwise.leader.generation import GenerationTimer
from fieldwise.leader.home_lock import HomeLock
from fieldwise.leader.machine import Leader, Settings, Timer
from fieldwise.leader.shell import LeaderThread, turn_until_idle
from fieldwise.leader.tidying import TidyTimer
from fieldwise.model.event import to_micros
from fieldwise.model.plan import Publication
from fieldwise.model.status import Environment
from fieldwise.ports.clock import Clock
from fieldwise.ports.engine import Rows
from fieldwise.store.sqlite import SqliteStore
from fieldwise.usecases.browse import Browser
from fieldwise.usecases.check import Checked, Sources, check
from fieldwise.usecases.emergency import Emergency
from fieldwise.usecases.operate import Act, Operator
from fieldwise.usecases.plan import plan_document
from fieldwise.usecases.publish import PublishResult, publish, settle_publications
from fieldwise.usecases.run import RunResult, Scope, run
from fieldwise.workers.local import LocalWorkers

T = TypeVar("T")
HOLDER = "home"  # the home lock already says that there is one process


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class Deployment:
    """One home, open. Use as a context manager, or call `close`."""

    def __init__(self, config: Config, clock: Clock, wait: float = 10.0) -> None:
        self.config = config
        self.clock = clock
        self._lock = HomeLock(config.home, wait)
        try:
            self.store = SqliteStore(config.home / "state.db")
            self.store.migrate()
            self.workers = LocalWorkers(config.home)
        except BaseException:
            self._lock.release()
            raise
        self._thread: LeaderThread | None = None
        self._closed = False
        self.progress: Callable[[int, int], None] | None = None
        self.browse = Browser(self.store, config.home, self.with_fleet, clock)
        self.operate = Operator(self.store, self.workers, clock, self.with_fleet, self._in_turn)
        self.emergency = Emergency(self.operate, clock)

    def __enter__(self) -> Deployment:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self, grace: float = 0.0) -> None:
        """Admit nothing more, give running attempts `grace` seconds, and let go of the home. May be repeated."""
        if self._closed:
            return
        self._closed = True
        if self._thread is not None:
            self._thread.stop()
        self.workers.close(grace)
        self.store.close()
        self._lock.release()

    # -- definitions

    def check(self, folders: Sequence[str | Path], environment: Environment = Environment.PROD) -> Checked:
        active = self.store.active_publications(environment)
        return _checked(folders, self.workers, active, environment)

    def plan(
        self, folders: Sequence[str | Path], environment: Environment = Environment.PROD
    ) -> dict[str, Any]:
        """Raises DefinitionsInvalid."""
        checked = self.check(folders, environment).valid()
        return plan_document(checked.candidates, self.store.active_publications(environment))

    def publish(
        self, folders: Sequence[str | Path], environment: Environment = Environment.PROD
    ) -> list[PublishResult]:
        """Publish what changed, project after project. Raises DefinitionsInvalid, EngineRefused."""
        checked = self.check(folders, environment).valid()
        results = []
        for candidate in checked.candidates:

            def act(epoch: int, now: int, candidate: Any = candidate) -> tuple[PublishResult, list[Any]]:
                result = publish(self.store, self.workers, epoch, candidate, self.clock.now())
                return result, [Published(result.publication)] if result.changed else []

            results.append(self._under_lead(act))
        return results

    def _under_lead(self, act: Callable[[int, int], tuple[T, list[Any]]]) -> T:
        """Do it in the leader's turn if one runs, else under the lease of this process."""
        if self._thread is not None and self._thread.alive:
            answer: T = self._thread.leader.inbox.call(act).result()
            return answer
        now = self.clock.now()
        return act(self._epoch(), to_micros(now))[0]

    def _epoch(self) -> int:
        now = self.clock.now()
        epoch = self.store.lead(HOLDER, now, self.config.lease)
        assert epoch is not None, "the home lock is held, so nobody else can lead"
        settle_publications(self.store, self.workers, epoch, now)
        return epoch

    # -- running

    def run(
        self,
        folders: Sequence[str | Path],
        first: date,
        last: date,
        environment: Environment = Environment.PROD,
        progress: Callable[[int, int], None] | None = None,
    ) -> RunResult:
        """`fieldwise run`: publish what changed, generate the days, run to the end. Raises BadRequest for the future."""
        publications = [result.publication for result in self.publish(folders, environment)]

        def lead(scope: Scope) -> RunDriver:
            options = Options(ignore_time=True, default_slots=self.config.default_slots)
            return RunDriver(self._leader(environment, options, scope), self.clock)

        return run(self.store, self._epoch(), publications, first, last, lead, self.clock, progress)

    def serve(self, catch_up: str = "", environment: Environment = Environment.PROD) -> None:
        """Start the leader's thread."""
        options = Options(
            default_slots=self.config.default_slots, shown_after=int(self.config.shown_after * 1_000_000)
        )
        timers: list[Timer] = [
            GenerationTimer(self.store, catch_up),
            TidyTimer(self.store, self.config.retention_days),
        ]
        self._thread = LeaderThread(lambda: self._leader(environment, options, None, timers), self.clock)
        self._thread.start()

    def _leader(
        self,
        environment: Environment,
        options: Options,
        scope: LeaderScope | None,
        timers: Sequence[Timer] = (),
    ) -> Leader:
        settings = Settings(
            HOLDER, environment, options, scope, self.config.lease, tolerate=None if scope is None else 5
        )
        return Leader(self.store, self.workers, self.workers, settings, timers)

    # -- operations

    def _in_turn(self, act: Act) -> Any:
        """Decide on an operation in the leader's turn; without a server also run what it set in motion to the end."""
        if self._thread is not None and self._thread.alive:
            return self._deciding(self._thread.leader, act).result()
        self._epoch()
        options = Options(ignore_time=True, default_slots=self.config.default_slots, only_operations=True)
        leader = self._leader(Environment.PROD, options, None)
        answer = self._deciding(leader, act)
        turn_until_idle(leader, self.clock, self.progress)
        return answer.result()

    @staticmethod
    def _deciding(leader: Leader, act: Act) -> Future[Any]:
        def call(epoch: int, now: int) -> tuple[Any, list[Any]]:
            assert leader.fleet is not None
            return act(leader.fleet, epoch, now)

        return leader.inbox.decide(call)

    # -- reading

    def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, limit: int | None = None
    ) -> Rows:
        return self.workers.query(sql, parameters, limit)

    def with_fleet(self, look: Callable[[Fleet], T]) -> T:
        """Let `look` read the open window: the leader's own, in its thread, or one made from the store."""
        if self._thread is not None and self._thread.alive:
            leader = self._thread.leader

            def act(epoch: int, now: int) -> tuple[T, list[Any]]:
                assert leader.fleet is not None
                return look(leader.fleet), []

            answer: T = leader.inbox.call(act).result()
            return answer
        leader = self._leader(Environment.PROD, Options(), None)
        return look(leader.read_window())


class RunDriver:
    """The leader as `usecases.run` drives it."""

    def __init__(self, leader: Leader, clock: Clock) -> None:
        self._leader = leader
        self._clock = clock

    def turn_until_idle(self, clock: Clock, progress: Callable[[int, int], None] | None) -> None:
        turn_until_idle(self._leader, clock, progress)

    def reasons(self, node_instance: int) -> list[dict[str, str]]:
        fleet = self._leader.fleet
        if fleet is None:
            return []
        results = explain(fleet, node_instance, to_micros(self._clock.now()))
        return [
            {"code": reason.code, "object": reason.object, "message": reason.message}
            for result in results
            if result.result == "blocked"
            for reason in result.reasons
        ]


def _checked(
    folders: Sequence[str | Path],
    sources: Sources | None,
    active: Sequence[Publication] = (),
    environment: Environment = Environment.PROD,
) -> Checked:
    types = InMemoryEngine()
    try:
        return check([Path(folder) for folder in folders], sources or types, types, active, environment)
    finally:
        types.close()


def check_folders(folders: Sequence[str | Path]) -> Checked:
    """Check without a home; nothing is created on disk."""
    return _checked(folders, None)


def plan_folders(folders: Sequence[str | Path]) -> dict[str, Any]:
    """Plan without a home: everything is new. Raises DefinitionsInvalid."""
    return plan_document(check_folders(folders).valid().candidates, ())


def open_home(home: str | Path, wait: float = 10.0, clock: Clock | None = None, **options: Any) -> Deployment:
    """Open a home, making it if it is not there. Raises HomeInUse after `wait` seconds. Options: see Config."""
    return Deployment(read_config(Path(home), **options), clock or SystemClock(), wait)
