"""Every code of a located problem: line and column of the file, what is wrong, what to do; all of a table at once."""

from __future__ import annotations

import pytest
from sqlcases import catalogue, problems_of, task

from fieldwise.compiler import compile_task
from fieldwise.model.definition import FieldNote, ProjectDefinition, SourceFormat, SourceTable, TaskDefinition
from fieldwise.model.errors import ProblemCode
from fieldwise.model.status import TaskKind

CASES: list[tuple[str, str, list[tuple[str, int, int, str]]]] = [
    ("bracket not closed", "SELECT order_id,\n  sum(amount FROM raw.orders", [("syntax", 2, 14, "FROM")]),
    ("quote not closed", "SELECT order_id,\n 'x FROM raw.orders", [("syntax", 2, 2, "not closed")]),
    ("nothing", "  -- only a comment\n", [("not_one_select", 1, 1, "no SELECT")]),
    ("two statements", "SELECT order_id FROM raw.orders;\nSELECT 1", [("not_one_select", 2, 1, "2 statements")]),
    ("a DELETE", "\n  DELETE FROM raw.orders", [("not_one_select", 2, 3, "DELETE")]),
    ("a CREATE", "CREATE TABLE x AS SELECT 1 AS order_id", [("not_one_select", 1, 1, "CREATE")]),
    ("unknown parameter", "SELECT order_id, amount FROM raw.orders WHERE ds = :data_dat", [("syntax", 1, 52, ":data_dat")]),
    ("unknown table", "SELECT order_id, amount\nFROM raw.orderz WHERE ds = :data_date", [("unknown_table", 2, 6, "raw.orderz")]),
    ("unknown tables, all of them", "SELECT 1 AS order_id FROM a.b JOIN c.d ON 1=1\n JOIN (SELECT 1 AS x FROM e.f) z ON 1=1",
     [("unknown_table", 1, 27, "a.b"), ("unknown_table", 1, 36, "c.d"), ("unknown_table", 2, 27, "e.f")]),
    ("table without schema", "SELECT order_id, amount FROM orders", [("unknown_table", 1, 30, "orders")]),
    ("unknown column", "SELECT order_id,\n       amonut FROM raw.orders WHERE ds = :data_date", [("unknown_column", 2, 8, "amonut")]),
    ("unknown column with alias", "SELECT o.order_id,\n  o.amonut + 1 AS a FROM raw.orders o WHERE o.ds = :data_date", [("unknown_column", 2, 3, "amonut")]),
    ("unknown alias", "SELECT order_id, x.amount FROM raw.orders o WHERE ds = :data_date", [("unknown_column", 1, 18, "x")]),
    ("unknown column in where, join and subquery",
     "SELECT o.order_id, o.amount FROM raw.orders o\nJOIN raw.names n ON n.idd = o.order_id\nWHERE o.dds = :data_date AND o.amount IN (SELECT nam FROM raw.names)",
     [("unknown_column", 2, 21, "idd"), ("unknown_column", 3, 7, "dds"), ("unknown_column", 3, 50, "nam")]),
    ("ambiguous column", "SELECT o.order_id,\n amount FROM raw.orders o JOIN raw.refunds r ON r.order_id = o.order_id", [("ambiguous_column", 2, 2, "o and of r")]),
    ("alias twice", "SELECT o.order_id FROM raw.orders o\n JOIN raw.refunds o ON true", [("ambiguous_column", 2, 7, "twice")]),
    ("duplicate field", "SELECT order_id, amount AS a,\n status AS A FROM raw.orders WHERE ds = :data_date", [("duplicate_field", 2, 2, "A")]),
    ("duplicate field of a star", "SELECT o.order_id, o.amount, l.* EXCLUDE (ds) FROM raw.orders o, raw.lines l WHERE o.ds = :data_date", [("duplicate_field", 1, 8, "order_id")]),
    ("reserved field", "SELECT order_id,\n amount AS ds FROM raw.orders", [("reserved_field", 2, 2, "ds")]),
    ("reserved field of a star", "SELECT * FROM raw.lines", [("reserved_field", 1, 8, "ds")]),
    ("unnamed column", "SELECT order_id,\n amount + 1,\n 2 FROM raw.orders", [("unnamed_column", 2, 2, "no name"), ("unnamed_column", 3, 2, "no name")]),
    ("columns function", "SELECT order_id,\n COLUMNS('a.*') FROM raw.orders", [("unsupported", 2, 2, "COLUMNS")]),
    ("pivot statement", "PIVOT raw.orders ON status USING sum(amount)", [("unsupported", 1, 1, "PIVOT")]),
    ("star of a struct", "SELECT order_id,\n o.info.* FROM raw.orders o WHERE ds = :data_date", [("unsupported", 2, 2, "struct")]),
    ("pivot statement inside", "SELECT order_id\nFROM (PIVOT raw.orders ON status USING sum(amount))", [("unsupported", 2, 13, "PIVOT")]),
    ("unknown column of a table nobody reads", "WITH u AS (SELECT nope FROM raw.orders)\nSELECT order_id, amount FROM raw.orders WHERE ds = :data_date", [("unknown_column", 1, 19, "nope")]),
    ("positional column", "SELECT order_id, #2 AS a FROM raw.orders", [("unsupported", 1, 18, "#2")]),
    ("missing partition", "SELECT c.customer_id AS order_id, c.region\nFROM shop.dim_customer c", [("missing_partition", 2, 6, "shop.dim_customer")]),
    ("longer period", "SELECT k AS order_id, v FROM shop.dim_month WHERE ds = :data_date", [("longer_period", 1, 30, "month")]),
    ("volatile", "SELECT order_id,\n random() AS a,\n now() AS b, current_date AS c, uuid() AS d FROM raw.orders",
     [("volatile", 2, 2, "random"), ("volatile", 3, 2, "now"), ("volatile", 3, 14, "current_date"), ("volatile", 3, 33, "uuid")]),
    ("order in a key", "SELECT row_number() OVER (ORDER BY status) AS order_id, amount FROM raw.orders WHERE ds = :data_date", [("unsupported", 1, 36, "row_number")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "sql", "expected"), CASES, ids=[case[0].replace(" ", "_") for case in CASES]
)
def test_problems_are_located(name: str, sql: str, expected: list[tuple[str, int, int, str]]) -> None:
    found = problems_of(sql)
    assert [(one.code.value, one.line, one.column) for one in found] == [one[:3] for one in expected], found
    for problem, (_, _, _, word) in zip(found, expected, strict=True):
        assert word in problem.message
        assert problem.hint
        assert problem.file == "tables/t.sql"


def test_all_problems_of_a_table_come_at_once() -> None:
    sql = "SELECT o.order_id, o.amonut, 1 + 1, o.ds, random() AS r\nFROM raw.orders o JOIN shop.dim_customer c ON c.customer_id = o.idd"
    found = problems_of(sql, ["order_idx"], positions=(("key", 3, 6), ("key.0", 3, 7)))
    assert [(one.code.value, one.line, one.column) for one in found] == [
        ("unknown_column", 1, 20),
        ("unnamed_column", 1, 30),
        ("reserved_field", 1, 37),
        ("volatile", 1, 43),
        ("missing_partition", 2, 24),
        ("unknown_column", 2, 63),
        ("key_not_selected", 3, 7),
    ]


def test_names_of_the_header_are_checked() -> None:
    sql = "SELECT order_id, amount, status FROM raw.orders WHERE ds = :data_date"
    found = problems_of(
        sql, fields=(FieldNote("amont"),), nodes=(("amount", "statuz"), ("order_id",), ("amount",)),
        positions=(("fields.amont", 4, 10), ("nodes", 5, 1), ("nodes.0.1", 5, 17), ("nodes.1.0", 5, 28), ("nodes.2.0", 5, 40)),
    )  # fmt: skip
    assert [(one.code.value, one.line, one.column) for one in found] == [
        ("unknown_column", 4, 10), ("unknown_column", 5, 17), ("duplicate_field", 5, 28), ("duplicate_field", 5, 40),
    ]  # fmt: skip


def test_hints_say_what_was_probably_meant() -> None:
    assert '"raw.orders"' in problems_of("SELECT order_id FROM raw.orderz")[0].hint
    assert '"raw.orders"' in problems_of("SELECT order_id FROM orders")[0].hint
    assert '"amount"' in problems_of("SELECT order_id, o.amonut FROM raw.orders o")[0].hint
    assert ":data_date" in problems_of("SELECT order_id, amount FROM raw.orders WHERE ds = :data_dat")[0].hint
    assert ":scheduled_at" in problems_of("SELECT order_id, now() AS n FROM raw.orders")[0].hint
    assert "EXCLUDE" in problems_of("SELECT * FROM raw.lines", ["order_id"])[0].hint


def test_another_projects_source_cannot_be_read() -> None:
    other = ProjectDefinition(
        "other",
        ".",
        sources=(SourceTable("lake.x", "other", SourceFormat.PARQUET, columns=(("a", "INTEGER"),)),),
    )
    known = catalogue()
    known.add_project(other)
    from sqlcases import PROJECT

    _, found = compile_task(task("SELECT a AS order_id FROM lake.x", ["order_id"]), PROJECT, known)
    assert [(one.code, one.column) for one in found] == [(ProblemCode.UNKNOWN_TABLE, 27)]
    assert "project other" in found[0].message


def test_scripts_say_unknown_tables_at_the_header() -> None:
    from sqlcases import PROJECT

    definition = TaskDefinition(
        "shop.load", "shop", TaskKind.INTEGRATION, "tasks/load.py", "print()", language="python", reads=("raw.orderz",),
        positions=(("reads", 3, 3), ("reads.0", 3, 11)),
    )  # fmt: skip
    found, problems = compile_task(definition, PROJECT, catalogue())
    assert found is None
    assert [(one.code, one.line, one.column, one.file) for one in problems] == [
        (ProblemCode.UNKNOWN_TABLE, 3, 11, "tasks/load.py")
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT order_id, today AS t FROM (SELECT order_id, ds AS today FROM raw.orders WHERE ds = :data_date)",
        "SELECT order_id, 'now()' AS t FROM raw.orders WHERE ds = :data_date -- random()",
        'SELECT order_id, "current_date" AS t FROM (SELECT order_id, ds AS "current_date" FROM raw.orders WHERE ds = :data_date)',
        "SELECT order_id, {'data_date':amount} AS t FROM raw.orders WHERE ds = :data_date",
        "SELECT order_id, tags[1:2] AS t FROM raw.orders WHERE ds = :data_date",
        "SELECT order_id, amount::VARCHAR AS t FROM raw.orders WHERE ds = :data_date",
        "(SELECT order_id, amount FROM raw.orders WHERE ds = :data_date)",
        "SELECT order_id, amount FROM raw.orders WHERE ds = :data_date;",
    ],
)
def test_what_only_looks_wrong_is_taken(sql: str) -> None:
    assert problems_of(sql) == []
