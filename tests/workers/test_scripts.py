"""Python, shell and SQL tasks: what they are given, what their end means, what replaces the partition (spec 2)."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rig import DAY, Bench, Pool

from fieldwise.model.attempt import AttemptKind, AttemptRequest, Member, Target
from fieldwise.model.status import RunOutcome

TASK = "shop.load"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.warehouse.close()


def script(text: str, language: str = "shell", attempt: int = 1, **more: Any) -> AttemptRequest:
    member = Member(
        attempt, attempt, 1, Target(more.pop("environment", "prod"), TASK, f"{TASK}/00000000", DAY), ()
    )
    return AttemptRequest(
        AttemptKind.SCRIPT, (member,), TASK, DAY, "DATE", language=language, script=text, log=f"logs/{attempt}.log", **more
    )  # fmt: skip


CSV = 'printf "id,amount\\n1,10\\n2,20\\n" > $FIELDWISE_OUTPUT/raw.orders.csv'


def test_an_output_replaces_the_partition_and_other_partitions_stay(bench: Bench) -> None:
    assert bench.run(script(CSV, outputs=("raw.orders",))).outcome is RunOutcome.SUCCEEDED
    bench.warehouse.cursor().execute("INSERT INTO raw.orders VALUES ('2026-01-01', 7, 7)")
    later = bench.run(script(CSV.replace("2,20", "3,30"), attempt=2, outputs=("raw.orders",)))
    assert later.members[0].changed_fields == ("raw.orders",)
    assert bench.rows("SELECT ds::VARCHAR, id, amount FROM raw.orders ORDER BY ALL") == [
        ("2026-01-01", 7, 7),
        (DAY, 1, 10),
        (DAY, 3, 30),
    ]


def test_the_same_rows_again_keep_their_version(bench: Bench) -> None:
    for attempt in (1, 2):
        bench.run(script(CSV, attempt=attempt, outputs=("raw.orders",)))
    state = bench.warehouse.ledger.stored(bench.warehouse.cursor(), TASK, DAY)
    assert dict(state.version) == {"raw.orders": 1}
    assert dict(state.published) == {f"{TASK}/00000000": 2}


def test_two_outputs_appear_together_or_not_at_all(bench: Bench) -> None:
    both = CSV + "\n" + CSV.replace("raw.orders", "raw.lines")
    assert bench.run(script(both, outputs=("raw.orders", "raw.lines"))).outcome is RunOutcome.SUCCEEDED
    second_bad = (
        CSV.replace("1,10", "9,90") + "\n" + CSV.replace("raw.orders", "raw.lines").replace("id", "key")
    )
    report = bench.run(script(second_bad, attempt=2, outputs=("raw.orders", "raw.lines")))
    assert (report.outcome, report.code) == (RunOutcome.FAILED, "columns_changed")
    assert "key: new" in report.message
    assert "id: missing" in report.message
    assert bench.rows("SELECT id FROM raw.orders ORDER BY id") == [(1,), (2,)]


def test_development_has_tables_of_its_own(bench: Bench) -> None:
    bench.run(script(CSV, outputs=("raw.orders",), environment="dev"))
    assert bench.rows("SELECT count(*) FROM raw_dev.orders") == [(2,)]


@pytest.mark.parametrize(
    ("text", "outcome", "words"),
    [
        ("echo one; echo two >&2; exit 3", RunOutcome.FAILED, "exit code 3: one | two"),
        ("echo no network; exit 75", RunOutcome.LOST, "infrastructure failure (exit 75): no network"),
        ("kill -9 $$", RunOutcome.FAILED, "signal SIGKILL"),
        (
            "echo x > $FIELDWISE_OUTPUT/other.csv",
            RunOutcome.FAILED,
            "wrote no raw.orders.parquet or raw.orders.csv",
        ),
    ],
)
def test_how_a_script_ends(bench: Bench, text: str, outcome: RunOutcome, words: str) -> None:
    report = bench.run(script(text, outputs=("raw.orders",)))
    assert report.outcome is outcome
    assert words in report.message


def test_a_python_script_gets_its_inputs_and_slot_in_the_environment(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.warehouse.cursor().execute(
        f"CREATE SCHEMA crm; CREATE TABLE crm.customer AS SELECT DATE '{DAY}' AS ds, 5 AS id "
        "UNION ALL SELECT DATE '2020-01-01', 6"
    )
    text = """
import os, duckdb
folder = os.environ["FIELDWISE_INPUT"]
out = os.environ["FIELDWISE_OUTPUT"] + "/raw.orders.parquet"
day = os.environ["FIELDWISE_DATA_DATE"]
duckdb.sql(f"COPY (SELECT id, '{day}' AS day FROM '{folder}/crm.customer.parquet') TO '{out}'")
print("SECRET" in os.environ, os.getcwd().endswith("work"))
"""
    monkeypatch.setenv("SECRET", "x")
    made = script(
        text, "python", outputs=("raw.orders",), reads=("crm.customer",),
        environment_variables=(("FIELDWISE_DATA_DATE", DAY),),
    )  # fmt: skip
    assert bench.run(made).message == ""
    assert bench.rows("SELECT id, day FROM raw.orders") == [(5, DAY)]
    assert "False True" in (bench.home / "logs/1.log").read_text()
    assert not (bench.home / "scratch" / "script_1").exists()


def test_a_sql_task_replaces_its_partition(bench: Bench) -> None:
    made = script(
        "",
        "sql",
        sql="SELECT $data_date AS day, 1 AS id",
        parameters=(("data_date", DAY),),
        outputs=("raw.days",),
    )
    report = bench.run(made)
    assert (report.outcome, report.rows) == (RunOutcome.SUCCEEDED, 1)
    assert bench.rows("SELECT ds::VARCHAR, day, id FROM raw.days") == [(DAY, DAY, 1)]


def test_an_older_attempt_replaces_nothing(bench: Bench) -> None:
    bench.run(script(CSV, attempt=5, outputs=("raw.orders",)))
    assert bench.run(script(CSV, attempt=4, outputs=("raw.orders",))).code == "fenced"


def test_a_script_over_its_memory_fails(bench: Bench) -> None:
    report = bench.run(script("x = bytearray(3_000_000_000)", "python", memory_limit="1GB"))
    assert report.outcome is RunOutcome.FAILED
    assert "MemoryError" in report.message


def _wait_for(path: Path) -> int:
    """The number a script writes when it is there."""
    tick = threading.Event()
    for _ in range(3000):
        if path.exists() and path.read_text().strip():
            return int(path.read_text())
        tick.wait(0.01)
    raise AssertionError(f"{path} did not come")


def _gone(process: int) -> bool:
    tick = threading.Event()
    for _ in range(1000):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        tick.wait(0.01)
    return False


def test_stopping_ends_the_whole_process_group(tmp_path: Path) -> None:
    pool = Pool(tmp_path)
    file = tmp_path / "child"
    pool.workers.start([script(f"sleep 600 & echo $! > {file}; wait")])
    child = _wait_for(file)
    pool.workers.interrupt(1, "stopped")
    (report,) = pool.wait()
    assert (report.outcome, report.code) == (RunOutcome.STOPPED, "stopped")
    assert _gone(child)
    pool.workers.close()


def test_a_time_limit_ends_a_script(tmp_path: Path) -> None:
    pool = Pool(tmp_path)
    report = pool.run(script("sleep 600", timeout=0.2))
    assert (report.outcome, report.code) == (RunOutcome.TIMED_OUT, "timeout")
    pool.workers.close()


@pytest.mark.kill
def test_a_killed_engine_process_leaves_no_script_behind(tmp_path: Path) -> None:
    pool = Pool(tmp_path)
    file = tmp_path / "child"
    pool.workers.start([script(f"sleep 600 & echo $! > {file}; wait")])
    child = _wait_for(file)
    os.kill(pool.workers.engine_pid, 9)
    (report,) = pool.wait()
    assert (report.outcome, report.code) == (RunOutcome.LOST, "worker_lost")
    assert _gone(child)
    pool.workers.close()
