"""Random publishes against a dictionary: the table, its versions and what each report says must agree."""

from __future__ import annotations

import tempfile
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from rig import DAY, NODES, TABLE, TYPES, Bench, node, request, rows_sql

from fieldwise.engines.system_tables import KEY_SET
from fieldwise.model.status import RunOutcome

DAYS = (DAY, "2026-11-19")
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "amount": st.none() | st.integers(0, 2),
    "region": st.none() | st.sampled_from(["a", "b"]),
    "tags": st.none() | st.lists(st.integers(0, 1), max_size=2),
    "note": st.none() | st.just("x"),
}
ROWS = st.dictionaries(st.integers(1, 4), st.fixed_dictionaries(VALUES), max_size=4)
PUBLISHES = st.lists(
    st.tuples(
        st.lists(st.sampled_from(sorted(NODES)), min_size=1, max_size=3, unique=True),
        st.sampled_from(DAYS),
        ROWS,
    ),
    min_size=1,
    max_size=6,
)

Rows = dict[int, dict[str, Any]]


class Model:
    """One partition as the specification tells it."""

    def __init__(self) -> None:
        self.rows: Rows = {}
        self.version: dict[str, int] = {}
        self.nodes: set[str] = set()

    def publish(self, labels: list[str], attempt: dict[str, int], rows: Rows) -> tuple[set[str], set[str]]:
        """Returns the changed fields and the other nodes whose rows no longer match."""
        first = not self.nodes
        moved = self.rows.keys() != rows.keys()
        changed = set()
        before = self.rows
        empty = dict.fromkeys(TYPES)
        self.rows = {key: dict(before.get(key, empty)) for key in rows}
        for label in labels:
            for field in NODES[label]:
                for key, values in rows.items():
                    self.rows[key][field] = values[field]
                differs = any(
                    key not in before or before[key][field] != values[field] for key, values in rows.items()
                )
                if first or field not in self.version or differs:
                    changed.add(field)
                    self.version[field] = attempt[label]
        if first or moved:
            self.version[KEY_SET] = max(attempt.values())
        others = self.nodes - set(labels)
        self.nodes |= set(labels)
        return changed, others if moved and not first else set()


@given(PUBLISHES)
@settings(max_examples=60)
def test_publishes_agree_with_a_dictionary(publishes: list[tuple[list[str], str, Rows]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        models = {day: Model() for day in DAYS}
        attempts = count(1)
        for labels, day, rows in publishes:
            numbers = {label: next(attempts) for label in labels}
            report = bench.run(request(labels, rows_sql(labels, rows), day, attempts=list(numbers.values())))
            assert report.outcome is RunOutcome.SUCCEEDED, report.message
            changed, differ = models[day].publish(labels, numbers, rows)
            assert {name for result in report.members for name in result.changed_fields} == changed
            assert set(report.members[0].rows_differ) == {node(label) for label in differ}
            _compare(bench, models)
        bench.warehouse.close()


def _compare(bench: Bench, models: dict[str, Model]) -> None:
    found = bench.rows(f"SELECT ds::VARCHAR, id, {', '.join(TYPES)} FROM {TABLE} ORDER BY ALL")
    expected = [
        (day, key, *(model.rows[key][name] for name in TYPES))
        for day, model in models.items()
        for key in sorted(model.rows)
    ]
    assert found == expected
    for day, model in models.items():
        state = bench.warehouse.ledger.stored(bench.warehouse.cursor(), TABLE, day)
        assert dict(state.version) == model.version
        assert set(state.published) == {node(label) for label in model.nodes}
