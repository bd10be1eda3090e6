"""Settings of a deployment: defaults for one machine, overridden by `HOME/fieldwise.toml`, then by options."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from fieldwise.model.errors import BadRequest


@dataclass(frozen=True, slots=True)
class Config:
    """`workers`: processes for scripts and attempts. `slots`: of resource groups no project declares.

    `lease`: seconds after which a silent leader may be replaced. `shown_after`: seconds a node instance waits for a
    slot before its status says so. `retention_days`: how long instances are kept.
    """

    home: Path
    workers: int = 0
    slots: int = 0
    lease: float = 60.0
    shown_after: float = 0.2
    retention_days: int = 30
    memory_limit: str = ""

    @property
    def processes(self) -> int:
        return self.workers or max(2, os.cpu_count() or 2)

    @property
    def default_slots(self) -> int:
        return self.slots or 2 * self.processes


def read_config(home: Path, **options: Any) -> Config:
    """The configuration of a home. `options` that are None count as not given. Raises BadRequest for unknown keys."""
    known = {field.name for field in fields(Config)} - {"home"}
    written: dict[str, Any] = {}
    path = home / "fieldwise.toml"
    if path.is_file():
        written = tomllib.loads(path.read_text())
        unknown = sorted(set(written) - known)
        if unknown:
            raise BadRequest(f"{path}: unknown setting {unknown[0]!r}", f"known: {', '.join(sorted(known))}")
    given = {name: value for name, value in options.items() if value is not None}
    return Config(home=home, **{**written, **given})
