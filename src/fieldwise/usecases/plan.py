"""Says what a project compiles to and how that differs from what is published: the document of `plan --json`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from fieldwise.model.plan import Change, CompiledTask, Dependency, Node, Publication
from fieldwise.model.status import TaskKind
from fieldwise.operations.refresh import fields_to_recompute


def plan_document(candidates: Sequence[Publication], active: Iterable[Publication]) -> dict[str, Any]:
    """Tables with their nodes in order, and all changes against the active publications of the same projects."""
    published = {publication.project.name: publication for publication in active}
    tables = [
        table_document(task)
        for candidate in candidates
        for task in candidate.tasks
        if task.definition.kind is TaskKind.MODELING
    ]
    changes = [
        {"table": change.table, "change": change.change, "detail": change.detail}
        for candidate in candidates
        for change in changes_between(published.get(candidate.project.name), candidate)
    ]
    return {"tables": tables, "changes": changes}


def table_document(task: CompiledTask) -> dict[str, Any]:
    definition = task.definition
    return {
        "table": task.name,
        "kind": definition.table_kind.value if definition.table_kind is not None else "",
        "key": list(task.key),
        "fields": [field.name for field in task.fields],
        "nodes": [node_document(node) for node in task.nodes],
    }


def node_document(node: Node) -> dict[str, Any]:
    return {
        "node": node.id,
        "row_node": node.row_node,
        "fields": list(node.fields),
        "sources": list(node.sources),
        "upstream": [dependency_document(dependency) for dependency in node.upstream],
        "why": node.why,
        "sql": node.sql,
    }


def dependency_document(dependency: Dependency) -> dict[str, Any]:
    return {
        "table": dependency.task,
        "fields": list(dependency.fields),
        "window": dependency.window.value,
        "n": dependency.n,
        "policy": dependency.policy.value,
    }


def changes_between(active: Publication | None, candidate: Publication) -> list[Change]:
    """Every difference, table by table in the order of the candidate, removed ones last."""
    before = {task.name: task for task in active.tasks} if active is not None else {}
    after = {task.name: task for task in candidate.tasks}
    changes: list[Change] = []
    for name, task in after.items():
        old = before.get(name)
        if old is None:
            changes.append(Change(name, f"{_noun(task)}_added", _list("fields", _names(task))))
        elif old.fingerprint != task.fingerprint:
            changes += _table_changes(old, task)
    gone = [task for name, task in before.items() if name not in after]
    changes += [Change(task.name, f"{_noun(task)}_removed", "kept in fieldwise_dropped") for task in gone]
    return changes


def _noun(task: CompiledTask) -> str:
    return "table" if task.definition.kind is TaskKind.MODELING else "task"


def _names(task: CompiledTask) -> list[str]:
    return [field.name for field in task.fields]


def _list(what: str, names: Iterable[str]) -> str:
    text = ", ".join(names)
    return f"{what}: {text}" if text else ""


def _table_changes(old: CompiledTask, new: CompiledTask) -> list[Change]:
    name = new.name
    changes = [Change(name, f"{_noun(new)}_changed", _what_changed(old, new))]
    before, after = {f.name: f for f in old.fields}, {f.name: f for f in new.fields}
    changes += [Change(name, "field_added", field) for field in after if field not in before]
    dropped = [field for field in before if field not in after]
    changes += [
        Change(name, "field_removed", f"{field}: column kept in fieldwise_dropped") for field in dropped
    ]
    changes += [
        Change(name, "field_type_changed", f"{field}: {before[field].type} -> {after[field].type}")
        for field in after
        if field in before and before[field].type != after[field].type
    ]
    changes += _node_changes(old, new)
    changes += _lineage_changes(old, new)
    return changes


def _what_changed(old: CompiledTask, new: CompiledTask) -> str:
    parts = []
    if old.sql != new.sql or old.definition.text != new.definition.text:
        parts.append("code")
    if old.key != new.key:
        parts.append("key: the table is built anew")
    if old.definition.schedule != new.definition.schedule:
        parts.append("schedule")
    recomputed = fields_to_recompute(old, new)
    if recomputed:
        parts.append("all partitions to recompute for " + ", ".join(recomputed))
    return "; ".join(parts) or "header"


def _node_changes(old: CompiledTask, new: CompiledTask) -> list[Change]:
    before, after = {node.id: node for node in old.nodes}, {node.id: node for node in new.nodes}
    added = [Change(new.name, "node_added", _node_text(after[key])) for key in after if key not in before]
    removed = [
        Change(new.name, "node_removed", _node_text(before[key])) for key in before if key not in after
    ]
    changed = [
        Change(new.name, "node_changed", _node_text(after[key]))
        for key in after
        if key in before and (before[key].sql, before[key].upstream) != (after[key].sql, after[key].upstream)
    ]
    return added + removed + changed


def _node_text(node: Node) -> str:
    return f"{node.id}: {', '.join(node.fields) or 'keys'}"


def _lineage_changes(old: CompiledTask, new: CompiledTask) -> list[Change]:
    before, after = set(old.lineage), set(new.lineage)
    kept = {field.name for field in old.fields} & {field.name for field in new.fields}
    added = [
        Change(
            new.name, "lineage_added", f"{edge.field} from {edge.from_table}.{edge.from_field} ({edge.how})"
        )
        for edge in new.lineage
        if edge not in before and edge.field in kept
    ]
    removed = [
        Change(
            new.name, "lineage_removed", f"{edge.field} from {edge.from_table}.{edge.from_field} ({edge.how})"
        )
        for edge in old.lineage
        if edge not in after and edge.field in kept
    ]
    return added + removed
