"""Options that many commands share, with one wording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="FIELDWISE_HOME",
        show_default=".fieldwise",
        help="Folder that holds the state, the warehouse and the logs.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
Projects = Annotated[
    list[str], typer.Argument(metavar="PROJECT...", help="Project folders (each with a project.yml).")
]
DEFAULT_HOME = Path(".fieldwise")
