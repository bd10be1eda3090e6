"""The engine process: batches, interrupts, death and return, and what a stranger may not do in it (spec 7)."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rig import DAY, NODES, TABLE, Pool, node, request, rows_sql

from fieldwise.model.attempt import AttemptKind, AttemptRequest, Member, Target
from fieldwise.model.definition import SourceFormat, SourceTable
from fieldwise.model.errors import EngineRefused, EngineUnavailable
from fieldwise.model.status import RunOutcome
from fieldwise.workers.local import LocalWorkers

EVERY = tuple(NODES)
ENDLESS = "SELECT range::INTEGER AS id, 1::INTEGER AS amount FROM range(1000000000000) WHERE hash(range) = 1"
ROWS = {1: {"amount": 1}, 2: {"amount": 2}}


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    made = Pool(tmp_path).with_table()
    yield made
    made.workers.close()


def nothing(attempt: int) -> AttemptRequest:
    member = Member(attempt, attempt, 1, Target("prod", TABLE, node("n1"), DAY), ())
    return AttemptRequest(AttemptKind.NOTHING, (member,), TABLE, DAY, "DATE")


def test_attempts_that_do_nothing_all_come_back(pool: Pool) -> None:
    pool.workers.start([nothing(number) for number in range(1, 5001)])
    reports = pool.wait(5000)
    assert sorted(report.attempts[0] for report in reports) == list(range(1, 5001))
    assert {report.outcome for report in reports} == {RunOutcome.SUCCEEDED}


def test_many_attempts_of_many_partitions_at_once(pool: Pool) -> None:
    made = [request(EVERY, rows_sql(EVERY, ROWS), f"2026-10-{day:02}") for day in range(1, 31)]
    pool.workers.start(made)
    assert {report.message for report in pool.wait(30)} == {""}
    assert pool.workers.query(f"SELECT count(*) FROM {TABLE}").rows == ((60,),)


def test_an_interrupt_ends_a_statement_within_a_second(pool: Pool) -> None:
    made = request(["n1"], ENDLESS)
    pool.workers.start([made])
    pool.workers.query("SELECT 1")  # the process is up and has heard of the attempt
    begin = time.monotonic()
    pool.workers.interrupt(made.members[0].attempt, "stopped")
    (report,) = pool.wait()
    assert (report.outcome, report.code) == (RunOutcome.STOPPED, "stopped")
    assert time.monotonic() - begin < 2.0
    assert pool.workers.published([made.members[0].target]) == {}


def test_a_time_limit_ends_a_statement_wherever_it_is(pool: Pool) -> None:
    for nodes in ((node("n1"),), ()):  # through scratch, and straight into the table
        report = pool.run(request(["n1"], ENDLESS, timeout=0.1, all_nodes=nodes))
        assert (report.outcome, report.code) == (RunOutcome.TIMED_OUT, "timeout")
    assert pool.workers.query(f"SELECT count(*) FROM {TABLE}").rows == ((0,),)


def test_the_fence_does_not_wait_for_a_running_attempt(pool: Pool) -> None:
    made = request(["n1"], ENDLESS, all_nodes=(node("n1"),))
    pool.workers.start([made])
    (member,) = made.members
    assert pool.workers.raise_fence([(member.target, member.attempt)]) == {}
    (report,) = pool.wait()
    assert report.outcome is RunOutcome.STOPPED


@pytest.mark.kill
def test_a_killed_process_loses_its_attempts_and_another_one_starts(pool: Pool) -> None:
    made = [request(["n1"], ENDLESS, f"2026-10-{day:02}") for day in (1, 2)]
    pool.workers.start(made)
    first = pool.workers.engine_pid
    os.kill(first, 9)
    reports = pool.wait(2)
    assert {(report.outcome, report.code) for report in reports} == {(RunOutcome.LOST, "worker_lost")}
    assert pool.run(request(EVERY, rows_sql(EVERY, ROWS))).outcome is RunOutcome.SUCCEEDED
    assert pool.workers.engine_pid not in (0, first)


@pytest.mark.kill
def test_a_call_under_way_when_the_process_dies_is_unavailable(pool: Pool) -> None:
    pool.workers.query("SELECT 1")
    killer = threading.Timer(0.3, os.kill, (pool.workers.engine_pid, 9))
    killer.start()
    with pytest.raises(EngineUnavailable):
        pool.workers.query("SELECT count(*) FROM range(1000000000000) WHERE hash(range) = 1")
    killer.join()
    assert pool.workers.query("SELECT 1").rows == ((1,),)


@pytest.mark.kill
def test_the_process_dies_with_its_parent_and_the_next_one_opens_the_file(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from fieldwise.workers.local import LocalWorkers\n"
        "workers = LocalWorkers(Path(sys.argv[1])); workers.query('SELECT 1')\n"
        "print(workers.engine_pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    workers = LocalWorkers(tmp_path)
    assert workers.query("SELECT 1").rows == ((1,),)
    assert not Path(f"/proc/{child}/fd").exists() or not list(Path(f"/proc/{child}/fd").iterdir())
    workers.close()


def test_closed_workers_leave_a_file_that_any_client_opens(tmp_path: Path) -> None:
    pool = Pool(tmp_path).with_table()
    pool.run(request(EVERY, rows_sql(EVERY, ROWS)))
    pool.workers.close()
    assert not (tmp_path / "warehouse.duckdb.wal").exists()
    with pytest.raises(EngineUnavailable):
        pool.workers.query("SELECT 1")


def test_a_new_projects_folder_is_readable_after_a_restart_that_loses_nothing(
    pool: Pool, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "orders.csv").write_text("id,amount\n1,5\n")
    source = SourceTable("raw.orders", "shop", SourceFormat.CSV, "data/orders.csv")
    made = [request(EVERY, rows_sql(EVERY, ROWS), f"2026-10-{day:02}") for day in range(1, 11)]
    pool.workers.start(made)
    columns = pool.workers.source_columns(str(folder), source)
    assert columns == (("id", "BIGINT"), ("amount", "BIGINT"))
    pool.workers.register_sources(str(folder), [replace(source, columns=columns)])
    assert {report.outcome for report in pool.wait(10)} == {RunOutcome.SUCCEEDED}
    assert pool.workers.query("SELECT * FROM raw.orders").rows == ((1, 5),)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM '/etc/passwd'",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        "ATTACH '/tmp/other.duckdb'",
        "SET threads = 1",
        "INSTALL httpfs",
        "CREATE TABLE shop.x (a INT)",
        "DELETE FROM shop.orders",
        "EXPLAIN ANALYZE DELETE FROM shop.orders",
        "SELECT 1; DROP TABLE shop.orders",
        "COMMIT",
        "CALL pragma_version()",
        "SELECT nope",
        "",
    ],
)
def test_a_query_may_only_read_the_warehouse(pool: Pool, sql: str) -> None:
    with pytest.raises(EngineRefused):
        pool.workers.query(sql)


def test_a_query_is_cut_at_its_limit_and_its_time(pool: Pool) -> None:
    rows = pool.workers.query("SELECT range AS n FROM range(10) ORDER BY n", limit=3)
    assert (rows.columns, rows.types, rows.rows, rows.more) == (("n",), ("BIGINT",), ((0,), (1,), (2,)), True)
    with pytest.raises(EngineRefused, match="longer than"):
        pool.workers.query("SELECT count(*) FROM range(1000000000000) WHERE hash(range) = 1", timeout=0.1)


def test_the_log_tells_the_run(pool: Pool, tmp_path: Path) -> None:
    made = request(EVERY, rows_sql(EVERY, ROWS), log="logs/2026/1.log")
    pool.run(made)
    text = (tmp_path / "logs/2026/1.log").read_text()
    assert "computing amount, region, tags, note of shop.orders, ds 2026-11-18" in text
    assert made.sql in text
    assert "succeeded: 2 rows, checks passed, published" in text


def test_trouble_with_the_log_fails_no_run(pool: Pool, tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("not a folder")
    assert pool.run(request(EVERY, rows_sql(EVERY, ROWS), log="logs/1.log")).outcome is RunOutcome.SUCCEEDED


def test_too_little_memory_is_the_machines_fault(tmp_path: Path) -> None:
    pool = Pool(tmp_path, memory_limit="60MB").with_table()
    report = pool.run(
        request(
            ["n1"],
            "SELECT range::INTEGER AS id, len(list(range) OVER ())::INTEGER AS amount FROM range(9000000)",
        )
    )
    assert report.outcome is RunOutcome.LOST
    assert "Out of Memory" in report.message
    pool.workers.close()
