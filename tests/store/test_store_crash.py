"""A writer that is killed leaves whole commits behind, and all that it was told were durable."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from stored_shop import AT, PROD, Shop, opened
from test_store_log import fold, stored

from fieldwise.model.event import CommitBatch, Event
from fieldwise.model.status import Status
from fieldwise.store.sqlite import SqliteStore

GROUP = 12
WRITER = """
import sys
from test_store_crash import write_for_ever
write_for_ever(sys.argv[1])
"""


def write_for_ever(path: str) -> None:
    """Commits groups of moves; says the number of each one when it is durable."""
    shop = opened(SqliteStore(path))
    shop.generate(slots=4)
    states = {firing.state.id: firing.state for firing in shop.born}
    from stored_shop import moved

    number = 0
    while True:
        number += 1
        batch = CommitBatch(AT + number)
        for key in sorted(states)[:GROUP]:
            before = states[key]
            after = before._replace(status=int(Status.WAITING_TIME - before.status), retries_used=number)
            event = Event.UPSTREAM_DONE if after.status else Event.UPSTREAM_UNDONE
            batch.transitions.append(moved(event, before, after, AT + number))
            batch.nodes.append(after)
            states[key] = after
        shop.store.commit(shop.epoch, batch)
        print(number, flush=True)


@pytest.mark.kill
@pytest.mark.parametrize("after", [0.0, 0.01, 0.03, 0.07])
def test_a_killed_writer_leaves_whole_commits(tmp_path: Path, after: float) -> None:
    path = tmp_path / "state.db"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, env=environment, text=True
    )
    assert writer.stdout is not None
    first = writer.stdout.readline()
    time.sleep(after)
    writer.send_signal(signal.SIGKILL)
    told = [first, *writer.stdout.read().split("\n")]
    writer.wait()
    writer.stdout.close()
    durable = max(int(text) for text in told if text.strip())

    store = SqliteStore(path)
    firings = list(store.window(PROD))
    counts = {firing.state.retries_used for firing in firings[:GROUP]}
    assert len(counts) == 1, "a commit is torn"
    assert counts.pop() in (durable, durable + 1)
    shop = Shop(store, 1, store.active_publications(PROD)[0])
    shop.born = firings
    assert fold(shop) == stored(shop)
    assert store._database.rows("PRAGMA integrity_check") == [("ok",)]
    assert shop.generate(slots=4) == []
    store.close()
