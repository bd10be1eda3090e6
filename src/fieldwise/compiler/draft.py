"""One task while it is being compiled: what the rules have found out so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.tokenizer_core import Token

from fieldwise.compiler.catalogue import Catalogue
from fieldwise.compiler.demand import Demand
from fieldwise.compiler.dependencies import Reading
from fieldwise.compiler.families import Families
from fieldwise.compiler.grouping import Atoms, Group
from fieldwise.compiler.keys import Keys
from fieldwise.compiler.problems import Problems
from fieldwise.compiler.relations import Opaque, Relation
from fieldwise.model.definition import ProjectDefinition, TaskDefinition
from fieldwise.model.plan import Field, LineageEdge, Node


@dataclass(slots=True)
class Draft:
    """Filled by the rules one after the other. `dialect`: of the text; `engine`: of what is rendered."""

    definition: TaskDefinition
    project: ProjectDefinition
    catalogue: Catalogue
    types: Mapping[str, str]
    dialect: str
    engine: str
    partition_type: str
    problems: Problems
    text: str = ""
    tokens: list[Token] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    tree: exp.Query = field(default_factory=exp.Select)
    relation: Relation = field(default_factory=lambda: Opaque(exp.Select(), None))
    families: Families = field(default_factory=lambda: Families({}))
    keys: Keys = field(default_factory=lambda: Keys(Families({})))
    names: list[str] = field(default_factory=list)
    demand: Demand | None = None
    readings: list[Reading] = field(default_factory=list)
    atoms: Atoms = field(default_factory=lambda: Atoms(frozenset(), ()))
    together: list[frozenset[int]] = field(default_factory=list)
    incomparable: int = 0
    warnings: list[str] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    lineage: tuple[LineageEdge, ...] = ()
    sql: str = ""
    cuts: str = ""
    whole: str = ""
    """Why the table is one node, "" if it can be split."""
    stopped: bool = False

    @property
    def logical(self) -> bool:
        """Whether it makes a logical table (and not a `.sql` task's rows)."""
        return self.definition.table_kind is not None

    @property
    def key_positions(self) -> list[int]:
        folded = [name.lower() for name in self.names]
        return [folded.index(name.lower()) for name in self.definition.key if name.lower() in folded]

    @property
    def other_positions(self) -> list[int]:
        keys = set(self.key_positions)
        return [index for index in range(len(self.names)) if index not in keys]

    def result(self) -> Demand:
        assert self.demand is not None
        return self.demand
