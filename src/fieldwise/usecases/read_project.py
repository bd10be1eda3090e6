"""Reads a project's folder from disk: every file that can say something, as text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fieldwise.definitions.load import load_project
from fieldwise.model.definition import ProjectDefinition
from fieldwise.model.errors import Problem, ProblemCode

FOLDERS = ("sources", "tables", "tasks")
FILES = ("project.yml", "project.yaml", "resource_groups.yml", "throttling.yml", "baselines.yml")
DEFINITIONS = {".sql", ".yml", ".yaml"}
NOTES = {".md", ".txt", ".pyc"}  # may lie beside definitions
LARGEST_FILE = 8 * 1024 * 1024
UNREADABLE = "check that it exists and that you may read it"


def read_project(
    folder: Path, shown: str | None = None
) -> tuple[ProjectDefinition | None, tuple[Problem, ...]]:
    """The definition of the project in `folder`; problems name files as `shown`/..., as the user typed the folder."""
    prefix = (shown if shown is not None else str(folder)).rstrip("/")
    reading = _Reading(folder, prefix)
    reading.read()
    if reading.folder_missing:
        return None, tuple(reading.problems)
    project, found = load_project(reading.texts, str(folder.resolve()), prefix)
    # A project.yml that cannot be read is there: that it is missing would be a second, untrue problem.
    said = {(one.file, one.line, one.column) for one in reading.problems}
    found = tuple(one for one in found if (one.file, one.line, one.column) not in said)
    return project, tuple(sorted({*reading.problems, *found}))


class _Reading:
    """The texts of one folder, and what of it could not be read."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self._folder = folder
        self._prefix = prefix
        self.texts: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.folder_missing = False

    def read(self) -> None:
        if not self._folder.is_dir():
            self.folder_missing = True
            self._say("project.yml", "there is no such folder", "name the folder of a project")
            return
        for path in self._paths():
            name = path.relative_to(self._folder).as_posix()
            text = self._text(path, name)
            if text is not None:
                self.texts[name] = text

    def _paths(self) -> Iterator[Path]:
        for name in FILES:
            if (self._folder / name).exists():
                yield self._folder / name
        for name in FOLDERS:
            yield from self._inside(self._folder / name)

    def _inside(self, folder: Path) -> Iterator[Path]:
        """Its files; of folders in tables/ and sources/ those that look like definitions, to say that they are lost."""
        for path in self._listed(folder):
            if path.name.startswith((".", "_")):
                continue
            if path.is_file() and path.suffix.lower() not in NOTES:
                yield path
            elif path.is_dir() and not path.is_symlink() and folder.name != "tasks":
                yield from (one for one in self._listed(path) if one.suffix in DEFINITIONS and one.is_file())

    def _listed(self, folder: Path) -> list[Path]:
        try:
            return sorted(folder.iterdir()) if folder.is_dir() else []
        except OSError as error:
            self._say(
                folder.relative_to(self._folder).as_posix(), f"cannot be listed: {error.strerror}", UNREADABLE
            )
            return []

    def _text(self, path: Path, name: str) -> str | None:
        try:
            if path.stat().st_size > LARGEST_FILE:
                self._say(name, "the file is larger than 8 MB", "definitions are text; keep data elsewhere")
                return None
            return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            self._say(name, f"byte {error.start} is not UTF-8", "save the file as UTF-8 text")
        except OSError as error:
            self._say(name, f"the file cannot be read: {error.strerror}", UNREADABLE)
        return None

    def _say(self, name: str, message: str, hint: str) -> None:
        self.problems.append(Problem(f"{self._prefix}/{name}", 1, 1, ProblemCode.SYNTAX, message, hint))
