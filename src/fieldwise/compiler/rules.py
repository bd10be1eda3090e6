"""The steps from a SELECT to nodes, in order; each is a function on the draft."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from fieldwise.compiler.demand import Bits, DemandPass
from fieldwise.compiler.dependencies import check_declared, fields_read, readings_of, waits_of
from fieldwise.compiler.draft import Draft
from fieldwise.compiler.emit import Emitter, encode, parts_of, placeholders_of
from fieldwise.compiler.explain import why_group, why_whole
from fieldwise.compiler.families import Families
from fieldwise.compiler.grouping import Group, atoms_of, group_outputs, node_id, row_group
from fieldwise.compiler.keys import Keys
from fieldwise.compiler.lineage import lineage_of
from fieldwise.compiler.orders import Construct, undecided
from fieldwise.compiler.outputs import check_named, check_outputs, first_select, spelled_outputs
from fieldwise.compiler.parse import parse_query, projection_places, tokens_of
from fieldwise.compiler.problems import place_of
from fieldwise.compiler.relations import Block, Compound, Relation, RelationBuilder
from fieldwise.compiler.resolve import resolve
from fieldwise.model.definition import Split
from fieldwise.model.errors import ProblemCode
from fieldwise.model.plan import Field, Node


def parse(draft: Draft) -> None:
    """The text is one SELECT."""
    draft.text, draft.tokens = tokens_of(draft.text, draft.types, draft.dialect, draft.problems)
    tree = parse_query(draft.text, draft.tokens, draft.types, draft.dialect, draft.problems)
    if tree is None:
        draft.stopped = True
        return
    draft.tree = tree
    draft.places = projection_places(draft.tokens)


def name_columns(draft: Draft) -> None:
    """Every column has a name of the user's."""
    check_named(draft.tree, draft.places, draft.problems)


def forget_the_last_order(draft: Draft) -> None:
    """The order of a table's rows means nothing; with LIMIT or DISTINCT ON it chooses rows and stays (rule P1)."""
    tree = draft.tree
    distinct = tree.args.get("distinct")
    chooses = any(tree.args.get(key) for key in ("limit", "offset", "fetch"))
    if not chooses and not (isinstance(distinct, exp.Distinct) and distinct.args.get("on")):
        tree.set("order", None)


def know_itself(draft: Draft) -> None:
    """A table that reads itself is in the catalogue under the names it selects."""
    name = draft.definition.name
    if not draft.logical or name.rpartition(".")[2].lower() not in draft.text.lower():
        return
    if not any(
        f"{table.db}.{table.name}".lower() == name.lower() for table in draft.tree.find_all(exp.Table)
    ):
        return
    select = first_select(draft.tree)
    names = (
        [item.alias_or_name for item in select.expressions if item.alias_or_name]
        if select is not None
        else []
    )
    names += [name for name, _ in draft.definition.columns]
    columns = {name.lower(): (name, "") for name in names if name != "*"}
    draft.catalogue = draft.catalogue.add_itself(draft.definition, columns, draft.partition_type)


def resolve_names(draft: Draft) -> None:
    """Every table is known and every column has its table."""
    check_declared(draft.definition, draft.catalogue, draft.problems)
    tree = resolve(draft.tree, draft.catalogue, draft.definition.project, draft.dialect, draft.problems)
    if tree is None:
        draft.stopped = True
    else:
        draft.tree = tree


def find_demand(draft: Draft) -> None:
    """Which outputs need which part: one pass for all."""
    builder = RelationBuilder(draft.catalogue, draft.definition.project)
    draft.relation = builder.build(draft.tree, {})
    draft.families = Families(draft.types)
    draft.keys = Keys(draft.families)
    if draft.relation.names is None:
        draft.relation.names = tuple(name.lower() for name in draft.tree.named_selects)
    draft.names = spelled_outputs(draft.relation, draft.text)
    keys = {name.lower(): name for name in draft.definition.key}
    draft.names = [keys.get(name.lower(), name) for name in draft.names]
    _spell_outputs(draft)
    _type_itself(draft)
    width = len(draft.names) + 1
    bits = Bits(width)
    outputs = [bits.value(index + 1) for index in range(len(draft.names))]
    for index in draft.key_positions:
        outputs[index] |= bits.carried_by_all()
    walk = DemandPass(builder, draft.keys, width, draft.problems)
    draft.demand = walk.run(draft.relation, outputs, bits.rows_of_all())


def _type_itself(draft: Draft) -> None:
    """Columns of the table read by itself have the types of the columns they are; declared types stay."""
    itself = draft.catalogue.table(draft.definition.name, draft.definition.project)
    if itself is None or not itself.itself:
        return
    for name, (spelled, kind) in itself.columns.items():
        if not kind:
            itself.columns[name] = (spelled, certain_type(draft.families, draft.relation, name))


def _spell_outputs(draft: Draft) -> None:
    """The result's columns are named as the user spelled them."""
    select = first_select(draft.tree)
    for item, name in zip(select.expressions if select is not None else (), draft.names, strict=False):
        alias = item.args.get("alias")
        if isinstance(alias, exp.Identifier):
            alias.args["this"] = name


def check_fields(draft: Draft) -> None:
    """Fields are named once, the key is selected, the header names real fields."""
    if draft.logical:
        check_outputs(draft.definition, draft.relation, draft.names, draft.places, draft.problems)


def find_windows(draft: Draft) -> None:
    """Every table read is bounded to partitions we can wait for."""
    draft.readings = readings_of(draft.result().leaves, draft.definition, draft.problems)


def find_choices(draft: Draft) -> None:
    """Fields that need a choice among rows without a total order belong together (rule 3.4)."""
    demand = draft.result()
    keys = {index + 1 for index in draft.key_positions}
    for construct in undecided((block for block, _ in demand.blocks.values()), draft.keys):
        if construct.part is None:
            needed, made = demand.bits.any(demand.blocks[id(construct.block)][1]), 0
        else:
            needed, made = demand.parts.get(id(construct.part), 0), demand.values.get(id(construct.part), 0)
        if any(made >> key & 1 for key in keys):
            draft.problems.at(
                ProblemCode.UNSUPPORTED, construct.node, f"a key field is made by {construct.word}, whose order is not total",
                "order by something unique, or take another key",
            )  # fmt: skip
        _bind(draft, construct, needed)


def _bind(draft: Draft, construct: Construct, needed: int) -> None:
    outputs = frozenset(index for index in draft.other_positions if needed >> (index + 1) & 1)
    if not outputs:
        return
    draft.together.append(outputs)
    draft.incomparable |= sum(1 << index for index in outputs)
    line, _ = place_of(construct.node)
    names = ", ".join(draft.names[index] for index in sorted(outputs))
    draft.warnings.append(
        f"{draft.definition.file}:{line}: {construct.word} chooses among rows whose order is not total; {names} may differ from run to run"
    )


def group_fields(draft: Draft) -> None:
    """Fields that wait for the same form a node."""
    draft.atoms = atoms_of(draft.result(), len(draft.names))
    folded = {name.lower(): index for index, name in enumerate(draft.names)}
    by_hand = [
        [folded[name.lower()] for name in group if name.lower() in folded] for group in draft.definition.nodes
    ]
    outputs = draft.other_positions
    if draft.logical:
        draft.whole = why_whole(draft.relation, draft.definition.split is Split.NEVER)
    whole = not draft.logical or bool(draft.whole) or not outputs
    draft.groups = group_outputs(outputs, draft.atoms, draft.together, by_hand, whole)


def make_fields(draft: Draft) -> None:
    """Fields with what the header says of them."""
    notes = {note.name.lower(): note for note in draft.definition.fields}
    keys = {name.lower() for name in draft.definition.key}
    for index, name in enumerate(draft.names):
        note = notes.get(name.lower())
        draft.fields.append(
            Field(
                name=name, key=name.lower() in keys, type=certain_type(draft.families, draft.relation, name.lower()),
                description=note.description if note else "", checks=note.checks if note else (),
                comparable=not draft.incomparable >> index & 1,
            )
        )  # fmt: skip
    demand = draft.result()
    draft.lineage = lineage_of(demand.leaves, draft.names, demand.bits)


def certain_type(families: Families, relation: Relation, name: str) -> str:
    """Engine type of an output that is just a column or a cast; "" where only the engine knows."""
    while isinstance(relation, Block):
        index = relation.position.get(name)
        item = relation.projections[index].unalias() if index is not None else None
        if isinstance(item, exp.Cast) and isinstance(relation, Block):
            return families.type_of(item, relation)
        occurrence = relation.by_name.get(item.table.lower()) if isinstance(item, exp.Column) else None
        if item is None or occurrence is None:
            return ""
        relation, name = occurrence.relation, item.name.lower()
    return "" if isinstance(relation, Compound) else families.type_of_column(relation, name)


def make_nodes(draft: Draft) -> None:
    """Nodes with their text, what they wait for, and why they are nodes."""
    demand = draft.result()
    width = len(draft.names) + 1
    parts = parts_of(draft.tree)
    every = demand.bits.all
    cuts = [demand.parts.get(id(part.node), 0 if isinstance(part.node, exp.CTE) else every) for part in parts]
    draft.cuts = encode(cuts, width)
    traits = {id(block.select): block.traits for block, _ in demand.blocks.values()}
    emitter = Emitter(draft.tree, parts, cuts, draft.engine, traits)
    draft.sql = emitter.whole()
    row = row_group(draft.groups)
    ids = [
        node_id(draft.definition.name, [draft.names[index] for index in group.outputs])
        for group in draft.groups
    ]
    by_field = {
        draft.names[index].lower(): ids[n] for n, group in enumerate(draft.groups) for index in group.outputs
    }

    def own_nodes(fields: Sequence[str]) -> Sequence[str]:
        return tuple(
            dict.fromkeys(by_field[name.lower()] for name in fields if name.lower() in by_field)
        ) or (ids[row],)

    for number, group in enumerate(draft.groups):
        draft.nodes.append(_node(draft, number, group, number == row, ids[number], emitter, own_nodes))


def wanted_bits(names: Sequence[str], keys: Sequence[int], outputs: Sequence[int]) -> int:
    """The rows, the keys and these outputs."""
    return 1 | sum(1 << (index + 1) for index in {*keys, *outputs})


def _node(
    draft: Draft, number: int, group: Group, row: bool, identity: str, emitter: Emitter,
    own_nodes: Callable[[Sequence[str]], Sequence[str]],
) -> Node:  # fmt: skip
    definition = draft.definition
    outputs = group.outputs if draft.logical else tuple(range(len(draft.names)))
    wanted = wanted_bits(draft.names, draft.key_positions, outputs)
    waits = waits_of(
        draft.readings, wanted, draft.result().bits, own_nodes, draft.catalogue, definition.depends_on
    )
    sql = emitter.text(wanted)
    lone = len(draft.groups) == 1
    bits = draft.result().bits
    why = draft.whole or why_group(
        group,
        draft.atoms,
        row,
        draft.readings,
        lambda leaf: fields_read(leaf, leaf.leaf.table, wanted, bits),
        lone,
    )
    return Node(
        id=identity, label=f"n{number + 1}", row_node=row, fields=tuple(draft.names[index] for index in group.outputs) if draft.logical else (),
        sources=tuple(waits.sources), waits_for=tuple(waits.ready), upstream=waits.dependencies(), why=why,
        sql=sql if draft.logical else "", parameters=placeholders_of(sql), project=definition.project, owner=definition.owner,
        priority=definition.priority, resource_group=definition.resource_group, cost=definition.cost,
    )  # fmt: skip


RULES: tuple[Callable[[Draft], None], ...] = (
    parse,
    name_columns,
    forget_the_last_order,
    know_itself,
    resolve_names,
    find_demand,
    check_fields,
    find_windows,
    find_choices,
    group_fields,
    make_fields,
    make_nodes,
)
"""A rule that cannot go on stops the draft; problems that do not stop it are said all together at the end."""
