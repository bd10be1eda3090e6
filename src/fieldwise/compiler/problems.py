"""Where in the file a piece of SQL stands, and the collected mistakes of one definition."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from fieldwise.model.definition import TaskDefinition
from fieldwise.model.errors import Problem, ProblemCode


def place_of(node: exp.Expr | None) -> tuple[int, int]:
    """1-based line and column of the first written token of `node`, else of what is around it, else 1:1.

    sqlglot notes the column of the last character of an identifier, not of the first.
    """
    while node is not None:
        starts = [found.meta for found in node.find_all(exp.Identifier) if found.meta.get("line")]
        if starts:
            first = min(starts, key=lambda meta: meta["start"])
            return int(first["line"]), int(first["col"]) - int(first["end"]) + int(first["start"])
        node = node.parent
    return 1, 1


@dataclass(slots=True)
class Problems:
    """All mistakes of one definition; each place and code is said once."""

    definition: TaskDefinition
    found: list[Problem] = field(default_factory=list)

    def add(self, code: ProblemCode, place: tuple[int, int], message: str, hint: str = "") -> None:
        problem = Problem(self.definition.file, *place, code, message, hint)
        if problem not in self.found:
            self.found.append(problem)

    def at(self, code: ProblemCode, node: exp.Expr, message: str, hint: str = "") -> None:
        self.add(code, place_of(node), message, hint)

    def sorted(self) -> tuple[Problem, ...]:
        return tuple(sorted(self.found))
