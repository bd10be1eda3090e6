"""The engine process killed at random moments of publishes: no torn partition, and the ledger tells what is there."""

from __future__ import annotations

import os
import random
import threading
from itertools import count
from pathlib import Path

import pytest
from rig import NODES, TABLE, Pool, node, request, rows_sql

from fieldwise.model.attempt import AttemptRequest
from fieldwise.model.status import RunOutcome

DAYS = ("2026-11-17", "2026-11-18", "2026-11-19")
SETS = (("n1", "n2", "n3"), ("n1",), ("n2",), ("n2", "n3"))


def made_of(labels: tuple[str, ...], day: str, numbers: list[int], keys: range) -> AttemptRequest:
    """Every value tells the attempt that wrote it."""
    attempt = dict(zip(labels, numbers, strict=True))
    values = {
        name: {"amount": number, "tags": [number]}.get(name, f"a{number}")
        for label, number in attempt.items()
        for name in NODES[label]
    }
    return request(labels, rows_sql(labels, dict.fromkeys(keys, values)), day, attempts=numbers)


def check(pool: Pool) -> None:
    ledger = pool.workers.query("SELECT partition, node, attempt FROM fieldwise.published").rows
    attempts = {(day, name): attempt for day, name, attempt in ledger}
    found = pool.workers.query(
        f"SELECT ds::VARCHAR, count(*), count(DISTINCT id), list(DISTINCT amount), list(DISTINCT region), "
        f"list(DISTINCT tags), list(DISTINCT note) FROM {TABLE} GROUP BY ds"
    ).rows
    assert {day for day, _ in attempts} == {row[0] for row in found}
    for day, rows, keys, amount, region, tags, note in found:
        assert rows == keys
        expected = {label: attempts.get((day, node(label))) for label in NODES}
        assert amount == [expected["n1"]]
        assert (region, tags) == (
            ([f"a{expected['n2']}"], [[expected["n2"]]]) if expected["n2"] else ([None], [None])
        )
        assert note == [f"a{expected['n3']}" if expected["n3"] else None]


@pytest.mark.kill
def test_a_killed_engine_leaves_whole_partitions(tmp_path: Path) -> None:
    chance = random.Random(7)
    pool = Pool(tmp_path, attempts_at_once=4).with_table()
    attempts = count(1)
    lost = 0
    for _ in range(int(os.environ.get("FIELDWISE_KILLS", "12"))):
        sent = []
        for day in DAYS:
            for labels in chance.sample(SETS, 3):
                numbers = [next(attempts) for _ in labels]
                sent.append(made_of(labels, day, numbers, range(1, 40)))
        pool.workers.query("SELECT 1")
        process = pool.workers.engine_pid
        pool.workers.start(sent)
        threading.Event().wait(chance.uniform(0.0, 0.12))
        os.kill(process, 9)
        reports = pool.wait(len(sent))
        assert {report.outcome for report in reports} <= {
            RunOutcome.SUCCEEDED,
            RunOutcome.LOST,
            RunOutcome.STOPPED,
        }
        lost += sum(report.outcome is RunOutcome.LOST for report in reports)
        check(pool)
        _reports_agree(
            pool, sent, {a for r in reports if r.outcome is RunOutcome.SUCCEEDED for a in r.attempts}
        )
    assert lost, "no kill hit a running attempt"
    pool.workers.close()


def _reports_agree(pool: Pool, sent: list[AttemptRequest], succeeded: set[int]) -> None:
    """What was reported as done is in the ledger, or was followed by a later attempt of the same target."""
    targets = {member.target: member.attempt for made in sent for member in made.members}
    ledger = pool.workers.published(list(targets))
    for made in sent:
        for member in made.members:
            if member.attempt in succeeded:
                assert ledger[member.target] >= member.attempt
