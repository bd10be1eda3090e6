"""The generator of the sample's data: complete or not at all, once per scale factor and day, and after that free."""

from __future__ import annotations

import subprocess
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from fieldwise.cli import sample
from fieldwise.cli.sample import AHEAD, Landing, SampleUnavailable, generate, landed, query_pairs

YESTERDAY = date(2026, 11, 19)
FIRST_DAY = date(2026, 11, 17)
TINY = 0.001


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    generate(folder, TINY, YESTERDAY)
    return folder


@pytest.fixture
def no_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts tpchgen-cli fails the test."""

    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("tpchgen-cli was started")

    monkeypatch.setattr(subprocess, "run", refuse)


def counts(project: Path, feed: str) -> dict[date, int]:
    sql = f"SELECT ds, count(*) FROM read_parquet('{project}/data/landing/{feed}/*/*.parquet') GROUP BY ds"
    return dict(duckdb.sql(sql).fetchall())


def test_the_days_end_yesterday_and_go_on_for_a_while(project: Path) -> None:
    landing = landed(project)
    assert landing == Landing(TINY, FIRST_DAY, YESTERDAY + timedelta(days=AHEAD), 10350)
    assert set(counts(project, "orders")) <= {FIRST_DAY + timedelta(days=n) for n in range(3 + AHEAD)}
    assert max(counts(project, "orders").values()) == counts(project, "orders")[FIRST_DAY]
    ordered = duckdb.sql(
        f"SELECT max(o_orderdate), count(*), count(DISTINCT o_orderkey) FROM '{project}/data/landing/orders/*/*.parquet'"
    ).fetchall()
    assert ordered == [(YESTERDAY + timedelta(days=AHEAD), 1500, 1500)]


def test_nothing_is_done_twice(project: Path, no_generator: None) -> None:
    before = (project / "data").stat().st_ino
    assert generate(project, TINY, YESTERDAY) == landed(project)
    assert (project / "data").stat().st_ino == before


def test_a_filled_warehouse_keeps_its_landing_while_it_lasts(project: Path, no_generator: None) -> None:
    landing = landed(project)
    for days in (1, AHEAD):
        assert generate(project, TINY, YESTERDAY + timedelta(days=days), keep=True) == landing
    with pytest.raises(AssertionError):
        generate(project, TINY, YESTERDAY + timedelta(days=AHEAD + 1), keep=True)
    with pytest.raises(AssertionError):
        generate(project, 2 * TINY, YESTERDAY, keep=True)
    assert landed(project) == landing, "what failed changed nothing"


def test_another_day_lands_the_same_rows_later(project: Path, tmp_path: Path) -> None:
    said: list[str] = []
    generate(tmp_path, TINY, YESTERDAY, progress=said.append)
    assert said[0] == "TPC-H at scale factor 0.001"
    before = counts(tmp_path, "customer")
    generate(tmp_path, TINY, YESTERDAY + timedelta(days=1))
    assert counts(tmp_path, "customer") == {ds + timedelta(days=1): rows for ds, rows in before.items()}
    assert [path.name for path in tmp_path.iterdir()] == ["data"], "no work is left behind"


def test_without_the_generator_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample.sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setattr(sample.shutil, "which", lambda name: None)
    with pytest.raises(SampleUnavailable, match="tpchgen-cli") as caught:
        generate(tmp_path / "project", TINY, YESTERDAY)
    assert "fieldwise[sample]" in caught.value.hint
    assert list((tmp_path / "project").iterdir()) == []


@pytest.mark.parametrize(("scale_factor", "days"), [(0.0, 3), (-1.0, 3), (TINY, 0)])
def test_nonsense_is_refused(tmp_path: Path, scale_factor: float, days: int) -> None:
    with pytest.raises(SampleUnavailable):
        generate(tmp_path, scale_factor, YESTERDAY, days)


def test_damaged_and_missing_data_are_no_landing(tmp_path: Path) -> None:
    assert landed(tmp_path) is None
    (tmp_path / "data").mkdir()
    for text in ("", "[]", '{"format": 0}', '{"format": 1, "first_day": "x"}', "{"):
        (tmp_path / "data" / "manifest.json").write_text(text)
        assert landed(tmp_path) is None
    with pytest.raises(SampleUnavailable, match="no sample data"):
        next(query_pairs(tmp_path, YESTERDAY))
