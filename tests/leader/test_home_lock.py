"""One process per home; the second says who holds it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fieldwise.leader.home_lock import HomeLock
from fieldwise.model.errors import HomeInUse


def test_the_second_hears_who_holds_the_home(tmp_path: Path) -> None:
    first = HomeLock(tmp_path)
    with pytest.raises(HomeInUse, match=f"home in use by pid {os.getpid()}"):
        HomeLock(tmp_path, wait=0.0)
    first.release()
    HomeLock(tmp_path, wait=0.0).release()
