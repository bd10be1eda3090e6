"""What all tests share: how hard Hypothesis tries, and which seeds the simulation takes."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

_SLOW_MACHINES_ARE_FINE = [HealthCheck.too_slow]

# `pull` gives everybody the same examples, so that a failure is the change's and not the day's.
settings.register_profile(
    "pull",
    max_examples=100,
    derandomize=True,
    deadline=None,
    suppress_health_check=_SLOW_MACHINES_ARE_FINE,
)
settings.register_profile(
    "prove",
    max_examples=int(os.environ.get("FIELDWISE_EXAMPLES", "20000")),
    deadline=None,
    print_blob=True,
    suppress_health_check=_SLOW_MACHINES_ARE_FINE,
)
settings.load_profile("pull")


@pytest.fixture(scope="session")
def seeds() -> range:
    """The simulation's seeds: 200 for a pull, `FIELDWISE_SEEDS=first..end` (end not included) otherwise."""
    first, _, end = os.environ.get("FIELDWISE_SEEDS", "0..200").partition("..")
    return range(int(first), int(end))
