"""Decides what every node of every published version needs, costs and allows, as arrays indexed by node
number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldwise.model.definition import ThrottlingRule
from fieldwise.model.plan import CompiledTask, Dependency, Node, Publication
from fieldwise.model.schedule import Policy, Rerun, Window
from fieldwise.model.status import TaskKind

Ints = NDArray[np.int64]
Array = NDArray[Any]

# How a window is read. DAYS: data days from `first` to `last` days back; the others look at instants.
DAYS, PREVIOUS_SLOT, LAST_24_HOURS, SAME_SLOT, IN_INTERVAL, OF_DAY = range(6)
POLICIES = {policy: code for code, policy in enumerate(Policy)}
_INSTANTS = {
    Window.LAST_24_HOURS: LAST_24_HOURS,
    Window.SAME_SLOT: SAME_SLOT,
    Window.SLOTS_IN_INTERVAL: IN_INTERVAL,
    Window.SLOTS_OF_DAY: OF_DAY,
}


def reading_of(dependency: Dependency, own_task: str, sub_day: bool) -> tuple[int, int, int]:
    """(kind, days back of the first day, days back of the last day) of a dependency's window."""
    window, n = dependency.window, dependency.n or 1
    if window in _INSTANTS:
        return _INSTANTS[window], 0, 0
    if window is Window.PREVIOUS:
        # A self dependency is on my previous slot, which for a sub-day task is not the day before (spec 3).
        own = dependency.task == own_task and sub_day
        return (PREVIOUS_SLOT, 1, 0) if own else (DAYS, 1, 1)
    if window is Window.DAYS_BEFORE:
        return DAYS, n, n
    if window is Window.LAST_N:
        return DAYS, n - 1, 0
    return DAYS, 0, 0


class Catalog:
    """Node numbers: one per (node id, publication version). Names of nodes are unique in a warehouse.

    Every task keeps one register of node names over all its versions; the place of a name in it never
    changes, so an
    instance is a small row of places and a dependency is a tuple of places.
    """

    def __init__(self, publications: Iterable[Publication], default_slots: int) -> None:
        self.default_slots = default_slots
        self.tasks: dict[str, int] = {}
        self.task_names: list[str] = []
        self.task_projects: list[str] = []
        self.places: list[dict[str, int]] = []
        self.numbers: dict[tuple[str, int], int] = {}
        self.names: list[str] = []
        self.nodes: list[Node] = []
        self.publication_of: list[int] = []
        self.compiled: list[CompiledTask] = []
        self.versions: dict[tuple[str, int], int] = {}
        self.version_nodes: list[list[int]] = []
        self._newest: dict[str, int] = {}  # task -> its newest version
        self._published: list[int] = []  # number of the publication of each version
        self.version_keys: list[int] = []
        self.version_general: list[tuple[tuple[int, ...], ...] | None] = []
        self.groups: dict[tuple[str, str], int] = {}
        self.group_slots: list[int] = []
        self.rules: dict[str, tuple[int, ThrottlingRule]] = {}
        self.rule_limits: list[int] = []
        self.facts: list[tuple[int, ...]] = []
        self.labels: list[tuple[str, str, str, str, tuple[str, ...]]] = []
        self.questions: dict[int, tuple[str, ...]] = {}
        self.dependencies: list[Dependency] = []
        self._dependency_facts: list[tuple[int, ...]] = []
        self._dependency_starts: list[int] = [0]
        self._place_lists: list[int] = []
        self._place_starts: list[int] = [0]
        for publication in publications:
            self._read(publication)
        self._freeze()

    def add(self, publication: Publication) -> None:
        self._read(publication)
        self._freeze()

    def task(self, name: str, project: str = "") -> int:
        number = self.tasks.get(name)
        if number is None:
            number = self.tasks[name] = len(self.task_names)
            self.task_names.append(name)
            self.task_projects.append(project or name.partition(".")[0])
            self.places.append({})
        return number

    def place(self, task: int, node: str) -> int:
        return self.places[task].setdefault(node, len(self.places[task]))

    def group(self, project: str, name: str) -> int:
        """A group the node's project declares, else the group of that name that all projects share."""
        number = self.groups.get((project, name))
        if number is None:
            number = self.groups.get(("", name))
        if number is None:
            number = self._new_group("", name, self.default_slots)
        return number

    def _new_group(self, project: str, name: str, slots: int) -> int:
        number = self.groups[project, name] = len(self.group_slots)
        self.group_slots.append(slots)
        return number

    def _read(self, publication: Publication) -> None:
        project = publication.project
        for declared in project.resource_groups:
            known = self.groups.get((project.name, declared.name))
            if known is None:
                self._new_group(project.name, declared.name, declared.slots)
            else:
                self.group_slots[known] = declared.slots
        for rule in project.throttling:
            if rule.name in self.rules:
                self.rule_limits[self.rules[rule.name][0]] = rule.max_running
                self.rules[rule.name] = (self.rules[rule.name][0], rule)
            else:
                self.rules[rule.name] = (len(self.rule_limits), rule)
                self.rule_limits.append(rule.max_running)
        for compiled in publication.tasks:
            if (compiled.name, publication.version) not in self.versions:
                self._read_task(publication, compiled)

    def _read_task(self, publication: Publication, compiled: CompiledTask) -> None:
        definition = compiled.definition
        task = self.task(definition.name, definition.project)
        version = self.versions[definition.name, publication.version] = len(self.version_nodes)
        known = self._newest.get(definition.name)
        if known is None or self._published[known] < publication.version:
            self._newest[definition.name] = version
        self._published.append(publication.version)
        self.version_nodes.append([])
        self.version_keys.append(len(definition.key) if compiled.fields else 0)
        self.version_general.append(_general(compiled))
        for node in compiled.nodes:
            self._read_node(publication, compiled, node, task, version)

    def _read_node(
        self, publication: Publication, compiled: CompiledTask, node: Node, task: int, version: int
    ) -> None:
        definition = compiled.definition
        number = self.numbers[node.id, publication.version] = len(self.nodes)
        self.version_nodes[version].append(number)
        self.names.append(node.id)
        self.nodes.append(node)
        self.publication_of.append(publication.version)
        self.compiled.append(compiled)
        owner = node.project or definition.project
        group = self.group(owner, node.resource_group)
        retries = definition.retries
        never = definition.rerun is Rerun.NEVER
        self.facts.append(
            (
                task,
                version,
                self.place(task, node.id),
                group,
                node.cost,
                node.priority,
                0 if never else retries.times,
                retries.every,
                int(retries.on_timeout),
                int(definition.timeout * 1_000_000),
                int(never),
                # Rows of a metrics table are a union over nodes: each keeps a key set of its own, so none is fused.
                int(definition.kind is TaskKind.MODELING and definition.metrics is None),
                int(definition.schedule.period.below_day),
                int(compiled.partition_type != "DATE"),
                len(node.fields),
            )
        )
        self.labels.append(
            (
                publication.environment.value,
                definition.project,
                definition.kind.value,
                publication.project.engine,
                definition.tags,
            )
        )
        if node.waits_for:
            self.questions[number] = node.waits_for
        for dependency in node.upstream:
            self._read_dependency(dependency, definition.name, definition.schedule.period.below_day)
        self._dependency_starts.append(len(self.dependencies))

    def _read_dependency(self, dependency: Dependency, own_task: str, sub_day: bool) -> None:
        task = self.task(dependency.task)
        kind, first, last = reading_of(dependency, own_task, sub_day)
        self.dependencies.append(dependency)
        policy, history = POLICIES[dependency.policy], int(dependency.history)
        self._dependency_facts.append((task, kind, first, last, policy, history))
        self._place_lists.extend(self.place(task, node) for node in dependency.nodes)
        self._place_starts.append(len(self._place_lists))

    def _freeze(self) -> None:
        facts = np.array(self.facts, dtype=np.int64).reshape(len(self.facts), 15)
        self.node_task = facts[:, 0].astype(np.int32)
        self.node_version = facts[:, 1].astype(np.int32)
        self.node_place = facts[:, 2].astype(np.int32)
        self.node_group = facts[:, 3].astype(np.int32)
        self.node_priority = facts[:, 5].astype(np.int8)
        self.node_retries = facts[:, 6].astype(np.int16)
        self.node_every = facts[:, 7] * 1_000_000
        self.node_on_timeout = facts[:, 8].astype(bool)
        self.node_timeout = facts[:, 9].copy()
        # Plain lists too: one element at a time they are several times faster than arrays.
        self.costs: list[int] = facts[:, 4].tolist()
        self.timeouts: list[int] = facts[:, 9].tolist()
        self.node_never = facts[:, 10].astype(bool)
        sizes = np.array([len(nodes) for nodes in self.version_nodes], dtype=np.int64)
        fusable = (
            facts[:, 11].astype(bool) & (sizes[facts[:, 1]] > 1) if len(facts) else facts[:, 11].astype(bool)
        )
        self.fusable: list[bool] = fusable.tolist()
        self.node_sub_day = facts[:, 12].astype(bool)
        self.node_by_instant = facts[:, 13].astype(bool)
        self.node_fields = facts[:, 14].astype(np.int64)
        self.node_asks = np.zeros(len(facts), dtype=bool)
        self.node_asks[list(self.questions)] = True
        depends = np.array(self._dependency_facts, dtype=np.int64).reshape(len(self.dependencies), 6)
        self.depend_task = depends[:, 0].copy()
        self.depend_kind = depends[:, 1].astype(np.int8)
        looks = np.repeat(np.arange(len(self.nodes)), np.diff(self._dependency_starts))[
            self.depend_kind != DAYS
        ]
        self.version_looks = np.zeros(len(self.version_nodes), dtype=bool)
        self.version_looks[self.node_version[looks]] = (
            True  # some window of it looks at instants, not at days
        )
        self.depend_first = depends[:, 2].astype(np.int32)
        self.depend_last = depends[:, 3].astype(np.int32)
        self.depend_policy = depends[:, 4].astype(np.int8)
        self.depend_history = depends[:, 5].astype(bool)  # reads everything before its window too
        self.depend_starts = np.array(self._dependency_starts, dtype=np.int64)
        self.place_lists = np.array(self._place_lists, dtype=np.int32)
        self.place_starts = np.array(self._place_starts, dtype=np.int64)
        self.refresh_widths()
        self.version_shares = np.array([makers is not None for makers in self.version_general], dtype=bool)
        names: dict[str, int] = {}
        self.node_name = np.array([names.setdefault(name, len(names)) for name in self.names], dtype=np.int64)
        self.keys_of_version = np.array(self.version_keys, dtype=np.int64)

    def refresh_widths(self) -> None:
        """After a task was named for the first time outside a publication."""
        self.task_width = np.array([len(register) for register in self.places], dtype=np.int32)

    def rules_of(self, node: int, run_type: str) -> tuple[int, ...]:
        """Numbers of the throttling rules that match a node."""
        return tuple(
            number for number, rule in self.rules.values() if _matches(rule, self.labels[node], run_type)
        )

    def newest(self, version: int) -> int:
        """The newest version of the task of a version."""
        return self._newest[self.compiled[self.version_nodes[version][0]].name]

    def renewed(self, version: int) -> dict[int, int] | None:
        """Node numbers of a version -> those of the newest one; None if it is the newest, or has other nodes."""
        newest = self.newest(version)
        old, new = self.version_nodes[version], self.version_nodes[newest]
        by_name = {self.names[number]: number for number in new}
        if newest == version or {self.names[number] for number in old} != set(by_name):
            return None
        return {number: by_name[self.names[number]] for number in old}

    def upstream_nodes(self, dependency: int, version: int) -> list[int]:
        """Places of the nodes of another version of the upstream that make the fields a dependency reads."""
        wanted = set(self.dependencies[dependency].fields)
        numbers = self.version_nodes[version]
        compiled = self.compiled[numbers[0]]
        keys = set(compiled.key)
        exact = [n for n in numbers if self.names[n] in self.dependencies[dependency].nodes]
        made = [n for n in numbers if wanted & set(self.nodes[n].fields)]
        rows = [n for n in numbers if self.nodes[n].row_node]
        chosen = sorted({*exact, *made}) or (rows if wanted <= keys else [])
        return [int(self.node_place[n]) for n in chosen]


def _matches(rule: ThrottlingRule, labels: tuple[str, str, str, str, tuple[str, ...]], run_type: str) -> bool:
    environment, project, kind, engine, tags = labels
    wanted = (rule.environment, rule.project, rule.task_kind, rule.engine, rule.run_type)
    given = (environment, project, kind, engine, run_type)
    return all(not want or want == have for want, have in zip(wanted, given, strict=True)) and (
        not rule.tag or rule.tag in tags
    )


def _general(compiled: CompiledTask) -> tuple[tuple[int, ...], ...] | None:
    """Per non-key field the positions of its nodes, or None when every field has exactly one node."""
    makers: dict[str, list[int]] = {}
    for position, node in enumerate(compiled.nodes):
        for name in node.fields:
            makers.setdefault(name, []).append(position)
    if all(len(positions) == 1 for positions in makers.values()):
        return None
    return tuple(tuple(positions) for positions in makers.values())
