"""A project's folder on disk: which files are read, and what is said of those that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldwise.definitions.starter import starter_project
from fieldwise.usecases import read_project as reading
from fieldwise.usecases.read_project import read_project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path, text in starter_project("shop").items():
        write(tmp_path / "shop" / path, text.encode())
    return tmp_path / "shop"


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def said(folder: Path) -> list[str]:
    return [f"{one.file}:{one.line}:{one.column} {one.message}" for one in read_project(folder, "shop/")[1]]


def test_a_folder_is_read_with_everything_in_it(folder: Path) -> None:
    project, problems = read_project(folder)
    assert not problems
    assert project is not None
    assert project.folder == str(folder)
    assert [task.name for task in project.tasks] == ["shop.dim_customer", "shop.fct_order"]
    assert project.tasks[0].file == f"{folder}/tables/dim_customer.sql"


def test_problems_name_the_folder_as_the_user_typed_it(folder: Path) -> None:
    write(folder / "tables/bad.sql", b"SELECT 1")
    assert said(folder) == ["shop/tables/bad.sql:1:1 there is no header"]


@pytest.mark.parametrize(
    "path",
    [
        "tables/README.md",
        "tables/.fct.sql.swp",
        "tasks/_draft.py",
        "data/huge.sql",
        "tasks/lib/help.py",
        "notes.yml",
    ],
)
def test_files_that_are_no_definitions_are_left_alone(folder: Path, path: str) -> None:
    write(folder / path, b"\xff\x00 nothing to read")
    assert said(folder) == []


def test_line_ends_and_byte_order_marks_of_windows_change_nothing(folder: Path) -> None:
    before = read_project(folder)
    for path in [*folder.glob("*.yml"), *folder.glob("*/*.yml"), *folder.glob("*/*.sql")]:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_project(folder) == before


def test_a_file_that_is_not_utf_8_is_said_and_the_rest_is_read(folder: Path) -> None:
    latin = "/* kind: fact\nkey: [id]\n*/ SELECT 'caf\xe9'".encode("latin-1")
    write(folder / "tables/latin.sql", latin)
    write(folder / "tables/bad.sql", b"SELECT 1")
    assert said(folder) == [
        "shop/tables/bad.sql:1:1 there is no header",
        f"shop/tables/latin.sql:1:1 byte {latin.index(0xE9)} is not UTF-8",
    ]


def test_a_project_file_that_cannot_be_read_is_not_called_missing_as_well(folder: Path) -> None:
    write(folder / "project.yml", b"\xff")
    assert said(folder) == ["shop/project.yml:1:1 byte 0 is not UTF-8"]


def test_a_file_too_large_to_be_a_definition_is_not_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LARGEST_FILE", 2000)
    write(folder / "tables/large.sql", b"x" * 2001)
    assert said(folder) == ["shop/tables/large.sql:1:1 the file is larger than 8 MB"]


def test_a_definition_in_a_folder_too_deep_is_not_lost_silently(folder: Path) -> None:
    write(folder / "tables/finance/fct.sql", b"/* kind: fact\nkey: [id] */ SELECT 1 AS id")
    assert said(folder) == ["shop/tables/finance/fct.sql:1:1 files lie directly in tables/"]


def test_a_folder_that_is_not_there_is_said(folder: Path) -> None:
    assert said(folder / "none") == ["shop/project.yml:1:1 there is no such folder"]
    assert said(folder / "data") == ["shop/project.yml:1:1 there is no project.yml"]


def test_a_dangling_link_stops_nothing(folder: Path) -> None:
    (folder / "tables/gone.sql").symlink_to(folder / "nowhere.sql")
    (folder / "resource_groups.yml").mkdir()
    assert said(folder) == ["shop/resource_groups.yml:1:1 the file cannot be read: Is a directory"]
