"""Where the `fieldwise` command starts: the tree with every command attached."""

from __future__ import annotations

from fieldwise.cli import definitions, demo, instances, lineage, run, serve, sql
from fieldwise.cli.app import app, main

for module in (demo, definitions, run, serve, instances, lineage, sql):
    module.attach(app)

__all__ = ["main"]

if __name__ == "__main__":
    main()
