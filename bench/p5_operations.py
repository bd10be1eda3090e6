"""P5: plan and apply a force rerun downstream among 1,000,000 node instances, with closure and impact."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from bench.p2_throughput import InstantWorkers
from bench.p3_generate import FIRST, NOW, opened
from bench.shapes import publication
from fieldwise.fleet.decide import Fleet
from fieldwise.fleet.values import Options
from fieldwise.leader.machine import Leader, Settings
from fieldwise.model.access import LOCAL
from fieldwise.model.definition import TaskDefinition
from fieldwise.model.event import to_day, to_micros
from fieldwise.model.operation import OperationOptions, OperationRequest, Verb
from fieldwise.model.plan import CompiledTask, Dependency, Field, How, LineageEdge, Node
from fieldwise.model.schedule import Window
from fieldwise.model.status import Status, TableKind, TaskKind
from fieldwise.operations.plan import OperationPlan, make_plan
from fieldwise.operations.scene import Scene
from fieldwise.store.sqlite import SqliteStore
from fieldwise.usecases.operate import order_and_record

LAYERS, WIDTH, NEEDS = 20, 25, 3
NODES, FIELDS = 5, 2  # of a table, of a node
DAYS = 400
T = TypeVar("T")


def table(layer: int, place: int) -> CompiledTask:
    """Ten fields in five nodes; field f is made from field f of three tables of the layer before and of the day before."""
    name = f"bench.l{layer}_{place}"
    ups = [f"bench.l{layer - 1}_{(place + step) % WIDTH}" for step in range(NEEDS)] if layer else []
    nodes, lineage = [], []
    for number in range(NODES):
        fields = tuple(f"f{number * FIELDS + i}" for i in range(FIELDS))
        needs = [Dependency(up, fields, (f"{up}/n{number}",)) for up in ups]
        needs.append(Dependency(name, fields, (f"{name}/n{number}",), Window.PREVIOUS))
        nodes.append(Node(f"{name}/n{number}", f"n{number + 1}", number == 0, fields, upstream=tuple(needs)))
        lineage += [LineageEdge(one, up, one, How.VALUE) for one in fields for up in (*ups, name)]
    definition = TaskDefinition(
        name, "bench", TaskKind.MODELING, f"{name}.sql", table_kind=TableKind.FACT, key=("key",)
    )
    columns = (Field("key", key=True, type="INTEGER"), *(Field(f"f{i}") for i in range(NODES * FIELDS)))
    return CompiledTask(definition, tuple(nodes), columns, lineage=tuple(lineage), fingerprint=name)


def timed(act: Callable[[], T], times: int = 3) -> tuple[float, T]:
    """Median seconds, and the last answer."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        answer = act()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent), answer


def planned(fleet: Fleet, request: OperationRequest) -> OperationPlan:
    return make_plan(Scene(fleet, to_micros(NOW)), request)


def applied(leader: Leader, plan: OperationPlan, number: int) -> float:
    """Seconds until every node instance is changed and durable."""
    fleet = leader.fleet
    assert fleet is not None
    began = time.perf_counter()
    item = order_and_record(fleet, plan, number, "bench", LOCAL, to_micros(NOW))
    leader.inbox.send(item)
    while True:
        leader.turn(to_micros(NOW))
        if not fleet.orders.open():
            return time.perf_counter() - began


def measure() -> list[dict[str, Any]]:
    tables = [table(layer, place) for layer in range(LAYERS) for place in range(WIDTH)]
    with tempfile.TemporaryDirectory() as folder:
        store, epoch, active = opened(Path(folder), publication(tables, 0))
        from fieldwise.usecases.generate import generate_data_days

        generate_data_days(store, epoch, active, FIRST, FIRST + timedelta(days=DAYS - 1), NOW)
        store.close()
        store = SqliteStore(Path(folder) / "state.db")
        workers: Any = InstantWorkers()
        leader = Leader(store, workers, workers, Settings("bench", options=Options(), lease=3600, tolerate=0))
        leader.turn(to_micros(NOW))
        rows = _rows(leader)
        store.close()
    return rows


def _rows(leader: Leader) -> list[dict[str, Any]]:
    fleet = leader.fleet
    assert fleet is not None
    window = fleet.window
    task = fleet.catalog.tasks

    def instance(name: str, day: int) -> int:
        mine = (window.instances.task == task[name]) & (window.instances.day == to_day(FIRST) + day)
        return int(window.instance_id[mine][0])

    total = len(window)
    single = OperationRequest(Verb.FORCE_RERUN, (instance("bench.l19_3", 200),), ("f3",))
    few = OperationRequest(
        Verb.FORCE_RERUN_DOWNSTREAM, (instance("bench.l12_0", 300),), None, OperationOptions(cross_day=False)
    )
    many = OperationRequest(Verb.FORCE_RERUN_DOWNSTREAM, (instance("bench.l0_0", DAYS - 44),))
    rows = []
    for name, request, limit, apply_limit in (
        ("one field", single, 0.020, None),
        ("about 1,000", few, 0.030, 0.050),
        ("about 100,000", many, 1.0, 3.0),
    ):
        planned(fleet, request)
        seconds, plan = timed(lambda request=request: planned(fleet, request))  # type: ignore[misc]
        size = len(plan.steps)
        what = f"plan {name}: {size:,} of {total:,} node instances"
        rows.append(
            {
                "measure": what,
                "value": seconds * 1000,
                "unit": "ms",
                "target": f"<= {limit * 1000:g} ms",
                "met": seconds <= limit,
            }
        )
        if apply_limit is not None:
            spent = applied(leader, plan, len(rows))
            goal = {"target": f"<= {apply_limit * 1000:g} ms", "met": spent <= apply_limit}
            rows.append({"measure": f"apply {name}, durable", "value": spent * 1000, "unit": "ms", **goal})
    done = int((window.status == Status.NOT_RUNNING).sum())
    assert done, "something was set to Not Running"
    return rows


if __name__ == "__main__":
    for row in measure():
        print(row)
