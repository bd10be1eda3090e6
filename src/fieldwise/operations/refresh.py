"""Decides which stored fields no longer follow from a definition that was published anew."""

from __future__ import annotations

from fieldwise.model.plan import CompiledTask


def fields_to_recompute(old: CompiledTask, new: CompiledTask) -> list[str]:
    """Fields whose stored values no longer follow from the definition: their node's statement is another one."""
    old_sql = {field: node.sql for node in old.nodes for field in node.fields}
    new_sql = {field: node.sql for node in new.nodes for field in node.fields}
    same_nodes = {node.id for node in old.nodes} & {node.id for node in new.nodes}
    grouped_alike = {field for node in new.nodes if node.id in same_nodes for field in node.fields}
    return [
        field
        for field in new_sql
        if field not in old_sql or (field in grouped_alike and old_sql[field] != new_sql[field])
    ]
