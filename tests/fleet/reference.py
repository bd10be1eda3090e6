"""A scheduler that computes everything from scratch at every step, slowly and plainly: what `Fleet` must agree with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fieldwise.fleet.values import (
    MINUTE,
    Force,
    GroupSlots,
    Hold,
    Input,
    Pause,
    Release,
    Rerun,
    Resume,
    RuleLimit,
    SetPriority,
    SetSuccess,
    Stop,
)
from fieldwise.model.attempt import Report
from fieldwise.model.status import Priority, RunOutcome

LOSSES, LOSS_PAUSE = 3, 10_000_000


@dataclass
class Node:
    """`status`: N, WT, Q (in the queue: throttled or waiting for resources), R, S or F."""

    id: int
    instance: int
    target: str
    group: str
    cost: int
    priority: int
    late: bool
    scheduled_at: int
    retries: int
    every: int
    upstream: list[int]
    rules: list[str]
    several: bool
    dry: bool = False
    status: str = "N"
    paused: bool = False
    held: bool = False
    forced: bool = False
    stopping: bool = False
    alone: bool = False
    run: int = 0
    attempt: int = 0
    retries_used: int = 0
    losses_used: int = 0
    next_at: int = 0
    queued_at: int = 0
    chosen: int | None = None

    def level(self, now: int) -> int:
        priority = self.priority if self.chosen is None else self.chosen
        steps = (now - self.queued_at) // (30 * MINUTE)
        return max(priority, min(Priority.HIGH, priority + steps))

    def order(self, now: int) -> tuple[int, bool, int, int]:
        return (-self.level(now), self.late, self.scheduled_at, self.id)


@dataclass
class Reference:
    nodes: dict[int, Node]
    slots: dict[str, int]
    limits: dict[str, int]
    ignore_time: bool = False
    next_attempt: int = 1
    sets: dict[tuple[int, ...], tuple[str, int]] = field(default_factory=dict)  # attempts -> group, slots

    def step(self, inputs: Sequence[Input], now: int) -> list[list[int]]:
        """Node instances that start, set by set."""
        for item in inputs:
            self.hear(item, now)
        self.settle(now)
        return self.dispatch(now)

    # -- inputs

    def hear(self, item: Input, now: int) -> None:
        match item:
            case Report():
                self.report(item, now)
            case GroupSlots():
                self.slots[item.group] = item.slots
            case RuleLimit():
                self.limits[item.rule] = item.max_running
            case SetPriority():
                for number in item.node_instances:
                    self.nodes[number].chosen = item.priority
            case Stop() | Pause() | Resume() | Hold() | Release() | SetSuccess() | Rerun() | Force():
                for number in item.node_instances:
                    self.command(item, self.nodes[number])

    def command(self, item: Input, node: Node) -> None:
        """What each verb does where it may happen; the order of statuses inside Q does not matter here."""
        match item:
            case Stop() if node.status == "R":
                node.stopping = True
            case Stop() if node.status in ("WT", "Q"):
                node.status, node.paused = "F", False
            case Pause() if node.status in ("N", "WT"):
                node.paused = True
            case Resume() if node.status in ("N", "WT"):
                node.paused = False
            case Hold():
                node.held = True
                if node.status == "Q":
                    node.status = "WT"
            case Release() if node.status != "Q":
                node.held = False
            case SetSuccess() if node.status in ("N", "F"):
                node.status, node.paused = "S", False
            case Rerun() | Force() if node.status != "R":
                node.forced = isinstance(item, Force)
                node.dry = False  # the task is a normal one, so an operation made it dry
                node.status = "WT" if node.forced else "N"
                node.retries_used = node.losses_used = node.next_at = 0
                node.alone = False

    def report(self, report: Report, now: int) -> None:
        members = [n for n in self.nodes.values() if n.status == "R" and n.attempt in report.attempts]
        for attempts in [a for a in self.sets if set(a) & set(report.attempts)]:
            del self.sets[attempts]
        for node in members:
            self.end(node, report, now, fused=len(report.attempts) > 1)

    def end(self, node: Node, report: Report, now: int, fused: bool) -> None:
        outcome, stopping = report.outcome, node.stopping
        node.stopping = False
        if outcome is RunOutcome.SUCCEEDED:
            node.status, node.alone = "S", False
        elif stopping:
            node.status, node.alone = "F", False
        elif fused and outcome in (RunOutcome.FAILED, RunOutcome.STOPPED):
            node.status = "WT"
            node.alone = node.alone or outcome is RunOutcome.FAILED
        elif outcome in (RunOutcome.LOST, RunOutcome.STOPPED):
            self.again(node, now, LOSS_PAUSE << node.losses_used, node.losses_used < LOSSES)
            node.losses_used += node.status == "WT"
        else:
            again = outcome is RunOutcome.FAILED and node.retries_used < node.retries
            self.again(node, now, node.every, again)
            node.retries_used += node.status == "WT"

    def again(self, node: Node, now: int, pause: int, allowed: bool) -> None:
        node.status = "WT" if allowed else "F"
        node.alone = node.alone and allowed
        if allowed:
            node.next_at = 0 if self.ignore_time else now + pause

    # -- what follows

    def upstream_done(self, node: Node) -> bool:
        return node.forced or all(self.nodes[up].status == "S" for up in node.upstream)

    def due(self, node: Node, now: int) -> bool:
        if self.ignore_time:
            return True
        return (node.forced or node.scheduled_at <= now) and node.next_at <= now

    def busy(self, node: Node) -> bool:
        return any(other.status == "R" and other.target == node.target for other in self.nodes.values())

    def settle(self, now: int) -> None:
        changed = True
        while changed:
            before = [node.status for node in self.nodes.values()]
            for node in self.nodes.values():
                if node.status in ("N", "WT", "Q"):
                    self.place(node, now)
            changed = before != [node.status for node in self.nodes.values()]

    def place(self, node: Node, now: int) -> None:
        if not self.upstream_done(node):
            node.status = "N"
        elif not self.due(node, now) or node.paused or node.held:
            node.status = "WT"
        elif node.dry:
            node.status = "S"
        elif node.status != "Q" and self.busy(node):
            node.status = "WT"
        elif node.status != "Q":
            node.status, node.queued_at = "Q", now

    def room(self, rule: str) -> int:
        return self.limits[rule] - sum(n.status == "R" and rule in n.rules for n in self.nodes.values())

    def free(self, group: str) -> int:
        return self.slots[group] - sum(cost for name, cost in self.sets.values() if name == group)

    def price(self, node: Node) -> int:
        return max(1, min(node.cost, self.slots[node.group]))

    def dispatch(self, now: int) -> list[list[int]]:
        started = []
        for group in self.slots:
            while (members := self.best(group, now)) is not None:
                if members:
                    started.append(self.start(members, group))
        return started

    def best(self, group: str, now: int) -> list[Node] | None:
        """The next set of a group; [] = the best one turned out busy and left the queue."""
        waiting = [n for n in self.nodes.values() if n.status == "Q" and n.group == group]
        for node in sorted(waiting, key=lambda n: n.order(now)):
            if any(self.room(rule) < 1 for rule in node.rules):
                continue
            if self.price(node) > self.free(group):
                return None
            if self.busy(node):
                node.status = "WT"
                return []
            return self.fuse(node, waiting)
        return None

    def fuse(self, first: Node, waiting: list[Node]) -> list[Node]:
        members = [first]
        if first.alone or not first.several:
            return members
        for other in waiting:
            if other is first or other.instance != first.instance or other.alone or self.busy(other):
                continue
            fits = max(self.price(n) for n in (*members, other)) <= self.free(first.group)
            if fits and all(self.room(rule) > sum(rule in n.rules for n in members) for rule in other.rules):
                members.append(other)
        return members

    def start(self, members: list[Node], group: str) -> list[int]:
        cost = max(self.price(node) for node in members)
        for node in members:
            node.status, node.attempt, node.next_at = "R", self.next_attempt, 0
            node.run += 1
            self.next_attempt += 1
        self.sets[tuple(n.attempt for n in members)] = (group, cost)
        return [node.id for node in members]
