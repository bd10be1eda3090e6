"""Where things stand: every position is one of the file, wherever in it the YAML lies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_texts import FACT, PROJECT, header, problems_of, read, task_of

from fieldwise.definitions.header import blanked, sql_header
from fieldwise.definitions.located import read_yaml


def test_a_mistake_in_a_yaml_file_stands_where_the_editor_shows_it() -> None:
    assert problems_of({}, PROJECT + "ownr: ana\n") == ["retail/project.yml:4:1 unknown_key"]
    assert problems_of({}, PROJECT + "defaults:\n  priority: urgent\n") == [
        "retail/project.yml:5:13 unknown_priority"
    ]


@pytest.mark.parametrize(
    ("before", "line", "column"),
    [("/* ", 1, 33), ("/*\n", 2, 30), ("\n\n  /*\n  ", 4, 32), ("-- licence\n\n/* ", 3, 33)],
)
def test_a_mistake_in_a_sql_header_stands_in_the_sql_file(before: str, line: int, column: int) -> None:
    text = before + "{kind: fact, key: [id], ownr: ana} */\nSELECT 1 AS id"
    [problem] = read({"tables/t.sql": text})[1]
    assert (problem.line, problem.column) == (line, text.split("\n")[line - 1].index("ownr") + 1)
    assert (problem.line, problem.column) == (line, column - 5)


def test_a_mistake_in_a_script_header_stands_in_the_script() -> None:
    text = "#!/usr/bin/env python3\n\n# ---\n# kind: computing\n# owner: zoe\n# ---\nprint(1)\n"
    assert problems_of({"tasks/load.py": text}) == ["retail/tasks/load.py:5:10 unknown_owner"]


def test_what_follows_the_header_keeps_line_and_column() -> None:
    text = "/*\nkind: fact\nkey: [id]\n*/  SELECT id\nFROM raw.orders"
    body = task_of({"tables/t.sql": text}).text
    assert len(body) == len(text)
    assert body.index("SELECT") == text.index("SELECT")
    assert body.split("\n")[3] == "    SELECT id"
    assert not body[: text.index("SELECT")].strip()


def test_header_keys_remember_their_places_and_unwritten_ones_that_of_their_parent() -> None:
    line = "fields: {amount: {checks: [not_null]}}"
    task = task_of(header(f"owner: ana\n{line}"))
    assert task.position("owner") == (4, 1)
    assert task.position("key.0") == (3, 7)
    assert task.position("fields.amount.checks.0") == (5, line.index("not_null") + 1)
    assert task.position("fields.amount.description") == (5, 10)
    assert task.position("rows.min") == (1, 1)


def test_dependencies_sources_and_metrics_carry_their_places() -> None:
    files = {
        "tables/m.yml": "key: [c]\natomic:\n  p: {from: retail.t, value: sum(a)}\nmetrics:\n  p_1d: {atomic: p, period: 1d}\n",
        "sources/raw.yml": "schema: raw\ntables:\n  orders: {location: data/orders.csv}\n",
        **header("depends_on: [{table: retail.holidays}]"),
    }
    project, problems = read(files)
    assert not problems
    assert project is not None
    metrics, table = project.tasks
    assert metrics.metrics is not None
    assert (metrics.metrics.atomic[0].line, metrics.metrics.atomic[0].column) == (3, 3)
    assert (metrics.metrics.metrics[0].line, metrics.metrics.metrics[0].column) == (5, 3)
    assert (table.depends_on[0].line, table.depends_on[0].column) == (4, 15)
    assert (project.sources[0].line, project.sources[0].column) == (3, 3)


def test_characters_that_only_yaml_takes_for_line_breaks_move_nothing() -> None:
    text = f'/*\n{FACT}description: "a\u2028b"\nownr: ana\n*/ SELECT 1 AS id'
    assert problems_of({"tables/t.sql": text}) == ["retail/tables/t.sql:5:1 unknown_key"]


def test_problems_of_all_files_come_at_once_sorted_by_place() -> None:
    found = problems_of(
        {
            **header("owner: zoe\npriority: hihg\nrerun: sometimes"),
            "sources/raw.yml": "schema: raw\ntables: {a: {}}\n",
            "tasks/load.sh": "echo\n",
        },
        PROJECT + "mode: both\n",
    )
    assert found == [
        "retail/project.yml:4:7 syntax",
        "retail/sources/raw.yml:2:10 syntax",
        "retail/tables/t.sql:4:8 unknown_owner",
        "retail/tables/t.sql:5:11 unknown_priority",
        "retail/tables/t.sql:6:8 syntax",
        "retail/tasks/load.sh:1:1 syntax",
    ]


@given(st.text(alphabet="a*/ \n-'é字", max_size=40))
def test_blanking_moves_no_character(text: str) -> None:
    whole = f"/*{text}*/SELECT"
    body = sql_header(whole).body
    assert len(body) == len(whole)
    assert [i for i, c in enumerate(body) if c == "\n"] == [i for i, c in enumerate(whole) if c == "\n"]
    assert blanked(text).strip() == ""


@given(
    st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True, min_size=1),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_a_key_is_found_by_its_place(keys: list[str], line: int, column: int) -> None:
    document, problems = read_yaml("{" + ",\n ".join(f"{key}: 1" for key in keys) + "}", "f", line, column)
    assert not problems
    assert document is not None
    for number, key in enumerate(keys):
        shift = column if number == 0 else 1
        assert document.place(key) == (line + number, shift + 1)


def test_an_owner_who_is_not_listed_is_answered_with_each_name_once() -> None:
    [problem] = read(header("owner: zoe"), PROJECT + "owner: ana\n")[1]
    assert problem.hint.count("ana") == 1
