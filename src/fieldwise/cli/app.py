"""The command tree, and the one place where errors become exit codes: 0 ok, 1 refused or failed, 2 usage."""

from __future__ import annotations

import sys
from typing import Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from fieldwise.cli.output import err, print_json, print_problems
from fieldwise.model.errors import DefinitionsInvalid, FieldwiseError, HomeInUse

# Typer brings a click of its own; what its commands raise is told apart by its classes and not by an installed click's.
click = sys.modules[typer.BadParameter.__module__]

ORDER = (
    "demo", "init", "check", "plan", "publish", "run", "serve", "link", "instances", "rerun", "rerun-downstream", "force-rerun",
    "force-rerun-downstream", "set-success", "stop", "pause", "resume", "set-priority", "set-resource-group",
    "remove-upstream", "restore-upstream", "undo", "operations", "lineage", "sql", "schema",
)  # fmt: skip


class OrderedGroup(TyperGroup):
    """Commands in the order in which a newcomer meets them."""

    def list_commands(self, ctx: Any) -> list[str]:
        known = list(self.commands)
        return sorted(known, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


app = typer.Typer(
    cls=OrderedGroup,
    name="fieldwise",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Run and operate a data warehouse field by field.

[bold]Start here[/]

  fieldwise demo                       the sample warehouse, three days, and the operations centre
  fieldwise init shop                  a small project of your own
  fieldwise run shop --data 2026-11-18 publish it and run one day

Every command takes [bold]--json[/]. Exit codes: 0 ok, 1 refused or failed, 2 wrong usage.""",
)


def fail(error: FieldwiseError, as_json: bool) -> int:
    """Print an error once, for people on stderr or for programs on stdout, and give the exit code."""
    if as_json:
        document: dict[str, Any] = {
            "error": {"code": error.code, "message": error.message, "hint": error.hint}
        }
        print_json(document)
    elif isinstance(error, DefinitionsInvalid):
        print_problems(error.problems)
        err.print(f"[red]✕[/] {escape(error.message)}")
    else:
        err.print(f"[red]✕[/] {escape(error.message)}", soft_wrap=True)
        hint = error.hint or (
            "is `fieldwise serve` running on it? try --home" if isinstance(error, HomeInUse) else ""
        )
        if hint:
            err.print(f"  [cyan]hint:[/] {escape(hint)}", soft_wrap=True)
    return 1


def main() -> None:
    """Entry point of the console script: no traceback reaches a user."""
    as_json = "--json" in sys.argv
    try:
        code = app(standalone_mode=False)
    except typer.Exit as exit_:
        code = exit_.exit_code
    except typer.Abort:
        err.print("stopped")
        code = 130
    except click.ClickException as usage:
        usage.show()
        code = usage.exit_code
    except FieldwiseError as error:
        code = fail(error, as_json)
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    except KeyboardInterrupt:
        err.print("stopped")
        code = 130
    raise SystemExit(code if isinstance(code, int) else 0)
