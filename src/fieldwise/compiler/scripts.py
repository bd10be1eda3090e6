"""Tasks that are scripts: one node that waits for what the header says they read (spec 2)."""

from __future__ import annotations

from fieldwise.compiler.catalogue import Catalogue
from fieldwise.compiler.dependencies import CURRENT, Waits, check_declared, declare, wait_for_source
from fieldwise.compiler.grouping import node_id
from fieldwise.compiler.problems import Problems
from fieldwise.model.definition import ProjectDefinition, TaskDefinition
from fieldwise.model.errors import ProblemCode
from fieldwise.model.plan import CompiledTask, Node
from fieldwise.model.schedule import Policy


def compile_script(
    definition: TaskDefinition, project: ProjectDefinition, catalogue: Catalogue, problems: Problems
) -> CompiledTask:
    """A script as one node without fields and text."""
    check_declared(definition, catalogue, problems)
    waits = _waits(definition, catalogue, problems)
    node = Node(
        id=node_id(definition.name, ()), label="n1", row_node=True, fields=(), sources=tuple(waits.sources),
        waits_for=tuple(waits.ready), upstream=waits.dependencies(), why="A script is one node.",
        project=project.name, owner=definition.owner, priority=definition.priority,
        resource_group=definition.resource_group, cost=definition.cost,
    )  # fmt: skip
    return CompiledTask(definition=definition, nodes=(node,), partition_type=partition_type_of(definition))


def partition_type_of(definition: TaskDefinition) -> str:
    """TIMESTAMP for hour and minute, DATE for day and longer periods."""
    return "TIMESTAMP" if definition.schedule.period.below_day else "DATE"


def _waits(definition: TaskDefinition, catalogue: Catalogue, problems: Problems) -> Waits:
    waits = Waits()
    overrides = {one.table.lower(): one for one in definition.depends_on}
    used: set[str] = set()
    for index, name in enumerate(definition.reads):
        table = catalogue.table(name, definition.project)
        if table is None:
            _unknown(definition, name, index, catalogue, problems)
        elif not table.logical:
            wait_for_source(waits, table, CURRENT, catalogue, overrides, used)
        elif table.name.lower() not in overrides:
            fields = [
                spelled
                for folded, (spelled, _) in table.columns.items()
                if folded not in (*table.key, table.partition)
            ]
            waits.add(table.name, CURRENT[0], Policy.ALL, fields, table.all_nodes)
    for one in definition.depends_on:
        if one.table.lower() not in used:
            declare(waits, one, catalogue)
    return waits


def _unknown(
    definition: TaskDefinition, name: str, index: int, catalogue: Catalogue, problems: Problems
) -> None:
    place = definition.position(f"reads.{index}")
    owner = catalogue.foreign_source(name)
    if owner:
        problems.add(ProblemCode.UNKNOWN_TABLE, place, f"{name} is a source of project {owner}; another project's sources cannot be read",
                     f"declare the source in this project too, or read a logical table of {owner}")  # fmt: skip
        return
    near = catalogue.near(name, definition.project)
    problems.add(
        ProblemCode.UNKNOWN_TABLE,
        place,
        f"there is no table {name}",
        f'did you mean "{near}"?' if near else "correct `reads:`",
    )
