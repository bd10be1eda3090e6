"""`simulate`: the real scheduler over run dates, with daylight saving, and nothing violated."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from fieldwise.model.errors import BadRequest
from fieldwise.simulation.replay import simulate_folders

HOURLY = (
    "/*\nkind: fact\nkey: [id]\nschedule: {period: hour, every: 1}\n*/\nSELECT 1 AS id, :slot_start AS at\n"
)
DAILY = """/*
kind: aggregate
key: [id]
*/
SELECT h.id, count(*) AS hours FROM shop.hourly h
WHERE h.ds >= :day_start AND h.ds < :day_end GROUP BY h.id
"""
WEEKLY = (
    "/*\nkind: fact\nkey: [id]\nschedule: {period: week, on: [mon]}\n*/\nSELECT 1 AS id, :data_date AS day\n"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    tables = tmp_path / "shop" / "tables"
    tables.mkdir(parents=True)
    (tmp_path / "shop" / "project.yml").write_text("name: shop\ntimezone: UTC\nowner: ana\n")
    for name, text in (("hourly", HOURLY), ("daily", DAILY), ("weekly", WEEKLY)):
        (tables / f"{name}.sql").write_text(text)
    return tmp_path / "shop"


@pytest.mark.parametrize(("zone", "hours"), [("UTC", 72), ("Europe/Berlin", 71), ("Asia/Shanghai", 72)])
def test_every_slot_of_the_dates_runs_once(project: Path, zone: str, hours: int) -> None:
    document = simulate_folders([project], date(2026, 3, 28), date(2026, 3, 30), zone)
    assert document["violations"] == []
    assert document["tasks"] == {
        "shop.hourly": {"generated": hours, "off_day": 0, "succeeded": hours, "failed": 0},
        "shop.daily": {"generated": 3, "off_day": 0, "succeeded": 3, "failed": 0},
        "shop.weekly": {"generated": 3, "off_day": 2, "succeeded": 3, "failed": 0},
    }


def test_an_unknown_zone_is_refused(project: Path) -> None:
    with pytest.raises(BadRequest, match="no time zone"):
        simulate_folders([project], date(2026, 3, 28), date(2026, 3, 30), "Europe/Nowhere")
