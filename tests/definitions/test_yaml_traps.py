"""What YAML would make of a text that a person did not mean, and texts made to break a reader."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from project_texts import FACT, PROJECT, header, messages, problems_of, read, task_of

from fieldwise.definitions.load import load_project


def test_on_stays_a_word_and_an_unquoted_time_stays_a_time() -> None:
    schedule = task_of(header("schedule: {period: week, on: [mon], at: 01:30}")).schedule
    assert schedule.on == ("mon",)
    assert schedule.at == (90,)


@pytest.mark.parametrize("word", ["yes", "on", "True", "1", '"true"'])
def test_only_true_and_false_are_truth_values(word: str) -> None:
    assert problems_of(header(f"allow_empty: {word}")) == ["retail/tables/t.sql:4:14 syntax"]
    assert task_of(header("allow_empty: true")).rows.allow_empty


@pytest.mark.parametrize("number", ["true", "1.0", '"2"', "two"])
def test_a_whole_number_is_written_as_one(number: str) -> None:
    assert problems_of(header(f"cost: {number}")) == ["retail/tables/t.sql:4:7 syntax"]


def test_a_number_with_leading_zeros_keeps_them_and_names_may_look_like_words_of_yaml() -> None:
    assert task_of(header("tags: [0700, no, 2026-01-01, 1.50]")).tags == ("0700", "no", "2026-01-01", "1.5")


def test_a_key_written_twice_is_a_mistake_at_the_second_place() -> None:
    assert problems_of(header("owner: ana\nowner: li")) == ["retail/tables/t.sql:5:1 syntax"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: &a [*a]", "contains itself"),
        ("name: x\nparams: &a {x: *a}", "contains itself"),
        ("name: " + "[" * 60 + "]" * 60, "too deeply"),
        ("name: " + "[" * 3000 + "]" * 3000, "too deeply"),
        ("name: x\nparams: {a: {type: INT, value: " + "9" * 5000 + "}}", "not a whole number"),
        ("name: !!int x", "not a whole number"),
        ("name: !!float x", "not a number"),
        ("name: !!python/object/apply:os.getcwd []", "should be text"),
        ("name: !secret x", "is not taken"),
        ("name: !!bool yes", "is not taken"),
        ("? [a, b]\n: 1\nname: x", "a key cannot be a list"),
        ("name: x\nparams:\n  <<: {}", "merging"),
        ("name: x\n---\nname: y", "single document"),
        ("name: \x00", "U+0000"),
        ("name: 'x", "not YAML"),
        ("", "nothing here"),
        ("- name", "should be a mapping"),
    ],
)
def test_a_text_made_to_break_the_reader_is_a_located_mistake(text: str, said: str) -> None:
    assert said in messages({}, text)


def test_aliases_that_multiply_are_refused_before_they_fill_the_memory() -> None:
    lines = ["a: &a [" + ",".join("x" * 9) + "]"]
    lines += [f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    assert "aliases make this more than" in messages({}, "\n".join(lines))


def test_an_alias_that_stays_small_is_fine() -> None:
    project, problems = read({}, "name: &n retail\ndisplay_name: *n\n")
    assert not problems
    assert project is not None
    assert project.display_name == "retail"


WORDS = st.sampled_from(
    ["kind", "key", "fields", "schedule", "at", "on", "period", "every", "cron", "rows", "min", "nodes", "metrics", "atomic",
     "expr", "filters", "tables", "schema", "location", "depends_on", "window", "n", "valid", "from", "name", "params", "value",
     "type", "groups", "slots", "rules", "checks", "priority", "owner", "retries", "defaults", "<<", "[key]", "a.b", ""]
)  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 1500), st.floats(allow_nan=False, allow_infinity=False), WORDS,
    st.sampled_from(["fact", "day", "month", "02:30", "25:00", "mon", "last", "²", "* * * * *", "5m", "1d", "ds", "high", "last_n"]),
    st.text(max_size=6),
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=12,
)
PATHS = st.sampled_from(
    [
        "project.yml",
        "tables/t.sql",
        "tables/m.yml",
        "tasks/a.py",
        "sources/raw.yml",
        "resource_groups.yml",
        "throttling.yml",
    ]
)


def as_file(path: str, value: object) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False)  # JSON is YAML
    if path.endswith(".sql"):
        return f"/*{text.replace('*/', '')}*/ SELECT 1"
    return f"# ---\n# {text}\n# ---\n" if path.endswith(".py") else text


@given(st.dictionaries(PATHS, st.dictionaries(WORDS, VALUES, max_size=6) | VALUES, max_size=4))
def test_whatever_the_values_are_reading_ends_with_problems_and_never_raises(
    values: dict[str, object],
) -> None:
    files = {"project.yml": PROJECT, **{path: as_file(path, value) for path, value in values.items()}}
    project, problems = load_project(files, "/x", "retail")
    assert list(problems) == sorted(problems)
    assert project is not None or problems
    for problem in problems:
        path = problem.file.removeprefix("retail/")
        assert problem.line <= files.get(path, "").count("\n") + 1, problem
        assert "input should" not in problem.message.lower(), problem
        assert "value error" not in problem.message.lower(), problem


@given(PATHS, st.text(max_size=60))
@example("tables/t.sql", "/*")
@example("tables/t.sql", "/**/")
@example("tasks/a.py", "# ---\n# ---")
@example("tasks/a.py", "# ---\n#\n#\tkind: x\n# ---")
def test_whatever_the_text_is_reading_ends_with_problems_and_never_raises(path: str, text: str) -> None:
    load_project({"project.yml": PROJECT, path: text}, "/x", "")
    load_project({"project.yml": PROJECT, path: f"/*\n{FACT}{text}*/"}, "/x", "")
