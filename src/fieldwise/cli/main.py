"""Where the `fieldwise` command starts: the tree with every command attached."""

from __future__ import annotations

import fieldwise.cli.definitions as definitions
import fieldwise.cli.demo as demo
import fieldwise.cli.instances as instances
import fieldwise.cli.lineage as lineage
import fieldwise.cli.operate as operate
import fieldwise.cli.run as run
import fieldwise.cli.serve as serve
import fieldwise.cli.simulate as simulate
import fieldwise.cli.sql as sql
from fieldwise.cli.app import app, main

for module in (demo, definitions, run, serve, instances, operate, lineage, sql, simulate):
    module.attach(app)

__all__ = ["main"]

if __name__ == "__main__":
    main()
