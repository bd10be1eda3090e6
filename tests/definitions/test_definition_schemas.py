"""The JSON Schemas that ship with the package are those of the forms, and take what the forms take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import fieldwise.definitions.schemas as forms
from fieldwise.definitions.header import script_header, sql_header
from fieldwise.definitions.located import read_yaml
from fieldwise.definitions.schemas import FORMS, json_schemas
from fieldwise.definitions.starter import starter_project

SHIPPED = Path(forms.__file__).with_suffix("")
EXAMPLES = Path(__file__).parents[2] / "examples"


def written(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def test_every_kind_of_file_has_its_schema_in_the_package_and_nothing_else_is_there() -> None:
    assert {path.stem for path in SHIPPED.glob("*.json")} == set(FORMS)


@pytest.mark.parametrize("name", FORMS)
def test_a_shipped_schema_is_up_to_date(name: str) -> None:
    again = f"write them anew: python {Path(__file__).relative_to(EXAMPLES.parent)}"
    assert (SHIPPED / f"{name}.json").read_text(encoding="utf-8") == written(json_schemas()[name]), again


@pytest.mark.parametrize("name", FORMS)
def test_a_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schemas()[name])


def kind_and_yaml(path: str, text: str) -> tuple[str, str] | None:
    """Which form a file has, and its YAML; None if it is no definition."""
    folder, _, name = path.rpartition("/")
    suffix = Path(name).suffix
    if not folder and name in ("project.yml", "resource_groups.yml", "throttling.yml"):
        return Path(name).stem, text
    if folder == "tables":
        return ("metrics", text) if suffix == ".yml" else ("table", sql_header(text).yaml)
    if folder == "tasks":
        return "task", (sql_header(text) if suffix == ".sql" else script_header(text)).yaml
    return ("sources", text) if folder == "sources" else None


def files_of(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".yml", ".sql", ".py", ".sh") and "data" not in path.parts
    }


@pytest.mark.parametrize("folder", ["tpch", "tpch_growth", ""], ids=lambda name: name or "starter")
def test_an_editor_with_the_schemas_finds_nothing_wrong_in_a_good_project(folder: str) -> None:
    for path, text in (files_of(EXAMPLES / folder) if folder else starter_project("shop")).items():
        if (found := kind_and_yaml(path, text)) is None:
            continue
        document, problems = read_yaml(found[1], path)
        assert document is not None
        assert not problems
        jsonschema.validate(document.value, json_schemas()[found[0]])


def test_an_editor_with_the_schemas_sees_an_unknown_key() -> None:
    with pytest.raises(jsonschema.ValidationError, match="ownr"):
        jsonschema.validate({"kind": "fact", "key": ["id"], "ownr": "ana"}, json_schemas()["table"])


if __name__ == "__main__":
    SHIPPED.mkdir(exist_ok=True)
    for name, schema in json_schemas().items():
        (SHIPPED / f"{name}.json").write_text(written(schema), encoding="utf-8")
