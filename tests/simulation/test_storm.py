"""Storms by seed: whatever fails and whenever, every invariant holds and everything comes to a good end."""

from __future__ import annotations

from collections import Counter

import pytest

from fieldwise.simulation.storm import storm

SEEDS = 200
CHUNK = 10
RARE = (
    "crash",
    "crash_in_recovery",
    "lost_commit_answer",
    "deposed",
    "paused_in_write",
    "zombie_refused",
    "died_after_publish",
    "duplicate_report",
    "late_report",
    "silent_worker",
    "engine_answer_lost",
)


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_seed_keeps_every_invariant(first: int) -> None:
    counts: Counter[str] = Counter()
    for seed in range(first, first + CHUNK):
        outcome = storm(seed)
        counts.update(outcome.counts)
        assert not outcome.violations, f"seed {seed}: {outcome.violations[:3]}"
    assert counts["crash"] > 0


def test_rare_paths_are_reached() -> None:
    counts: Counter[str] = Counter()
    for seed in range(1000, 1040):
        counts.update(storm(seed).counts)
        if all(counts[name] for name in RARE):
            return
    assert not [name for name in RARE if not counts[name]]


@pytest.mark.parametrize("seed", [3, 7])
def test_a_seed_always_does_the_same(seed: int) -> None:
    assert storm(seed).trace == storm(seed).trace


@pytest.mark.prove
def test_many_seeds(seeds: range) -> None:
    for seed in seeds:
        outcome = storm(seed)
        assert not outcome.violations, f"seed {seed}: {outcome.violations[:3]}"
