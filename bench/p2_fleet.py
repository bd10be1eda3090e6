"""Measures the fleet alone: build, first decision, decisions per node instance, memory; no store, no workers.

python bench/p2_fleet.py [node instances] [edges each]
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from datetime import UTC, datetime

from fieldwise.fleet.decide import Fleet
from fieldwise.fleet.values import DAY, Facts, Options
from fieldwise.model.attempt import Report
from fieldwise.model.definition import ProjectDefinition, ResourceGroup, TaskDefinition
from fieldwise.model.event import Firing, NodeState
from fieldwise.model.plan import CompiledTask, Dependency, Node, Publication
from fieldwise.model.status import InstanceType, RunOutcome, Status, TaskKind

TASKS = 1_000
BATCH = 256


def warehouse(edges: int, slots: int) -> Publication:
    """Tasks in layers of 100; each waits for `edges` tasks of the layer before."""
    tasks = []
    for number in range(TASKS):
        layer, place = divmod(number, 100)
        names = [f"p.t{(layer - 1) * 100 + (place + i) % 100}" for i in range(edges)] if layer else []
        upstream = tuple(Dependency(name, (), (f"{name}/n",)) for name in names)
        name = f"p.t{number}"
        definition = TaskDefinition(name, "p", TaskKind.COMPUTING, "t.sql")
        tasks.append(CompiledTask(definition, (Node(f"{name}/n", "n1", True, (), upstream=upstream),)))
    project = ProjectDefinition("p", ".", resource_groups=(ResourceGroup("default", slots),))
    return Publication(project, tuple(tasks), version=1)


def firings(publication: Publication, days: int) -> list[Firing]:
    found = []
    number = 0
    for day in range(days):
        for task in publication.tasks:
            number += 1
            state = NodeState(number, Status.NOT_RUNNING, 0, 0, 0, 0, 0, None, None, None)
            at = (day + 1) * DAY
            found.append(
                Firing(
                    state,
                    number,
                    task.nodes[0].id,
                    task.name,
                    InstanceType.RECURRING,
                    0,
                    at,
                    at - DAY,
                    day,
                    0,
                    1,
                    None,
                )
            )
    return found


def run(fleet: Fleet, now: int) -> tuple[int, float, float]:
    """Everything succeeds; (node instances, seconds in decisions, seconds of the first decision)."""
    ended = datetime(2030, 1, 1, tzinfo=UTC)
    done, spent = 0, 0.0
    begin = time.perf_counter()
    decision = fleet.take([], now)
    first = time.perf_counter() - begin
    waiting = [tuple(m.attempt for m in start.members) for start in decision.starts]
    while waiting:
        batch, waiting = waiting[:BATCH], waiting[BATCH:]
        reports = [Report(attempts, RunOutcome.SUCCEEDED, ended) for attempts in batch]
        begin = time.perf_counter()
        decision = fleet.take(reports, now)
        spent += time.perf_counter() - begin
        done += len(batch)
        waiting += [tuple(m.attempt for m in start.members) for start in decision.starts]
    return done, spent, first


def main() -> None:
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    edges = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    publication = warehouse(edges, 512)
    rows = firings(publication, total // TASKS)
    size = len(rows)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    fleet = Fleet([publication], rows, Facts(), options=Options(shown_after=200_000))
    built = time.perf_counter() - begin
    del rows
    gc.collect()
    gc.freeze()  # as the leader does: what lives as long as the window is not looked at again
    done, spent, first = run(fleet, 40_000 * DAY)
    answer = {
        "node_instances": size,
        "build_seconds": round(built, 2),
        "build_microseconds_each": round(built / size * 1e6, 2),
        "first_decision_seconds": round(first, 3),
        "done": done,
        "decide_microseconds_each": round(spent / max(done, 1) * 1e6, 2),
        "window_bytes_each": round(fleet.window.nbytes / size),
        "peak_growth_bytes_each": round(
            (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / size
        ),
    }
    print(json.dumps(answer, indent=2))


if __name__ == "__main__":
    main()
