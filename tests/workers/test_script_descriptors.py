"""A script starts whatever the numbers of the descriptors are that the engine process has open."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fieldwise.model.attempt import AttemptKind, AttemptRequest, Member, Target
from fieldwise.workers.journal import Journal
from fieldwise.workers.script import ScriptRun


@pytest.fixture
def twenty_open_descriptors() -> Iterator[None]:
    numbers = [os.open(os.devnull, os.O_RDONLY) for _ in range(20)]
    yield
    for number in numbers:
        os.close(number)


@pytest.mark.usefixtures("twenty_open_descriptors")
def test_a_script_starts_with_twenty_descriptors_open_and_nothing_to_read(tmp_path: Path) -> None:
    member = Member(1, 1, 1, Target("prod", "shop.load", "shop.load/00000000", "2025-06-03"), ())
    script = "cat\nread word || echo nothing to read\n"
    request = AttemptRequest(
        AttemptKind.SCRIPT, (member,), "shop.load", "2025-06-03", "DATE", language="shell", script=script
    )
    journal = Journal(tmp_path / "log")
    run = ScriptRun(request, tmp_path, journal)
    for folder in ("work", "input", "output"):
        (tmp_path / "scratch" / "script_1" / folder).mkdir(parents=True)
    run.execute(lambda: "")
    journal.close()
    assert "nothing to read" in (tmp_path / "log").read_text()
