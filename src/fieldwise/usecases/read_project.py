"""Reads a project's folder from disk: every file that can say something, as text."""

from __future__ import annotations

from pathlib import Path

from fieldwise.definitions.load import load_project
from fieldwise.model.definition import ProjectDefinition
from fieldwise.model.errors import Problem, ProblemCode

FOLDERS = ("sources", "tables", "tasks")
FILES = ("project.yml", "resource_groups.yml", "throttling.yml")
LARGEST_FILE = 8 * 1024 * 1024


def read_project(
    folder: Path, shown: str | None = None
) -> tuple[ProjectDefinition | None, tuple[Problem, ...]]:
    """The definition of the project in `folder`; problems name files as `shown`/..., as the user typed the folder."""
    prefix = (shown if shown is not None else str(folder)).rstrip("/")
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for path in _paths(folder):
        name = path.relative_to(folder).as_posix()
        text = _text(path, f"{prefix}/{name}", problems)
        if text is not None:
            texts[name] = text
    project, found = load_project(texts, str(folder.resolve()), prefix)
    return project, tuple(sorted({*problems, *found}))


def _paths(folder: Path) -> list[Path]:
    named = [folder / name for name in FILES if (folder / name).is_file()]
    inside = [
        path
        for name in FOLDERS
        if (folder / name).is_dir()
        for path in sorted((folder / name).iterdir())
        if path.is_file()
        and not path.name.startswith((".", "_"))
        and path.suffix.lower() not in {".md", ".txt", ".pyc"}
    ]
    return named + inside


def _text(path: Path, shown: str, problems: list[Problem]) -> str | None:
    try:
        if path.stat().st_size > LARGEST_FILE:
            problems.append(
                Problem(
                    shown,
                    1,
                    1,
                    ProblemCode.SYNTAX,
                    "the file is larger than 8 MB",
                    "definitions are text; keep data elsewhere",
                )
            )
            return None
        return path.read_text(encoding="utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        problems.append(
            Problem(
                shown,
                1,
                1,
                ProblemCode.SYNTAX,
                f"byte {error.start} is not UTF-8",
                "save the file as UTF-8 text",
            )
        )
    except OSError as error:
        problems.append(
            Problem(
                shown,
                1,
                1,
                ProblemCode.SYNTAX,
                f"the file cannot be read: {error.strerror}",
                "check its permissions",
            )
        )
    return None
