"""What must hold of a run's inputs before it reads them (spec 2: source columns and keys; rule J9)."""

from __future__ import annotations

import duckdb

from fieldwise.engines.source_facts import SourceFacts
from fieldwise.model.attempt import AttemptRequest
from fieldwise.workers.outcomes import CheckFailed


def check_sources(facts: SourceFacts, cursor: duckdb.DuckDBPyConnection, request: AttemptRequest) -> None:
    """Columns as published and declared keys unique in the partition read. Raises CheckFailed."""
    for read in request.inputs:
        if read.source:
            changed = facts.changed_columns(cursor, read.relation, read.fields)
            if changed:
                raise CheckFailed(
                    f"source {read.relation} changed since publishing ({'; '.join(changed)})",
                    "columns_changed",
                )
    for source, key, partition in request.source_keys:
        twice = facts.duplicates(cursor, source, key, partition, request.partition)
        if twice:
            shown = source.replace('"', "")
            raise CheckFailed(
                f"source {shown} declares the key ({', '.join(key)}) and has it twice: {twice}", "source_key"
            )


def types_may_drift(request: AttemptRequest) -> bool:
    """Only other projects' tables, which are published apart, can give a column another type than at publishing."""
    own = request.relation.partition(".")[0]
    return not request.inputs or any(
        not read.source and read.relation.partition(".")[0] != own for read in request.inputs
    )
