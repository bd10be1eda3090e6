"""Decides, from the open window and what happened, which node instances change, start or must be
interrupted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, repeat

import numpy as np

from fieldwise.fleet.catalog import Array, Catalog
from fieldwise.fleet.changes import Changes
from fieldwise.fleet.operating import Orders, Part
from fieldwise.fleet.queue import Queue
from fieldwise.fleet.timers import Deadlines, Timers
from fieldwise.fleet.transitions import next_status
from fieldwise.fleet.values import (
    Added,
    Answer,
    Cancel,
    Command,
    Decision,
    DryRun,
    Exceptions,
    Facts,
    Force,
    GroupSlots,
    Hold,
    Input,
    Interrupt,
    Operate,
    Options,
    PassThrough,
    Pause,
    Published,
    Question,
    Refused,
    Release,
    Rerun,
    Resume,
    RuleLimit,
    SetPriority,
    SetSuccess,
    Start,
    StartMember,
    Stop,
    Undone,
)
from fieldwise.fleet.window import ALONE, NONE, OPERATED, READY, Rows, Window
from fieldwise.model.attempt import MemberResult, Report
from fieldwise.model.event import (
    EdgeChange,
    Event,
    Firing,
    OperationProgress,
    PausedUntil,
    RunEnd,
    RunStart,
    from_micros,
    to_micros,
)
from fieldwise.model.plan import Publication
from fieldwise.model.schedule import ScheduleType
from fieldwise.model.status import InstanceType, Mark, Priority, RunOutcome, Status

HELD = int(Mark.PAUSED | Mark.HELD)
OUTCOME_MARKS = int(Mark.STOPPED | Mark.FORCED_SUCCESS | Mark.FORCED | Mark.EXPIRED)
TIMED = 4  # flag: the row is in the timers

COMMANDS: dict[type, Event] = {
    Pause: Event.PAUSED,
    Resume: Event.RESUMED,
    Hold: Event.HELD,
    Release: Event.RELEASED,
    SetSuccess: Event.FORCED_SUCCESS,
    Rerun: Event.RERUN,
    Force: Event.FORCED,
    Stop: Event.STOPPED,
    DryRun: Event.RERUN,
    PassThrough: Event.RERUN,
    Undone: Event.UNDONE,
}
# Phases of an order that are commands to node instances.
PHASES: dict[str, type] = {
    "rerun": Rerun,
    "force": Force,
    "dry_run": DryRun,
    "pass_through": PassThrough,
    "stop": Stop,
    "pause": Pause,
    "resume": Resume,
    "set_success": SetSuccess,
    "unset": Undone,
}


_TYPES = tuple(InstanceType)
# Bound once: a member of an enum is looked up slowly, and this is asked for every report.
_SUCCEEDED = RunOutcome.SUCCEEDED


def _result(report: Report, attempt: int) -> MemberResult | None:
    return next((result for result in report.members if result.attempt == attempt), None)


class Fleet:
    """The open window of one environment. One writer: every change goes through `take`."""

    def __init__(
        self,
        publications: Iterable[Publication],
        firings: Iterable[Firing] | Rows,
        facts: Facts | None = None,
        next_attempt: int = 1,
        options: Options | None = None,
        exceptions: Exceptions | None = None,
    ) -> None:
        self.options = options or Options()
        self.catalog = Catalog(publications, self.options.default_slots)
        self.window = Window(self.catalog, facts or Facts())
        self.next_attempt = next_attempt
        self.queue = Queue(self.window)
        self.timers = Timers()
        self._running: dict[int, int] = {}  # attempt -> row
        self._set_of: dict[int, int] = {}  # attempt -> first attempt of its fused set
        self._sets: dict[
            int, tuple[int, int, int]
        ] = {}  # first attempt -> group, slots, members still running
        self._targets: set[int] = set()  # what running rows write
        self._target_waits: dict[int, list[int]] = {}
        self._timed_out: set[int] = set()
        self._asked: dict[Question, list[int]] = {}
        self._unshown: list[tuple[int, Array]] = []
        self._woken: list[Array] = []
        self.deadlines = Deadlines(self._running.__contains__)
        self.changes = Changes(self.window, 0)
        self.decision = Decision(self.changes.batch)
        self.orders = Orders(self.window, self.options.chunk)
        self._until: dict[int, int] = {}  # paused row -> when its pause ends
        self._only: Array | None = None  # rows that may start; None: all
        self._add(firings)
        if self.options.only_operations:
            self._only = np.zeros(len(self.window), dtype=bool)
        self._except(exceptions or Exceptions())

    # -- the one door

    def take(self, inputs: Sequence[Input], now: int) -> Decision:
        """Take what happened, decide everything that follows from it at `now`."""
        self.changes = Changes(self.window, now)
        self.decision = Decision(self.changes.batch)
        reports: list[Report] = []
        for item in inputs:
            if isinstance(item, Report):
                reports.append(item)
                continue
            if reports:
                self._reports(reports)
                reports = []
            self._take_one(item)
        if reports:
            self._reports(reports)
        self._operate()
        self._time_passes(now)
        self._advance()
        self._dispatch()
        self._show()
        return self._finish()

    def running(self) -> list[tuple[int, int]]:
        """(attempt, node instance) of everything that runs."""
        return [(attempt, int(self.window.id[row])) for attempt, row in self._running.items()]

    def _take_one(self, item: Input) -> None:
        match item:
            case Report():
                self._reports([item])
            case Added():
                self._add(item.firings)
            case Published():
                self._publish(item.publication)
            case Answer():
                self._answer(item)
            case SetPriority():
                self._set_priority(item)
            case Operate():
                self._begin(item)
            case Cancel():
                self._cancel(item.operation)
            case GroupSlots():
                self.catalog.group_slots[self.catalog.group(item.project, item.group)] = item.slots
                self.queue.refresh()
            case RuleLimit():
                self.catalog.rule_limits[self.catalog.rules[item.rule][0]] = item.max_running
                self.queue.refresh()
            case _:
                self._command(item)

    # -- facts that arrive

    def _publish(self, publication: Publication) -> None:
        self.catalog.add(publication)
        self.queue.refresh()

    def _add(self, firings: Iterable[Firing] | Rows) -> None:
        window = self.window
        rows = window.add_rows(firings) if isinstance(firings, Rows) else window.add(firings)
        self._adopt(rows[window.status[rows] == Status.RUNNING])
        self._woken.append(rows)
        # Older rows may have waited for just these slots, or must wait for them now.
        self._woken.append(window.relinked)

    def _adopt(self, rows: Array) -> None:
        """Rows that ran when the last leader went: they hold their slots until their report comes."""
        for row, attempt in zip(rows.tolist(), self.window.attempt[rows].tolist(), strict=True):
            group = int(self.window.group[row])
            self._running[attempt] = row
            self._targets.add(int(self.window.target[row]))
            self._sets[attempt] = (group, self.queue.start([row], group), 1)
            self.queue.queued += 1  # it was never queued
        self.deadlines.add(
            self.window.started_at[rows] + self.catalog.node_timeout[self.window.node[rows]],
            self.window.attempt[rows],
        )

    def _answer(self, answer: Answer) -> None:
        rows = self._asked.pop(answer.question, [])
        if not answer.ready:
            if rows:
                self._asked[answer.question] = rows
            return
        # Woken only with its last answer: sooner it would ask for those again that it has.
        waiting = {row for others in self._asked.values() for row in others}
        ready = np.array([row for row in rows if row not in waiting], dtype=np.int64)
        self.window.flags[ready] |= READY
        self._woken.append(ready)

    def _set_priority(self, item: SetPriority) -> None:
        rows = self._rows(item.node_instances, "SetPriority")
        window = self.window
        window.chosen_priority[rows] = -1 if item.priority is None else item.priority
        configured = self.catalog.node_priority[window.node[rows]]
        window.priority[rows] = configured if item.priority is None else item.priority
        chosen = None if item.priority is None else int(item.priority)
        self.changes.batch.priorities += [(number, chosen) for number in window.id[rows].tolist()]
        self.changes.move(Event.MARKED, rows, item.operation, "priority")
        self.queue.resort(rows, self.changes.now)

    def _rows(self, ids: Iterable[int], command: str) -> Array:
        found = []
        for number in ids:
            row = self.window.row(number)
            if row is None:
                self.decision.refused.append(Refused(number, command, None))
            else:
                found.append(row)
        return np.array(found, dtype=np.int64)

    # -- commands

    def _command(self, command: Command) -> None:
        event = COMMANDS[type(command)]
        name = type(command).__name__
        window = self.window
        rows = self._rows(command.node_instances, name)
        allowed = np.array(
            [next_status(event, Status(s)) is not None for s in window.status[rows].tolist()], dtype=bool
        )
        for row in rows[~allowed].tolist():
            self.decision.refused.append(Refused(int(window.id[row]), name, int(window.status[row])))
        rows = rows[allowed]
        if isinstance(command, Stop):
            running = rows[window.status[rows] == Status.RUNNING]
            self._stop_running(running, command)
            rows = rows[window.status[rows] != Status.RUNNING]
        if len(rows):
            self._apply(event, rows, command)

    def _stop_running(self, rows: Array, command: Stop) -> None:
        window = self.window
        window.marks[rows] |= int(Mark.STOPPING)
        self.changes.move(Event.MARKED, rows, command.operation, command.detail or "stopping")
        for attempt in window.attempt[rows].tolist():
            self.decision.interrupts.append(Interrupt(attempt, "stopped"))
        again = np.full(len(rows), self.changes.now + self.options.interrupt_again)
        self.deadlines.add(again, window.attempt[rows])

    def _apply(self, event: Event, rows: Array, command: Command) -> None:
        window = self.window
        match command:
            case Pause():
                window.marks[rows] |= int(Mark.PAUSED)
            case Hold():
                window.marks[rows] |= int(Mark.HELD)
            case Resume():
                window.marks[rows] &= ~int(Mark.PAUSED)
            case Release():
                window.marks[rows] &= ~int(Mark.HELD)
            case SetSuccess():
                window.marks[rows] = (window.marks[rows] & ~int(Mark.PAUSED)) | int(Mark.FORCED_SUCCESS)
            case Stop():
                window.marks[rows] = (window.marks[rows] & ~int(Mark.PAUSED)) | int(Mark.STOPPED)
            case Rerun() | Force() | DryRun() | PassThrough():
                window.marks[rows] &= ~OUTCOME_MARKS
                self._run_for_real(rows)
            case Undone():
                window.marks[rows] &= ~int(Mark.FORCED_SUCCESS)
        if isinstance(command, Force):
            window.marks[rows] |= int(Mark.FORCED)
        if isinstance(command, DryRun):
            window.marks[rows] |= int(Mark.FORCED | Mark.DRY_RUN)
        if isinstance(command, PassThrough):
            window.marks[rows] |= int(Mark.DRY_RUN)
        if isinstance(command, Rerun | Force | DryRun | PassThrough):
            self._start_over(rows)
        if isinstance(command, Resume | SetSuccess | Stop):
            self._no_longer_until(rows)
        if not isinstance(command, Resume | Release):
            self.queue.leave(rows)
        self._set(event, rows, command.operation, command.detail)
        if isinstance(command, SetSuccess | Stop):
            window.ended_at[rows] = self.changes.now
        self._woken.append(rows)

    def _run_for_real(self, rows: Array) -> None:
        """An earlier operation's dry run does not stay; a task's own schedule type and an off-day do."""
        window = self.window
        dry = rows[(window.marks[rows] & int(Mark.DRY_RUN | Mark.OFF_DAY)) == int(Mark.DRY_RUN)]
        for row in dry.tolist():
            definition = self.catalog.compiled[int(window.node[row])].definition
            if definition.schedule_type is not ScheduleType.DRY_RUN:
                window.marks[row] &= ~int(Mark.DRY_RUN)

    def _start_over(self, rows: Array) -> None:
        """A new beginning: budgets and times of the earlier runs no longer count."""
        window = self.window
        window.retries_used[rows] = 0
        window.losses_used[rows] = 0
        window.next_at[rows] = NONE
        window.flags[rows] &= ~np.uint8(TIMED | ALONE)

    # -- operations

    def operated(self, row: int) -> int:
        """The operation that holds a row while it is applied, 0 for none."""
        return self.orders.operated(row)

    def paused_until(self, row: int) -> int | None:
        """When the pause of a row ends by itself, None for never."""
        return self._until.get(row)

    def _allow(self, rows: Array) -> None:
        """A command line without a server runs only what it set in motion: these rows and all below them."""
        if self._only is None:
            return
        while len(rows):
            self._only[rows] = True
            below = np.unique(self.window.downstream.of(rows)).astype(np.int64)
            rows = below[~self._only[below]]

    def _except(self, exceptions: Exceptions) -> None:
        window = self.window
        by_row: dict[int, list[int]] = {}
        for number, instance in exceptions.removed:
            row, owner = window.row(number), np.flatnonzero(window.instance_id == instance)
            if row is not None and len(owner):
                by_row.setdefault(row, []).append(int(owner[0]))
        for row, owners in by_row.items():
            window.remove_edges(row, owners)
        for number, group in exceptions.groups.items():
            if (row := window.row(number)) is not None:
                window.group[row] = self._group_number(row, group)
        for number, until in exceptions.pauses.items():
            row = window.row(number)
            if row is not None and window.marks[row] & int(Mark.PAUSED):
                self._paused_until(np.array([row], dtype=np.int64), until)
        for order in exceptions.orders:
            self.orders.take(order)
            self._allow(self.orders.open()[-1].rows)

    def _begin(self, item: Operate) -> None:
        self.changes.batch.operations.append(item.record)
        held = self.orders.take(item.order)
        self._allow(self.orders.open()[-1].rows)
        queued = held[self.window.queued_at[held] != NONE]
        self.queue.leave(queued)
        status = self.window.status[queued]
        shown = queued[(status == Status.THROTTLED) | (status == Status.WAITING_RESOURCES)]
        self._set(Event.HELD, shown, item.order.operation, "held by operation")

    def _cancel(self, operation: int) -> None:
        found = self.orders.cancel(operation)
        if found is not None:
            applying, rows = found
            self.changes.batch.progress.append(
                OperationProgress(operation, applying.cursor, "cancelled", tuple(applying.refused))
            )
            self._woken.append(rows)

    def _operate(self) -> None:
        """Apply what can be applied of the operations under way."""
        if not self.orders.open():
            return
        for operation, rows in self.orders.to_stop():
            fresh = rows[(self.window.marks[rows] & int(Mark.STOPPING)) == 0]
            if len(fresh):
                self._stop_running(fresh, Stop((), operation, "stopped to run again"))
        before = {one.order.operation: one.cursor for one in self.orders.open()}
        for part in self.orders.next():
            self._apply_part(part)
        batch = self.changes.batch
        for applying, rows in self.orders.finished():
            order = applying.order
            batch.progress.append(
                OperationProgress(order.operation, len(applying.rows), "applied", tuple(applying.refused))
            )
            self._renew(rows)
            self._woken.append(rows)
        for applying in self.orders.open():
            if applying.cursor != before.get(applying.order.operation):
                progress = (applying.order.operation, applying.cursor, "applying", tuple(applying.refused))
                batch.progress.append(OperationProgress(*progress))

    def _renew(self, rows: Array) -> None:
        """What will run again runs the definition in force (spec 4: latest published code), if its nodes are the same."""
        window, fresh = self.window, []
        owners = np.unique(window.instance[rows])
        versions = window.instances.version[owners]
        old = [one for one in np.unique(versions).tolist() if self.catalog.newest(one) != one]
        for owner in owners[np.isin(versions, old)].tolist() if old else ():
            version = int(window.instances.version[owner])
            numbers = self.catalog.renewed(version)
            own, _ = window.rows_of(np.array([owner], dtype=np.int64))
            if numbers is None or bool((window.status[own] == Status.RUNNING).any()):
                continue
            newest = self.catalog.newest(version)
            fresh.append(window.renew(owner, numbers, newest))
            publication = self.catalog.publication_of[self.catalog.version_nodes[newest][0]]
            self.changes.batch.versions.append((int(window.instance_id[owner]), publication))
        if fresh:
            window.resolve_again(np.concatenate(fresh))

    def _apply_part(self, part: Part) -> None:
        window, ids = self.window, tuple(self.window.id[part.rows].tolist())
        match part.kind:
            case "priority":
                chosen = None if part.value is None else Priority(part.value)
                self._set_priority(SetPriority(ids, chosen, part.operation))
            case "group":
                self._choose_group(part)
            case "remove_upstream" | "restore_upstream":
                self._change_edges(part)
            case kind:
                refused = len(self.decision.refused)
                self._command(PHASES[kind](ids, part.operation, ""))
                for one in self.decision.refused[refused:]:
                    self._refused(part.operation, one.node_instance)
        if part.kind == "pause":
            paused = part.rows[(window.marks[part.rows] & int(Mark.PAUSED)) != 0]
            self.changes.batch.pauses += [
                PausedUntil(number, part.value, part.operation) for number in window.id[paused].tolist()
            ]
            if part.value is not None:
                self._paused_until(paused, int(part.value))

    def _refused(self, operation: int, node_instance: int) -> None:
        for applying in self.orders.open():
            if applying.order.operation == operation:
                applying.refused.append(node_instance)

    def _paused_until(self, rows: Array, until: int) -> None:
        self._until.update(dict.fromkeys(rows.tolist(), until))
        self.timers.add(np.full(len(rows), until, dtype=np.int64), rows)

    def _no_longer_until(self, rows: Array) -> None:
        for row in rows.tolist() if self._until else ():
            if self._until.pop(row, None) is not None:
                self.changes.batch.pauses.append(PausedUntil(int(self.window.id[row]), None))

    def _pauses_end(self, due: Array, now: int) -> None:
        over = [row for row in due.tolist() if self._until.get(row, now + 1) <= now]
        if over:
            rows = np.array(over, dtype=np.int64)
            self._command(Resume(tuple(self.window.id[rows].tolist()), 0, "pause is over"))

    def _group_number(self, row: int, name: str) -> int:
        project = self.catalog.task_projects[int(self.window.instances.task[self.window.instance[row]])]
        return self.catalog.group(project, name)

    def _choose_group(self, part: Part) -> None:
        """Rows in a queue change to the queue of the other group at once."""
        window = self.window
        queued = part.rows[window.queued_at[part.rows] != NONE]
        self.queue.leave(queued)
        for row in part.rows.tolist():
            configured = int(self.catalog.node_group[int(window.node[row])])
            window.group[row] = configured if part.value is None else self._group_number(row, str(part.value))
        self.changes.move(Event.MARKED, part.rows, part.operation, "resource group")
        self.changes.batch.groups += [(number, part.value) for number in window.id[part.rows].tolist()]
        self._woken.append(queued)

    def _change_edges(self, part: Part) -> None:
        window = self.window
        remove = part.kind == "remove_upstream"
        owners = [
            int(found[0]) for one in part.value if len(found := np.flatnonzero(window.instance_id == one))
        ]
        for row in part.rows.tolist():
            (window.remove_edges if remove else window.restore_edges)(row, owners)
            self.changes.batch.edges += [
                EdgeChange(int(window.id[row]), int(window.instance_id[owner]), remove, part.operation)
                for owner in owners
            ]
        detail = "upstream removed" if remove else "upstream restored"
        self.changes.move(Event.MARKED, part.rows, part.operation, detail)
        self._woken.append(part.rows)

    # -- status changes

    def _set(self, event: Event, rows: Array, operation: int = 0, detail: str = "") -> None:
        """Move rows and tell what waits for them."""
        if not len(rows):
            return
        window = self.window
        before = window.status[rows] == Status.SUCCEEDED
        self.changes.move(event, rows, operation, detail)
        after = window.status[rows] == Status.SUCCEEDED
        if bool((after & ~before).any()):
            down = window.downstream.of(rows[after & ~before])
            np.subtract.at(window.blocking, down, 1)
            self._woken.append(down[window.blocking[down] <= 0])
        if bool((before & ~after).any()):
            down = window.downstream.of(rows[before & ~after])
            np.add.at(window.blocking, down, 1)
            self._woken.append(down)

    # -- reports

    def _reports(self, reports: Sequence[Report]) -> None:
        """Attempts that are not running any more are late or repeated: they change nothing."""
        rows: list[int] = []
        attempts: list[int] = []
        sources: list[Report] = []
        for report in reports:
            for attempt in report.attempts:
                row = self._running.pop(attempt, None)
                if row is not None:
                    rows.append(row)
                    attempts.append(attempt)
                    sources.append(report)
        if not rows:
            return
        ended = np.array(rows, dtype=np.int64)
        self._give_back(ended, attempts)
        self._end_runs(ended, attempts, sources)
        plain = [
            report.outcome is _SUCCEEDED
            and not (report.members and any(result.rows_differ for result in report.members))
            for report in sources
        ]
        self._succeeded(ended if all(plain) else ended[np.array(plain)])
        if not all(plain):
            self._special(rows, attempts, sources)
        self._timed_out.difference_update(attempts)

    def _special(self, rows: list[int], attempts: list[int], sources: list[Report]) -> None:
        """Reports that do more than end a node well."""
        differ: dict[int, Report] = {}
        for row, attempt, report in zip(rows, attempts, sources, strict=True):
            if report.outcome is not RunOutcome.SUCCEEDED:
                self._not_succeeded(attempt, row, report)
            elif any(result.rows_differ for result in report.members):
                differ.setdefault(id(report), report)
        for report in differ.values():
            members = [row for row, source in zip(rows, sources, strict=True) if source is report]
            system = bool((self.window.marks[members] & int(Mark.ROWS_DIFFER)).any())
            self._succeeded(np.array(members, dtype=np.int64))
            self._rows_differ(
                members[0], {n for result in report.members for n in result.rows_differ}, not system
            )

    def _end_runs(self, rows: Array, attempts: list[int], sources: list[Report]) -> None:
        window = self.window
        ends = [to_micros(report.ended_at) for report in sources]
        window.ended_at[rows] = ends
        columns = zip(
            window.id[rows].tolist(), window.run[rows].tolist(), attempts, ends, sources, strict=True
        )
        self.changes.batch.run_ends.extend(
            RunEnd(
                number,
                run,
                attempt,
                ended,
                report.outcome,
                report.message,
                report.code,
                report.rows,
                _result(report, attempt) if report.members else None,
                report.input_versions,
                sum([spent for _, spent in report.timings]) if report.timings else 0.0,
            )
            for number, run, attempt, ended, report in columns
        )

    def _succeeded(self, rows: Array) -> None:
        if len(rows):
            self.window.marks[rows] &= ~int(Mark.ROWS_DIFFER | Mark.STOPPING)
            self.window.flags[rows] &= ~np.uint8(ALONE)
            self._set(Event.SUCCEEDED, rows)

    def _rows_differ(self, row: int, names: set[str], rerun: bool) -> None:
        """The other nodes of the partition are marked and run again at once, at most once per causing run."""
        window = self.window
        peers, _ = window.rows_of(window.instance[[row]])
        chosen = [
            peer
            for peer in peers.tolist()
            if self.catalog.names[window.node[peer]] in names
            and window.status[peer] in (Status.SUCCEEDED, Status.FAILED)
        ]
        rows = np.array(chosen, dtype=np.int64)
        window.marks[rows] |= int(Mark.ROWS_DIFFER)
        again = self.catalog.compiled[window.node[row]].definition.on_rows_differ == "rerun"
        done = rows[window.status[rows] == Status.SUCCEEDED]
        if not (rerun and again):
            self._set(Event.MARKED, rows, detail="rows_differ")
            return
        self._set(Event.MARKED, rows[window.status[rows] == Status.FAILED], detail="rows_differ")
        self._start_over(done)
        self._set(Event.RERUN, done, detail="rows_differ")
        self._woken.append(done)

    def _not_succeeded(self, attempt: int, row: int, report: Report) -> None:
        window = self.window
        node = int(window.node[row])
        rows = np.array([row], dtype=np.int64)
        fused = len(report.attempts) > 1
        outcome, detail = report.outcome, report.code
        if window.marks[row] & int(Mark.STOPPING):
            window.marks[row] = (window.marks[row] & ~int(Mark.STOPPING)) | int(Mark.STOPPED)
            self._final(Event.STOPPED, rows, detail)
            return
        if attempt in self._timed_out:
            outcome = RunOutcome.TIMED_OUT
        if outcome is RunOutcome.STOPPED:
            # Interrupted for another member, or by nobody we know: then it is lost.
            outcome = RunOutcome.STOPPED if fused else RunOutcome.LOST
        if outcome is RunOutcome.STOPPED or (fused and outcome is RunOutcome.FAILED):
            if outcome is RunOutcome.FAILED:
                window.flags[row] |= ALONE
            self._set(Event.UNFUSED, rows, detail=detail)
            self._woken.append(rows)
        elif outcome is RunOutcome.LOST:
            self._lost(rows, node, detail)
        else:
            self._failed(rows, node, outcome, detail)

    def _lost(self, rows: Array, node: int, detail: str) -> None:
        """Infrastructure failed, not the user: a budget of its own, with growing pauses."""
        window, row = self.window, int(rows[0])
        used = int(window.losses_used[row])
        if used >= self.options.losses or self.catalog.node_never[node]:
            self._final(Event.FAILED, rows, detail or "worker_lost")
            return
        window.losses_used[row] = used + 1
        self._wait(row, self.options.loss_pause << used)
        self._set(Event.LOST, rows, detail=detail or "worker_lost")
        self._woken.append(rows)

    def _failed(self, rows: Array, node: int, outcome: RunOutcome, detail: str) -> None:
        window, row = self.window, int(rows[0])
        timeout = outcome is RunOutcome.TIMED_OUT
        budget = int(self.catalog.node_retries[node])
        if (timeout and not self.catalog.node_on_timeout[node]) or window.retries_used[row] >= budget:
            self._final(Event.TIMED_OUT if timeout else Event.FAILED, rows, detail)
            return
        window.retries_used[row] += 1
        self._wait(row, int(self.catalog.node_every[node]))
        self._set(Event.RETRY_PLANNED, rows, detail=detail or ("timeout" if timeout else ""))
        self._woken.append(rows)

    def _wait(self, row: int, pause: int) -> None:
        self.window.next_at[row] = NONE if self.options.ignore_time else self.changes.now + pause

    def _final(self, event: Event, rows: Array, detail: str) -> None:
        self.window.flags[rows] &= ~np.uint8(ALONE)
        self._set(event, rows, detail=detail)

    def _give_back(self, rows: Array, attempts: list[int]) -> None:
        """What ended attempts held: slots, room under rules, their targets."""
        queue, targets = self.queue, self._targets
        for attempt in attempts:
            first = self._set_of.pop(attempt, attempt) if self._set_of else attempt
            group, cost, members = self._sets[first]
            if members > 1:
                self._sets[first] = (group, cost, members - 1)
            else:
                del self._sets[first]
                queue.release(group, cost)
        if self.catalog.rule_limits:
            for row in rows.tolist():
                queue.end(row)
        for target in self.window.target[rows].tolist():
            targets.discard(target)
            if self._target_waits:
                waiting = self._target_waits.pop(target, None)
                if waiting:
                    self._woken.append(np.array(waiting, dtype=np.int64))

    # -- time

    def _time_passes(self, now: int) -> None:
        due = self.timers.due(now)
        if len(due):
            self.window.flags[due] &= ~np.uint8(TIMED)
            self._woken.append(due)
            if self._until:
                self._pauses_end(due, now)
        for attempt in self.deadlines.due(now):
            stopping = bool(self.window.marks[self._running[attempt]] & int(Mark.STOPPING))
            if not stopping:
                self._timed_out.add(attempt)
            self.decision.interrupts.append(Interrupt(attempt, "stopped" if stopping else "timeout"))
            # Until a report comes, somebody must own the next step: ask again.
            self.deadlines.add(np.array([now + self.options.interrupt_again]), np.array([attempt]))
        self.queue.age(now)

    # -- what may go on

    def _advance(self) -> None:
        """Check woken rows until nothing new wakes; a dry run succeeds here and wakes what waits for it."""
        while self._woken:
            woken = [rows for rows in self._woken if len(rows)]
            self._woken = []
            if not woken:
                return
            rows = woken[0] if len(woken) == 1 else np.concatenate(woken)
            rows = rows[self.window.status[rows] <= Status.WAITING_RESOURCES].astype(np.int64)
            if len(rows) > 1 and not bool((rows[1:] > rows[:-1]).all()):
                rows = np.unique(rows)
            if len(rows):
                self._check(rows)

    def _check(self, rows: Array) -> None:
        """The run condition up to the queue, in the order of readiness.CHECKS."""
        window, now = self.window, self.changes.now
        marks = window.marks[rows]
        forced = (marks & int(Mark.FORCED)) != 0
        ahead = (window.blocking[rows] == 0) | forced
        owner = window.instance[rows]
        due = np.where(forced, NONE, window.instances.scheduled_at[owner])
        due = np.maximum(due, window.next_at[rows])
        reached = np.ones(len(rows), dtype=bool) if self.options.ignore_time else due <= now
        asks = self.catalog.node_asks[window.node[rows]] & ~forced & ((window.flags[rows] & READY) == 0)
        if asks.any():
            self._ask(rows[asks & ahead & reached])
        late = ahead & ~reached
        timed = (window.flags[rows] & TIMED) != 0
        self._set_timer(rows[late & ~timed], due[late & ~timed])
        self._back(rows[~ahead | asks])
        open_ = ahead & ~asks
        held = ((marks & HELD) != 0) | ((window.flags[rows] & OPERATED) != 0)
        if self._only is not None:
            held |= ~self._only[rows]
        free = open_ & reached & ~held
        wait = rows[open_ & ~free]
        self.queue.leave(wait)
        self._set(Event.UPSTREAM_DONE, wait[window.status[wait] == Status.NOT_RUNNING])
        dry = (marks & int(Mark.DRY_RUN)) != 0
        self._dry(rows[free & dry])
        self._line_up(rows[free & ~dry])

    def _set_timer(self, rows: Array, due: Array) -> None:
        self.window.flags[rows] |= TIMED
        self.timers.add(due, rows)

    def _back(self, rows: Array) -> None:
        """An upstream left Succeeded: what waited goes back."""
        self.queue.leave(rows)
        self._set(Event.UPSTREAM_UNDONE, rows[self.window.status[rows] != Status.NOT_RUNNING])

    def _dry(self, rows: Array) -> None:
        if len(rows):
            self.window.ended_at[rows] = self.changes.now
            self._set(Event.DRY_RUN_DONE, rows)

    def _ask(self, rows: Array) -> None:
        for row in rows.tolist():
            owner = int(self.window.instance[row])
            instances = self.window.instances
            project = self.catalog.task_projects[int(instances.task[owner])]
            for source in self.catalog.questions[int(self.window.node[row])]:
                question = Question(
                    project,
                    source,
                    int(instances.scheduled_at[owner]),
                    int(instances.slot_start[owner]),
                    int(instances.day[owner]),
                )
                waiting = self._asked.setdefault(question, [])
                if row not in waiting:
                    waiting.append(row)

    def _line_up(self, rows: Array) -> None:
        """Into the queue of their groups, unless another run writes the same target now."""
        window = self.window
        rows = rows[window.queued_at[rows] == NONE]
        if not len(rows):
            return
        if self._targets:
            rows = self._without_busy(rows)
        self.queue.enter(rows, self.changes.now)
        if len(rows):
            self._unshown.append((self.changes.now, rows))

    def _without_busy(self, rows: Array) -> Array:
        window, running = self.window, self._targets
        targets = window.target[rows].tolist()
        if running.isdisjoint(targets):
            return rows
        busy = [target in running for target in targets]
        for row, target, taken in zip(rows.tolist(), targets, busy, strict=True):
            if taken:
                self._target_waits.setdefault(target, []).append(row)
        mask = np.array(busy)
        self._set(Event.UPSTREAM_DONE, rows[mask & (window.status[rows] == Status.NOT_RUNNING)])
        free: Array = rows[~mask]
        return free

    # -- starts

    def _dispatch(self) -> None:
        queue = self.queue
        sets: list[list[int]] = []
        while queue.dirty:
            group = min(queue.dirty)
            queue.dirty.remove(group)
            if not queue.rule_running:
                self._dispatch_freely(group, sets)
                continue
            while (row := queue.take(group)) is not None:
                if not self._busy(row):
                    sets.append(self._fuse(row, group))
        if sets:
            self._start(sets)
        if queue.moved:
            self._unshown.append((self.changes.now, np.array(queue.moved, dtype=np.int64)))
            queue.moved = []

    def _dispatch_freely(self, group: int, sets: list[list[int]]) -> None:
        """The same as `take` until nothing can start, for the usual case that no throttling rule exists."""
        queue, window, running, targets = self.queue, self.window, self._running, self._targets
        queued_at, level, target, node = window.queued_at, window.level, window.target, window.node
        costs, fusable, used = self.catalog.costs, self.catalog.fusable, queue.used
        line, slots = queue.main_line(group), self.catalog.group_slots[group]
        while line.heap and used[group] < slots:
            entry = line.heap[0]
            row, number = entry[4], node[entry[4]]
            if queued_at[row] == NONE or level[row] != -entry[0]:
                line.drop_head()
                continue
            cost = costs[number]
            if cost != 1 and queue.cost(row) > slots - used[group]:
                return
            if (mine := int(target[row])) in targets:
                self._busy(row)
            elif cost != 1 or fusable[number]:
                sets.append(self._fuse(row, group))
            else:
                attempt = self.next_attempt
                self.next_attempt = attempt + 1
                self._sets[attempt] = (group, 1, 1)
                running[attempt] = row
                targets.add(mine)
                used[group] += 1
                queue.queued -= 1
                queued_at[row] = NONE
                line.drop_head()
                sets.append([row])

    def _busy(self, row: int) -> bool:
        """The second of two rows with one target in the same decision leaves the queue."""
        target = int(self.window.target[row])
        if target not in self._targets:
            return False
        rows = np.array([row], dtype=np.int64)
        self.queue.leave(rows)
        self._target_waits.setdefault(target, []).append(row)
        status = self.window.status[row]
        if status == Status.NOT_RUNNING:
            self._set(Event.UPSTREAM_DONE, rows)
        elif status != Status.WAITING_TIME:
            self._set(Event.HELD, rows, detail="target_busy")
        return True

    def _fuse(self, row: int, group: int) -> list[int]:
        """The row with the other nodes of its table instance that can start now in the same statement."""
        queue, target = self.queue, self.window.target
        rows = [row]
        if self.options.fuse:
            for other in queue.riders(row, group):
                if queue.fits(rows, other, group) and int(target[other]) not in self._targets:
                    rows.append(other)
        first = self.next_attempt
        self.next_attempt += len(rows)
        self._sets[first] = (group, queue.start(rows, group), len(rows))
        for attempt, member in enumerate(rows, first):
            self._running[attempt] = member
            self._targets.add(int(target[member]))
            if len(rows) > 1:
                self._set_of[attempt] = first
        return rows

    def _start(self, sets: list[list[int]]) -> None:
        window, now = self.window, self.changes.now
        rows = np.array([row for rows in sets for row in rows], dtype=np.int64)
        kinds = self._kinds(rows)
        # Attempts were drawn in the order of the rows.
        window.attempt[rows] = np.arange(self.next_attempt - len(rows), self.next_attempt)
        window.run[rows] += 1
        window.started_at[rows] = now
        window.ended_at[rows] = NONE
        window.next_at[rows] = NONE
        self._set(Event.STARTED, rows)
        self.deadlines.add(now + self.catalog.node_timeout[window.node[rows]], window.attempt[rows])
        self.changes.batch.next_attempt = self.next_attempt
        folder = from_micros(now).strftime("logs/%Y-%m-%d/")
        ids, attempts, runs = (column[rows].tolist() for column in (window.id, window.attempt, window.run))
        nodes = window.node[rows].tolist()
        versions = [self.catalog.publication_of[node] for node in nodes]
        sizes = [len(group) for group in sets]
        heads = list(accumulate(sizes, initial=0))[:-1]
        # Every member of a set carries the attempt of the first, and its log.
        firsts = attempts if len(sets) == len(rows) else np.repeat(np.array(attempts)[heads], sizes).tolist()
        logs = [f"{folder}{first}.log" for first in firsts]
        columns = zip(ids, runs, attempts, repeat(now), versions, kinds, logs, firsts, strict=False)
        self.changes.batch.run_starts.extend(map(tuple.__new__, repeat(RunStart), columns))
        names = [self.catalog.names[node] for node in nodes]
        who = list(map(tuple.__new__, repeat(StartMember), zip(ids, attempts, runs, names, strict=True)))
        slots = self._slots([group[0] for group in sets])
        self.decision.starts.extend(
            Start(tuple(who[at : at + size]), slot[0], slot[1], versions[at], *slot[2:], logs[at])
            for at, size, slot in zip(heads, sizes, slots, strict=True)
        )

    def _slots(self, rows: list[int]) -> Iterable[tuple[int, str, InstanceType, int, int, int, int, int]]:
        """Instance, task, type, flow, scheduled time, slot start, data day and ordinal of each row."""
        instances = self.window.instances
        owners = self.window.instance[rows]
        return zip(
            self.window.instance_id[owners].tolist(),
            [self.catalog.task_names[task] for task in instances.task[owners].tolist()],
            [_TYPES[kind] for kind in instances.type[owners].tolist()],
            instances.flow[owners].tolist(),
            instances.scheduled_at[owners].tolist(),
            instances.slot_start[owners].tolist(),
            instances.day[owners].tolist(),
            instances.ordinal[owners].tolist(),
            strict=True,
        )

    def _kinds(self, rows: Array) -> list[str]:
        """Why each run happens."""
        window = self.window
        marks = window.marks[rows]
        retry = (window.retries_used[rows] > 0) | (window.losses_used[rows] > 0)
        # A member that runs again alone after its fused statement failed was asked for by nobody.
        again = (window.run[rows] > 0) & (window.flags[rows] & ALONE == 0)
        manual = (window.instances.type[window.instance[rows]] == InstanceType.MANUAL) | again
        kinds: list[str] = np.select(
            [marks & int(Mark.FORCED) != 0, marks & int(Mark.ROWS_DIFFER) != 0, retry, manual],
            ["forced", "system", "retry", "manual"],
            "automatic",
        ).tolist()
        return kinds

    # -- the answer

    def _show(self) -> None:
        """Write the waiting status of what has waited long enough to be worth it."""
        limit = self.changes.now - self.options.shown_after
        while self._unshown and self._unshown[0][0] <= limit:
            _, rows = self._unshown.pop(0)
            self._show_rows(np.unique(rows[self.window.queued_at[rows] != NONE]))

    def _show_rows(self, rows: Array) -> None:
        window = self.window
        held = self.queue.held_by
        caught = (
            np.array([row in held for row in rows.tolist()], dtype=bool)
            if held
            else np.zeros(len(rows), bool)
        )
        status = window.status[rows]
        self._set(Event.THROTTLED, rows[caught & (status != Status.THROTTLED)])
        due = ~caught & (status != Status.WAITING_RESOURCES)
        timed = due & (status == Status.WAITING_TIME)
        self._set(Event.TIME_REACHED, rows[timed])
        self._set(Event.ADMITTED, rows[due & ~timed])

    def _finish(self) -> Decision:
        decision = self.decision
        decision.batch = self.changes.finish()
        decision.questions = list(self._asked)
        shown = self._unshown[0][0] + self.options.shown_after if self._unshown else None
        self.deadlines.tidy(len(self._running))
        more = self.changes.now if self.orders.open() and self.orders.ready else None
        times = [at for at in (self.timers.next, self.deadlines.next, shown, more) if at is not None]
        decision.next_time = min(times) if times else None
        return decision

    def reconsider(self, facts: Facts) -> None:
        """Gaps or the calendar changed: what waited for slots not generated is looked at again at the next
        `take`."""
        self._woken.append(self.window.reconsider(facts))
