"""What each file of a project says, and every mistake that can be seen without understanding SQL."""

from __future__ import annotations

from datetime import date

import pytest
from project_texts import FACT, PROJECT, header, messages, problems_of, read, task_of

from fieldwise.definitions.starter import starter_project
from fieldwise.model.definition import DeclaredDependency, FieldNote, RowBounds, SourceFormat, Split, Visible
from fieldwise.model.schedule import Policy, Rerun, Retries, ScheduleType, TaskDefaults, Validity, Window
from fieldwise.model.status import Priority, TableKind, TaskKind

FULL = """\
description: One row per order.
owner: ana
priority: high
schedule: {period: day, at: "01:30"}
tags: [finance]
fields: {amount: {description: Paid amount in EUR, checks: [not_null, ">= 0"]}}
rows: {min: 1}
nodes: [[amount, refund], [region]]
split: never
visible: complete
on_rows_differ: mark
depends_on: [{table: retail.holidays, fields: [is_holiday], window: last_n, n: 3, policy: first}]
resource_group: heavy
cost: 2
retries: {times: 3, every: 2m, on_timeout: true}
timeout: 30m
rerun: on_failure
schedule_type: dry_run
valid: {from: 2026-01-01, to: 2026-12-31}
columns: {amount: "DECIMAL(12,2)"}"""
HEAVY = {"resource_groups.yml": "groups: {heavy: {slots: 2}}\n"}


def test_a_full_header_arrives_whole() -> None:
    task = task_of({**header(FULL), **HEAVY})
    assert (task.name, task.kind, task.table_kind) == ("retail.t", TaskKind.MODELING, TableKind.FACT)
    assert (task.key, task.owner, task.priority, task.tags) == (("id",), "ana", Priority.HIGH, ("finance",))
    assert task.schedule.at == (90,)
    assert task.fields == (FieldNote("amount", "Paid amount in EUR", ("not_null", ">= 0")),)
    assert task.rows == RowBounds(1, None, False)
    assert task.nodes == (("amount", "refund"), ("region",))
    assert (task.split, task.visible, task.on_rows_differ) == (Split.NEVER, Visible.COMPLETE, "mark")
    [dependency] = task.depends_on
    assert dependency == DeclaredDependency(
        "retail.holidays", ("is_holiday",), Window.LAST_N, 3, Policy.FIRST, dependency.line, dependency.column
    )
    assert (task.resource_group, task.cost, task.timeout) == ("heavy", 2, 1800)
    assert task.retries == Retries(3, 120, True)
    assert (task.rerun, task.schedule_type) == (Rerun.ON_FAILURE, ScheduleType.DRY_RUN)
    assert task.validity == Validity(date(2026, 1, 1), date(2026, 12, 31))
    assert task.columns == (("amount", "DECIMAL(12,2)"),)


def test_what_a_header_leaves_out_comes_from_the_project_and_else_is_built_in() -> None:
    defaults = "owner: bo\ndefaults: {priority: low, resource_group: heavy, retries: {times: 0}, timeout: 2h, rerun: never}\n"
    task = task_of({**header(""), **HEAVY}, PROJECT + defaults)
    assert (task.owner, task.priority, task.resource_group) == ("bo", Priority.LOW, "heavy")
    assert (task.retries, task.timeout, task.rerun) == (Retries(0, 300, False), 7200, Rerun.NEVER)
    plain, built_in = task_of(header("")), TaskDefaults()
    assert (plain.retries, plain.timeout, plain.rerun) == (built_in.retries, built_in.timeout, built_in.rerun)


def test_the_projects_own_owner_counts_as_listed_and_without_a_list_any_name_does() -> None:
    assert task_of(header("owner: bo"), PROJECT + "owner: bo\n").owner == "bo"
    assert task_of(header("owner: anybody"), "name: retail\n").owner == "anybody"


def test_a_project_keeps_what_it_says_of_itself() -> None:
    text = (
        PROJECT
        + 'display_name: 零售\nparams: {min_amount: {type: "DECIMAL(12,2)", value: 0}}\nedit_url: "https://x/{path}"\n'
    )
    project, problems = read({}, text)
    assert not problems
    assert project is not None
    assert (project.name, project.display_name, project.timezone) == ("retail", "零售", "Asia/Shanghai")
    assert (project.folder, project.file) == ("/there/retail", "retail/project.yml")
    assert [(one.name, one.type, one.value) for one in project.parameters] == [
        ("min_amount", "DECIMAL(12,2)", 0)
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("¦ownr: ana", "unknown_key"),
        ("fields: {amount: {¦desc: x}}", "unknown_key"),
        ("owner: ¦zoe", "unknown_owner"),
        ("priority: ¦hihg", "unknown_priority"),
        ("resource_group: ¦heavi", "unknown_group"),
        ("fields: {¦DS: {}}", "reserved_field"),
        ("fields: {amount: {}, ¦Amount: {}}", "duplicate_field"),
        ("fields: {amount: {checks: [not_null, ¦'  ']}}", "syntax"),
        ("rows: {min: 5, max: ¦2}", "syntax"),
        ("rows: {min: ¦-1}", "syntax"),
        ("valid: {from: 2026-02-01, to: ¦2026-01-31}", "syntax"),
        ("valid: {from: ¦2026-02-30}", "syntax"),
        ("valid: {from: ¦20260201}", "syntax"),
        ("retries: {times: ¦11}", "syntax"),
        ("retries: {every: ¦30s}", "syntax"),
        ("retries: {every: ¦5}", "syntax"),
        ("timeout: ¦169h", "syntax"),
        ("cost: ¦0", "syntax"),
        ("split: ¦maybe", "syntax"),
        ("rerun: ¦sometimes", "syntax"),
        ("tags:¦", "syntax"),
        ("depends_on: [{table: a.b, window: ¦last_n}]", "syntax"),
        ("depends_on: [{table: a.b, n: ¦3}]", "syntax"),
        ("depends_on: [¦a.b]", "syntax"),
        ("depends_on: [¦{window: current}]", "syntax"),
        (f"description: ¦{'x' * 1025}", "syntax"),
        (f"tags: [¦{'x' * 129}]", "syntax"),
    ],
)
def test_each_mistake_of_a_header_is_said_once_and_at_its_place(line: str, code: str) -> None:
    found = problems_of(header(line.replace("¦", "")))
    assert found == [f"retail/tables/t.sql:4:{line.index('¦') + 1} {code}"]


def test_a_table_with_mistakes_is_still_there_for_those_who_read_it() -> None:
    project, problems = read(
        header("depends_on: [7, {table: a.b}]\nrows: 3\nnodes: [[a], x, {}]\npriority: no")
    )
    assert project is not None
    [task] = project.tasks
    assert [one.table for one in task.depends_on] == ["a.b"]
    assert task.nodes == (("a",), ("x",))
    assert [(one.line, one.column) for one in problems] == [(4, 14), (5, 7), (6, 17), (7, 11)]


def test_the_other_items_of_a_list_keep_their_places_when_one_is_wrong() -> None:
    assert problems_of(header("depends_on: [7, {table: a.b, n: 2}, {table: c.d, window: wek}]")) == [
        "retail/tables/t.sql:4:14 syntax",
        "retail/tables/t.sql:4:33 syntax",
        "retail/tables/t.sql:4:58 syntax",
    ]


def test_an_item_that_only_shows_as_wrong_later_is_cut_out_by_its_own_number() -> None:
    project, problems = read(header("depends_on: [7, {table: a.b, window: last_n, m: 3}, {table: c.d}]"))
    assert [(one.column, one.code) for one in problems] == [(14, "syntax"), (46, "unknown_key")]
    assert project is not None
    assert [[one.table for one in task.depends_on] for task in project.tasks] == [["c.d"]]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("kind: fact\nkey: []\n", "3:6 syntax"),
        ("kind: fact\nkey:\n", "3:5 syntax"),
        ("kind: fact\n", "1:3 syntax"),
        ("kind: facts\nkey: [id]\n", "2:7 syntax"),
        ("kind: fact\nkey: [id, ID]\n", "3:11 duplicate_field"),
        ("kind: fact\nkey: [ds]\n", "3:7 reserved_field"),
    ],
)
def test_a_table_needs_a_kind_and_a_key(kind: str, expected: str) -> None:
    assert problems_of(header("", kind)) == [f"retail/tables/t.sql:{expected}"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("mode: ¦both", "syntax"),
        ("engine: ¦postgres", "unsupported"),
        ("dialect: ¦snowflake", "unsupported"),
        ("engine: ¦oracle", "syntax"),
        ("defaults: {resource_group: ¦heavy}", "unknown_group"),
        ("params: {¦Data_Date: {type: DATE, value: 2026-01-01}}", "reserved_field"),
        ("params: {¦a b: {type: INTEGER, value: 1}}", "syntax"),
        ("params: {a: ¦1}", "syntax"),
        ("params: {a: {type: INTEGER, value: ¦[1]}}", "syntax"),
        ("params: {a: {type: DATE, value: ¦soon}}", "syntax"),
        ("params: {a: {type: 'DECIMAL(9,2)', value: ¦much}}", "syntax"),
    ],
)
def test_each_mistake_of_a_project_is_said_once_and_at_its_place(line: str, code: str) -> None:
    found = problems_of(header(""), PROJECT + line.replace("¦", ""))
    assert found == [f"retail/project.yml:4:{line.index('¦') + 1} {code}"]


def test_an_unknown_zone_is_said_with_the_one_meant() -> None:
    assert problems_of({}, "name: retail\ntimezone: Asia/Shangai\n") == ["retail/project.yml:2:11 syntax"]
    assert 'did you mean "Asia/Shanghai"?' in messages({}, "name: retail\ntimezone: Asia/Shangai\n")


def test_a_folder_without_project_yml_is_no_project() -> None:
    from fieldwise.definitions.load import load_project

    project, [problem] = load_project({"project.yaml": "name: x"}, "/x", "here")
    assert project is None
    assert (problem.file, problem.hint[:20]) == ("here/project.yml", "rename project.yaml:")


def test_sources_say_where_their_rows_are() -> None:
    text = """\
schema: raw
tables:
  orders: {location: data/orders.parquet, key: [order_id], partition: ds}
  events: {location: "data/*.ndjson"}
  refunds: {table: lake.refunds, columns: {order_id: BIGINT}, ready: "SELECT true"}
  visits: {from_task: load_visits}
  other: {from_task: growth.load}
  dump: {location: data/dump.txt, format: csv}
"""
    project, problems = read({"sources/raw.yml": text})
    assert not problems
    assert project is not None
    assert [(one.name, one.format) for one in project.sources] == [
        ("raw.orders", SourceFormat.PARQUET), ("raw.events", SourceFormat.JSON), ("raw.refunds", SourceFormat.ENGINE_TABLE),
        ("raw.visits", SourceFormat.FROM_TASK), ("raw.other", SourceFormat.FROM_TASK), ("raw.dump", SourceFormat.CSV),
    ]  # fmt: skip
    assert (project.sources[0].key, project.sources[0].partition) == (("order_id",), "ds")
    assert (project.sources[2].location, project.sources[2].ready) == ("lake.refunds", "SELECT true")
    assert [one.from_task for one in project.sources[3:5]] == ["retail.load_visits", "growth.load"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("  ¦a: {}", "syntax"),
        ("  ¦a: {location: a.csv, table: b.c}", "syntax"),
        ("  ¦a: {location: a.xlsx}", "syntax"),
        ("  ¦a-b: {location: a.csv}", "syntax"),
        ("  a:¦", "syntax"),
        ("  a: {location: a.csv, ¦keys: [x]}", "unknown_key"),
        ("  a: {location: a.csv, columns: {x: INT, ¦X: INT}}", "duplicate_field"),
    ],
)
def test_each_mistake_of_a_source_is_said_once_and_at_its_place(line: str, code: str) -> None:
    text = "schema: raw\ntables:\n" + line.replace("¦", "")
    assert problems_of({"sources/raw.yml": text}) == [
        f"retail/sources/raw.yml:3:{line.index('¦') + 1} {code}"
    ]


def test_a_source_has_neither_the_projects_name_for_its_schema_nor_a_namesake() -> None:
    one = "schema: {}\ntables: {{orders: {{location: a.csv}}}}\n"
    assert problems_of({"sources/a.yml": one.format("Retail")}) == ["retail/sources/a.yml:1:9 reserved_field"]
    assert problems_of({"sources/a.yml": one.format("raw"), "sources/b.yml": one.format("RAW")}) == [
        "retail/sources/b.yml:2:10 duplicate_output"
    ]


METRICS = """\
kind: aggregate
key: [customer_id]
owner: li
schedule: {period: day, at: "03:00"}
fields: {customer_id: {description: Who}, pay_1d: {description: Paid, checks: ">= 0"}}
atomic:  {pay: {from: retail.fct_order, value: sum(amount)}}
filters: {online: "channel = 'web'"}
metrics:
  pay_1d: {atomic: pay, period: 1d}
  online_7d: {atomic: pay, filter: online, period: 7d, project: growth, owner: lu, priority: high}
  avg_7d: {expr: online_7d / 7}
"""


def test_a_table_of_metrics_arrives_whole() -> None:
    task = task_of({"tables/agg.yml": METRICS})
    assert (task.name, task.table_kind, task.key, task.owner) == (
        "retail.agg",
        TableKind.AGGREGATE,
        ("customer_id",),
        "li",
    )
    assert task.metrics is not None
    assert task.metrics.filters == (("online", "channel = 'web'"),)
    paid, online, average = task.metrics.metrics
    assert (paid.span, paid.description, paid.checks) == ("1d", "Paid", (">= 0",))
    assert (online.filter, online.project, online.owner, online.priority) == (
        "online",
        "growth",
        "lu",
        Priority.HIGH,
    )
    assert (average.expression, average.span, average.atomic) == ("online_7d / 7", "", "")


@pytest.mark.parametrize("span", ["1d", "14d", "mtd", "qtd", "ytd", "td", "3h", "MTD"])
def test_every_span_is_taken(span: str) -> None:
    task = task_of({"tables/agg.yml": METRICS.replace("7d, project", f"{span}, project")})
    assert task.metrics is not None
    assert task.metrics.metrics[1].span == span.lower()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("  m: {atomic: ¦pya, period: 1d}", "unknown_key"),
        ("  m: {atomic: pay, filter: ¦onlin, period: 1d}", "unknown_key"),
        ("  m: {atomic: pay, period: ¦0d}", "syntax"),
        ("  m: {atomic: pay, period: ¦1w}", "syntax"),
        ("  m: {atomic: pay, period: ¦nd}", "syntax"),
        ("  m: ¦{atomic: pay}", "syntax"),
        ("  m: ¦{}", "syntax"),
        ("  m: {expr: a / 7, ¦period: 1d}", "syntax"),
        ("  m: {atomic: pay, period: 1d, owner: ¦zoe}", "unknown_owner"),
        ("  m: {atomic: pay, period: 1d, ¦prioritiy: high}", "unknown_key"),
        ("  ¦ds: {atomic: pay, period: 1d}", "reserved_field"),
    ],
)
def test_each_mistake_of_a_metric_is_said_once_and_at_its_place(line: str, code: str) -> None:
    text = METRICS + line.replace("¦", "") + "\n"
    assert problems_of({"tables/agg.yml": text}) == [f"retail/tables/agg.yml:12:{line.index('¦') + 1} {code}"]


def test_what_fields_say_of_a_metric_that_is_not_there_is_a_mistake() -> None:
    assert problems_of({"tables/agg.yml": METRICS.replace("pay_1d: {desc", "paid_1d: {desc")}) == [
        "retail/tables/agg.yml:5:43 unknown_column"
    ]


def test_a_script_is_a_task_with_outputs_and_reads() -> None:
    text = "# ---\n# kind: integration\n# outputs: [raw.orders]\n# reads: [retail.dim_customer]\n# ---\nprint(1)\n"
    python = task_of({"tasks/load.py": text})
    assert (python.name, python.kind, python.language) == ("retail.load", TaskKind.INTEGRATION, "python")
    assert (python.outputs, python.reads, python.text) == (("raw.orders",), ("retail.dim_customer",), text)
    assert task_of({"tasks/load.sh": "#!/bin/sh\n" + text}).language == "shell"


def test_a_sql_task_fills_one_output() -> None:
    task = task_of({"tasks/load.sql": "/*\nkind: computing\noutput: raw.orders\n*/\nSELECT 1 AS id"})
    assert (task.language, task.outputs) == ("sql", ("raw.orders",))


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("tasks/a.sql", "/*\nkind: computing\n*/", "2:1 syntax"),
        ("tasks/a.sql", "/*\nkind: computing\noutputs: [a.b]\n*/", "3:1 syntax"),
        ("tasks/a.sql", "/*\nkind: computing\noutput: orders\n*/", "3:9 syntax"),
        ("tasks/a.py", "# ---\n# kind: modeling\n# ---\n", "2:9 syntax"),
        ("tasks/a.py", "# ---\n# kind: computing\n# outputs: [a.b, A.B]\n# ---\n", "3:18 duplicate_output"),
        ("tasks/a.py", "# ---\n# kind: computing\n# reads: [a.b, c]\n# ---\n", "3:16 syntax"),
        ("tasks/a.py", "# ---\n# kind: computing\n# output: [a.b]\n# ---\n", "3:11 syntax"),
        ("tasks/a.py", "print(1)\n", "1:1 syntax"),
        ("tasks/a.py", "# ---\n# kind: computing\nprint(1)\n", "1:1 syntax"),
        ("tasks/a.rb", "puts 1\n", "1:1 syntax"),
        ("tables/a.sql", "SELECT 1", "1:1 syntax"),
        ("tables/a.sql", "/* kind: fact\nSELECT 1", "1:1 syntax"),
        ("tables/a.sql", "/* */ SELECT 1", "1:3 syntax"),
        ("tables/a-b.sql", f"/*\n{FACT}*/", "1:1 syntax"),
        ("tables/deep/a.sql", f"/*\n{FACT}*/", "1:1 syntax"),
        (f"tables/{'x' * 129}.sql", f"/*\n{FACT}*/", "1:1 syntax"),
        ("baselines.yml", "morning: {}\n", "1:1 unsupported"),
        ("resource_groups.yml", "groups: {heavy: {slots: 0}}\n", "1:25 syntax"),
        ("throttling.yml", "rules: {one: {max_running: 1, env: prod}}\n", "1:31 unknown_key"),
        ("throttling.yml", "rules: {one: {}}\n", "1:9 syntax"),
    ],
)
def test_each_mistake_of_the_other_files_is_said_once_and_at_its_place(
    path: str, text: str, expected: str
) -> None:
    assert problems_of({path: text}) == [f"retail/{path}:{expected}"]


def test_more_rules_than_a_deployment_takes_are_refused() -> None:
    rules = "".join(f"  rule{number}: {{max_running: 1}}\n" for number in range(51))
    assert problems_of({"throttling.yml": "rules:\n" + rules}) == ["retail/throttling.yml:2:3 syntax"]


def test_two_files_of_one_name_would_be_one_task() -> None:
    files = {**header(""), "tasks/T.py": "# ---\n# kind: computing\n# ---\n"}
    assert problems_of(files) == ["retail/tasks/T.py:1:1 duplicate_output"]


def test_files_that_say_nothing_are_left_alone() -> None:
    assert not problems_of(
        {
            "README.md": "#",
            "data/a.csv": "x",
            ".git/config": "x",
            "tables/.t.sql.swp": "x",
            "tasks/lib/help.py": "x",
        }
    )


def test_who_takes_a_group_that_is_written_wrongly_makes_no_mistake() -> None:
    files = {**header("resource_group: heavy"), "resource_groups.yml": "groups: {heavy: {slots: none}}\n"}
    assert problems_of(files) == ["retail/resource_groups.yml:1:25 syntax"]


@pytest.mark.parametrize("name", ["shop", "my shop", "2nd", "", "零售"])
def test_the_starter_project_has_no_mistakes(name: str) -> None:
    from fieldwise.definitions.load import load_project

    project, problems = load_project(starter_project(name), "/x", name)
    assert not problems
    assert project is not None
    assert {task.table_kind for task in project.tasks} == {TableKind.DIMENSION, TableKind.FACT}
