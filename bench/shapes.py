"""Projects of tasks that do nothing, in the shapes the benchmarks compare."""

from __future__ import annotations

from collections.abc import Sequence

from fieldwise.model.definition import ProjectDefinition, ResourceGroup, TaskDefinition
from fieldwise.model.plan import CompiledTask, Dependency, Node, Publication
from fieldwise.model.schedule import Retries
from fieldwise.model.status import TaskKind


def task(name: str, upstream: Sequence[str] = (), nodes: int = 1) -> CompiledTask:
    """A task of `nodes` nodes, each of which needs all nodes of the upstream tasks."""
    definition = TaskDefinition(
        f"bench.{name}", "bench", TaskKind.COMPUTING, f"{name}.py", language="nothing", retries=Retries(0)
    )
    needs = tuple(Dependency(f"bench.{other}", (), (f"bench.{other}/n0",)) for other in upstream)
    made = tuple(
        Node(f"bench.{name}/n{number}", f"n{number + 1}", number == 0, (), upstream=needs, project="bench")
        for number in range(nodes)
    )
    return CompiledTask(definition, made, fingerprint=name)


def chain(length: int) -> list[CompiledTask]:
    return [task(f"t{number}", [f"t{number - 1}"] if number else []) for number in range(length)]


def wide(width: int) -> list[CompiledTask]:
    return [task(f"t{number}") for number in range(width)]


def layered(layers: int, width: int, needs: int) -> list[CompiledTask]:
    """Each task of a layer needs `needs` tasks of the layer before."""
    return [
        task(
            f"l{layer}_{place}",
            [f"l{layer - 1}_{(place + step) % width}" for step in range(needs)] if layer else [],
        )
        for layer in range(layers)
        for place in range(width)
    ]


def publication(tasks: Sequence[CompiledTask], slots: int) -> Publication:
    project = ProjectDefinition("bench", "", resource_groups=(ResourceGroup("default", slots),))
    return Publication(project, tuple(tasks), fingerprint="bench")
