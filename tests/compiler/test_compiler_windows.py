"""Rules W1-W6: which days a reader of a table waits for, and which predicates say nothing."""

from __future__ import annotations

import pytest
from sqlcases import compiled, problems_of, windows

from fieldwise.compiler import days
from fieldwise.model.definition import DeclaredDependency
from fieldwise.model.errors import ProblemCode
from fieldwise.model.schedule import Period, Policy, Schedule, Window

DIM = "shop.dim_customer"
HOURS = "shop.fct_hour"
MONTHS = "shop.dim_month"
CURRENT = {("current", None)}


def where(predicate: str, **header: object) -> dict[str, set[tuple[str, int | None]]]:
    return windows(
        compiled(f"SELECT customer_id, region FROM {DIM} c WHERE {predicate}", ["customer_id"], **header)
    )


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        ("ds = :data_date", CURRENT),
        (":data_date = ds", CURRENT),
        ("ds = CAST(:data_date AS DATE)", CURRENT),
        ("ds = :data_date::date", CURRENT),
        ("(c.ds) = (:data_date)", CURRENT),
        ("ds = date_trunc('day', :data_date)", CURRENT),
        ("ds = :data_date - INTERVAL 1 DAY", {("previous", None)}),
        ("ds = :data_date - INTERVAL '1' DAY", {("previous", None)}),
        ("ds = :data_date - 1", {("previous", None)}),
        ("ds = :data_date - to_days(1)", {("previous", None)}),
        ("ds = date_add(:data_date, INTERVAL (-1) DAY) OR ds = :data_date", None),
        ("ds = :data_date - INTERVAL 3 DAY", {("days_before", 3)}),
        ("ds = :data_date - INTERVAL 2 WEEK", {("days_before", 14)}),
        ("ds BETWEEN :data_date - INTERVAL 6 DAY AND :data_date", {("last_n", 7)}),
        ("ds >= :data_date - 6 AND ds <= :data_date", {("last_n", 7)}),
        ("ds > :data_date - 7 AND ds < :data_date + 1", {("last_n", 7)}),
        (":data_date >= ds AND :data_date - INTERVAL 6 DAY <= ds", {("last_n", 7)}),
        ("ds BETWEEN :data_date AND :data_date", CURRENT),
        ("ds BETWEEN :data_date - 2 AND :data_date - 1", {("previous", None), ("days_before", 2)}),
        ("ds <= :data_date", CURRENT),
        ("ds < :data_date", {("previous", None)}),
        ("ds <= :data_date - INTERVAL 2 DAY", {("days_before", 2)}),
        (f"ds = (SELECT max(ds) FROM {DIM} WHERE ds <= :data_date)", CURRENT),
        ("ds >= date_trunc('month', :data_date) AND ds <= :data_date", {("last_n", 31)}),
        ("ds BETWEEN :data_date - INTERVAL 1 MONTH AND :data_date", {("last_n", 32)}),
        ("ds IN (:data_date, :data_date - INTERVAL 1 DAY)", {("current", None), ("previous", None)}),
        ("(ds = :data_date OR ds = :data_date - 7)", {("current", None), ("days_before", 7)}),
        ("ds <= :data_date AND tier > 1 AND ds = :data_date - 1", {("previous", None)}),
    ],
)
def test_predicates_and_windows(predicate: str, expected: set[tuple[str, int | None]] | None) -> None:
    if expected is None:
        assert problems_of(f"SELECT customer_id, region FROM {DIM} c WHERE {predicate}", ["customer_id"])
    else:
        assert where(predicate) == {DIM: expected}


@pytest.mark.parametrize(
    "predicate",
    [
        "tier > 1",
        "ds >= :data_date - 6",  # open to the future: rerun later it would read other days
        "ds = :data_date OR tier = 1",
        "NOT ds = :data_date",
        "ds <> :data_date",
        "ds = DATE '2026-01-01'",
        "year(ds) = year(:data_date)",
        "ds + 1 = :data_date",
        "coalesce(ds, :data_date) = :data_date",
    ],
)
def test_what_does_not_bound_the_partition_is_said(predicate: str) -> None:
    found = problems_of(f"SELECT customer_id, region\nFROM {DIM} c WHERE {predicate}", ["customer_id"])
    assert [(one.code, one.line, one.column) for one in found] == [(ProblemCode.MISSING_PARTITION, 2, 6)]
    assert "c.ds = :data_date" in found[0].hint


ORDERS = "SELECT o.order_id, o.amount, c.region FROM raw.orders o"


def joined(join: str, condition: str = "o.ds = :data_date") -> dict[str, set[tuple[str, int | None]]] | str:
    text = f"{ORDERS} {join} WHERE {condition}"
    found = problems_of(text)
    return found[0].code.value if found else windows(compiled(text))


def test_w1_where_restricts_also_under_outer_joins() -> None:
    on = "c.customer_id = o.customer_id"
    for side in ("LEFT", "RIGHT", "FULL", "INNER"):
        assert joined(f"{side} JOIN {DIM} c ON {on}", "o.ds = :data_date AND c.ds = :data_date") == {
            DIM: CURRENT
        }


def test_w2_on_restricts_by_the_kind_of_join() -> None:
    on = "c.customer_id = o.customer_id AND c.ds = :data_date"
    assert joined(f"LEFT JOIN {DIM} c ON {on}") == {DIM: CURRENT}
    assert joined(f"JOIN {DIM} c ON {on}") == {DIM: CURRENT}
    assert joined(f"RIGHT JOIN {DIM} c ON {on}") == "missing_partition"
    assert joined(f"FULL JOIN {DIM} c ON {on}") == "missing_partition"
    anti = f"SELECT o.order_id, o.amount FROM raw.orders o ANTI JOIN {DIM} c ON {on} WHERE o.ds = :data_date"
    assert problems_of(anti)[0].code is ProblemCode.MISSING_PARTITION
    semi = f"SELECT o.order_id, o.amount FROM raw.orders o SEMI JOIN {DIM} c ON {on} WHERE o.ds = :data_date"
    assert windows(compiled(semi)) == {DIM: CURRENT}


def test_w2_the_left_side_of_a_left_join_is_not_restricted_by_its_on() -> None:
    text = f"SELECT c.customer_id, n.name FROM {DIM} c LEFT JOIN raw.names n ON n.id = c.tier AND c.ds = :data_date"
    assert problems_of(text, ["customer_id"])[0].code is ProblemCode.MISSING_PARTITION
    inner = text.replace("LEFT JOIN", "JOIN")
    assert windows(compiled(inner, ["customer_id"])) == {DIM: CURRENT}


def test_w3_a_day_equal_to_a_fixed_day_is_fixed() -> None:
    assert joined(f"LEFT JOIN {DIM} c ON c.customer_id = o.customer_id AND c.ds = o.ds") == {DIM: CURRENT}
    assert joined(
        f"LEFT JOIN {DIM} c ON c.customer_id = o.customer_id AND o.ds = c.ds", "o.ds = :data_date - 1"
    ) == {DIM: {("previous", None)}}
    chain = f"JOIN {DIM} b ON b.customer_id = o.customer_id AND b.ds = o.ds JOIN {DIM} c ON c.customer_id = b.tier AND c.ds = b.ds"
    assert joined(chain) == {DIM: CURRENT}
    assert (
        joined(f"LEFT JOIN {DIM} c ON c.customer_id = o.customer_id AND c.ds = o.ds", "o.amount > 1")
        == "missing_partition"
    )


@pytest.mark.parametrize(
    ("inner", "restricted"),
    [
        (f"SELECT customer_id, region, ds FROM {DIM}", True),
        (f"SELECT customer_id, max(region) AS region, ds FROM {DIM} GROUP BY customer_id, ds", True),
        (
            f"SELECT customer_id, region, ds FROM {DIM} UNION ALL SELECT customer_id, region, ds FROM {DIM}",
            True,
        ),
        (f"SELECT DISTINCT customer_id, region, ds FROM {DIM}", True),
        (f"SELECT customer_id, region, ds + 1 AS ds FROM {DIM}", False),
        (f"SELECT customer_id, max(region) AS region, max(ds) AS ds FROM {DIM} GROUP BY customer_id", False),
        (f"SELECT customer_id, region, ds FROM {DIM} ORDER BY customer_id, ds LIMIT 5", False),
        (
            f"SELECT customer_id, region, ds FROM {DIM} QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY ds) = 1",
            False,
        ),
        (
            f"SELECT DISTINCT ON (customer_id) customer_id, region, ds FROM {DIM} ORDER BY customer_id, ds",
            False,
        ),
        (
            f"SELECT customer_id, lag(region) OVER (PARTITION BY customer_id ORDER BY ds) AS region, ds FROM {DIM}",
            False,
        ),
    ],
)
def test_w4_a_predicate_goes_inside_only_through_plain_columns(inner: str, restricted: bool) -> None:
    text = f"SELECT x.customer_id, x.region FROM ({inner}) x WHERE x.ds = :data_date"
    with_ = f"WITH y AS ({inner}) SELECT x.customer_id, x.region FROM y x WHERE x.ds = :data_date"
    for sql in (text, with_):
        found = problems_of(sql, ["customer_id"])
        assert [one.code for one in found] == ([] if restricted else [ProblemCode.MISSING_PARTITION])
        if restricted:
            assert windows(compiled(sql, ["customer_id"])) == {DIM: CURRENT}


def test_w5_a_common_table_read_twice_has_the_windows_of_both_readers() -> None:
    text = f"""WITH c AS (SELECT customer_id, region, ds FROM {DIM})
        SELECT a.customer_id, a.region, b.region AS before FROM c a
        LEFT JOIN c b ON b.customer_id = a.customer_id AND b.ds = :data_date - INTERVAL 1 DAY WHERE a.ds = :data_date"""
    found = compiled(text, ["customer_id"])
    assert windows(found) == {DIM: {("current", None), ("previous", None)}}
    assert [{one.window for one in node.upstream} for node in found.nodes] == [
        {Window.CURRENT},
        {Window.CURRENT, Window.PREVIOUS},
    ]


def test_a_correlated_subquery_takes_the_day_of_the_outer_row() -> None:
    text = f"""SELECT o.order_id, (SELECT max(c.region) FROM {DIM} c WHERE c.customer_id = o.customer_id AND c.ds = o.ds) AS region
        FROM raw.orders o WHERE o.ds = :data_date"""
    assert windows(compiled(text)) == {DIM: CURRENT}


# Hours and minutes


def hourly(predicate: str, reader: Period = Period.HOUR, table: str = HOURS, key: str = "k") -> object:
    text = f"SELECT h.{key}, h.{'v' if key == 'k' else 'region'} AS x FROM {table} h WHERE {predicate}"
    found = problems_of(text, [key], schedule=Schedule(period=reader))
    return found[0] if found else windows(compiled(text, [key], schedule=Schedule(period=reader)))[table]


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        ("h.ds = :slot_start", {("same_slot", None)}),
        (":slot_start = h.ds", {("same_slot", None)}),
        ("h.ds >= :slot_start AND h.ds < :slot_end", {("slots_in_interval", None)}),
        ("h.ds >= :day_start AND h.ds < :day_end", {("slots_of_day", None)}),
        ("h.ds >= :slot_end - INTERVAL 24 HOUR AND h.ds < :slot_end", {("last_24_hours", None)}),
        ("h.ds >= :scheduled_at - INTERVAL 6 HOUR AND h.ds < :scheduled_at", {("last_24_hours", None)}),
        (
            "h.ds >= :day_start - INTERVAL 1 DAY AND h.ds < :day_end",
            {("slots_of_day", None), ("previous", None), ("days_before", 2)},
        ),
        ("h.ds <= :slot_start", {("same_slot", None)}),
    ],
)
def test_windows_over_slots(predicate: str, expected: object) -> None:
    assert hourly(predicate) == expected
    assert hourly(predicate, Period.DAY) == expected


def test_a_day_against_slots_is_said_with_the_words_to_write() -> None:
    for predicate in (
        "h.ds = :data_date",
        "h.ds <= :data_date",
        "h.ds BETWEEN :data_date - 6 AND :data_date",
    ):
        found = hourly(predicate, Period.DAY)
        assert found.code is ProblemCode.MISSING_PARTITION  # type: ignore[attr-defined]
        assert "h.ds >= :day_start AND h.ds < :day_end" in found.hint  # type: ignore[attr-defined]


def test_a_moment_against_days_is_said() -> None:
    found = hourly("h.ds = :slot_start", Period.HOUR, DIM, "customer_id")
    assert found.code is ProblemCode.MISSING_PARTITION  # type: ignore[attr-defined]
    assert "h.ds = :data_date" in found.hint  # type: ignore[attr-defined]


def test_an_hourly_table_reads_a_daily_one_of_its_day() -> None:
    assert hourly("h.ds = :data_date", Period.HOUR, DIM, "customer_id") == CURRENT


# Longer periods


def test_today_of_a_longer_period_would_join_nothing() -> None:
    text = f"SELECT m.k, m.v\nFROM {MONTHS} m WHERE m.ds = :data_date"
    found = problems_of(text, ["k"])
    assert [(one.code, one.line, one.column) for one in found] == [(ProblemCode.LONGER_PERIOD, 2, 6)]
    assert f"(SELECT max(ds) FROM {MONTHS} WHERE ds <= :data_date)" in found[0].hint
    assert not problems_of(text, ["k"], schedule=Schedule(period=Period.MONTH))
    latest = (
        f"SELECT m.k, m.v FROM {MONTHS} m WHERE m.ds = (SELECT max(ds) FROM {MONTHS} WHERE ds <= :data_date)"
    )
    assert windows(compiled(latest, ["k"])) == {MONTHS: CURRENT}
    assert windows(
        compiled(f"SELECT m.k, m.v FROM {MONTHS} m WHERE m.ds <= :data_date AND m.v > 0", ["k"])
    ) == {MONTHS: CURRENT}


# The table itself

SELF = """SELECT o.order_id, o.amount + coalesce(y.total, 0) AS total, o.status FROM raw.orders o
    LEFT JOIN shop.t y ON y.order_id = o.order_id AND y.ds = {day} WHERE o.ds = :data_date"""


def test_a_table_reads_its_own_earlier_days() -> None:
    found = compiled(SELF.format(day=":data_date - INTERVAL 1 DAY"))
    total = next(node for node in found.nodes if "total" in node.fields)
    assert [(one.task, one.window, one.fields, one.nodes) for one in total.upstream] == [
        ("shop.t", Window.PREVIOUS, ("total",), (total.id,))
    ]
    assert [node.fields for node in found.nodes] == [("total",), ("status",)]
    assert not found.nodes[1].upstream
    assert windows(compiled(SELF.format(day=":data_date - INTERVAL 7 DAY"))) == {
        "shop.t": {("days_before", 7)}
    }


def test_the_row_node_is_what_a_reader_of_its_own_keys_waits_for() -> None:
    found = compiled(
        """SELECT o.order_id, o.amount, y.order_id IS NULL AS is_new FROM raw.orders o
           LEFT JOIN shop.t y ON y.order_id = o.order_id AND y.ds = :data_date - 1 WHERE o.ds = :data_date"""
    )
    assert found.nodes[1].upstream[0].nodes == (found.row_node.id,)
    assert found.nodes[1].upstream[0].fields == ()


@pytest.mark.parametrize("day", [":data_date", "o.ds"])
def test_a_table_cannot_read_its_own_day(day: str) -> None:
    found = problems_of(SELF.format(day=day))
    assert [(one.code, one.line) for one in found] == [(ProblemCode.MISSING_PARTITION, 2)]
    assert "same day" in found[0].message


def test_an_hourly_table_reads_its_own_previous_slot() -> None:
    text = """SELECT h.k, h.v + coalesce(p.x, 0) AS x FROM shop.fct_hour h LEFT JOIN shop.t p ON p.k = h.k AND {before}
        WHERE h.ds = :slot_start"""
    for before in (
        "p.ds = :slot_start - INTERVAL 1 HOUR",
        "p.ds < :slot_start",
        "p.ds = (SELECT max(ds) FROM shop.t WHERE ds < :slot_start)",
    ):
        found = compiled(text.format(before=before), ["k"], schedule=Schedule(period=Period.HOUR))
        assert windows(found)["shop.t"] == {("previous", None)}, before
        assert found.partition_type == "TIMESTAMP"


# depends_on


def test_declared_dependencies_add_and_override() -> None:
    text = f"SELECT o.order_id, o.amount, c.region, c.lifetime FROM raw.orders o LEFT JOIN {DIM} c ON c.customer_id = o.customer_id AND c.ds = :data_date WHERE o.ds = :data_date"
    plain = compiled(text)
    declared = (
        DeclaredDependency(DIM, ("lifetime",), Window.LAST_N, 3, Policy.FIRST),
        DeclaredDependency("shop.fct_order", ("revenue",), Window.PREVIOUS),
    )
    found = compiled(text, depends_on=declared)
    by_fields = {node.fields: node for node in found.nodes}
    assert [node.id for node in found.nodes] == [node.id for node in plain.nodes]
    seen = [(one.task, one.fields, one.window, one.n, one.policy) for one in by_fields["lifetime",].upstream]
    assert (DIM, ("lifetime",), Window.LAST_N, 3, Policy.FIRST) in seen
    assert (DIM, ("region",), Window.CURRENT, None, Policy.ALL) in [
        (one.task, one.fields, one.window, one.n, one.policy) for one in by_fields["region",].upstream
    ]
    for node in found.nodes:
        assert any(one.task == "shop.fct_order" and one.fields == ("revenue",) for one in node.upstream)


def test_a_declared_dependency_replaces_the_missing_predicate() -> None:
    text = f"SELECT customer_id, region FROM {DIM}"
    found = compiled(text, ["customer_id"], depends_on=(DeclaredDependency(DIM, (), Window.LAST_N, 5),))
    assert windows(found) == {DIM: {("last_n", 5)}}


def test_declared_names_are_checked() -> None:
    text = "SELECT order_id, amount FROM raw.orders WHERE ds = :data_date"
    found = problems_of(
        text,
        depends_on=(
            DeclaredDependency("shop.dim_custoner", line=4, column=3),
            DeclaredDependency(DIM, ("regio",), line=5, column=3),
        ),
    )
    assert [(one.code, one.line, one.column) for one in found] == [
        (ProblemCode.UNKNOWN_TABLE, 4, 3),
        (ProblemCode.UNKNOWN_COLUMN, 5, 3),
    ]
    assert "shop.dim_customer" in found[0].hint


# Mutants: each condition switched off must be noticed by the cases above


def _all_occurrences(occurrence, block):  # type: ignore[no-untyped-def]
    return frozenset(block.by_name)


def _push_always(block, incoming, facts):  # type: ignore[no-untyped-def]
    for name, said in incoming.items():
        index = block.position.get(name)
        column = block.projections[index].find(days.exp.Column) if index is not None else None
        if column is not None:
            facts.setdefault((column.table, column.name), []).extend(said)


@pytest.mark.parametrize(
    ("name", "value", "test", "arguments"),
    [
        ("_restricted_by_on", _all_occurrences, test_w2_on_restricts_by_the_kind_of_join, ()),
        (
            "_restricted_by_on",
            _all_occurrences,
            test_w2_the_left_side_of_a_left_join_is_not_restricted_by_its_on,
            (),
        ),
        (
            "_restricted_by_on",
            lambda occurrence, block: frozenset(),
            test_w2_on_restricts_by_the_kind_of_join,
            (),
        ),
        ("_carry_over", lambda pairs, facts: None, test_w3_a_day_equal_to_a_fixed_day_is_fixed, ()),
        (
            "_push_in",
            lambda block, incoming, facts: None,
            test_w5_a_common_table_read_twice_has_the_windows_of_both_readers,
            (),
        ),
        (
            "_push_in",
            _push_always,
            test_w4_a_predicate_goes_inside_only_through_plain_columns,
            (f"SELECT customer_id, region, ds + 1 AS ds FROM {DIM}", False),
        ),
        (
            "_push_in",
            _push_always,
            test_w4_a_predicate_goes_inside_only_through_plain_columns,
            (f"SELECT customer_id, lag(region) OVER (ORDER BY ds) AS region, ds FROM {DIM}", False),
        ),
        (
            "_push_in",
            _push_always,
            test_w4_a_predicate_goes_inside_only_through_plain_columns,
            (f"SELECT customer_id, region, ds FROM {DIM} ORDER BY customer_id, ds LIMIT 5", False),
        ),
    ],
)
def test_a_broken_window_rule_is_noticed(
    name, value, test, arguments, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(days, name, value)
    with pytest.raises((AssertionError, IndexError)):
        test(*arguments)
