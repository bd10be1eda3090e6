"""What functions are to the planner: volatile, aggregating, or dependent on the order of rows; data, no code."""

from __future__ import annotations

from sqlglot import exp

VOLATILE_CALLS = frozenset(
    [
        "random",
        "rand",
        "uuid",
        "uuidv4",
        "uuidv7",
        "gen_random_uuid",
        "newid",
        "now",
        "today",
        "current_date",
        "current_time",
        "current_timestamp",
        "localtime",
        "localtimestamp",
        "get_current_time",
        "get_current_timestamp",
        "transaction_timestamp",
        "statement_timestamp",
        "clock_timestamp",
        "sysdate",
        "getdate",
        "nextval",
        "currval",
        "setseed",
        "setval",
        "txid_current",
        "current_setting",
        "getvariable",
        "current_query_id",
        "current_transaction_id",
        "current_connection_id",
        "curdate",
        "unix_timestamp",
        "monotonically_increasing_id",
        "randn",
        "shuffle",
        "sleep_ms",
        "age_now",
    ]
)
"""Names followed by `(`. Two evaluations may differ, so nodes computed apart would not be one table."""

VOLATILE_WORDS = frozenset(
    {
        "current_date",
        "current_time",
        "current_timestamp",
        "localtime",
        "localtimestamp",
        "current_datetime",
        "sysdate",
    }
)
"""Names that are volatile also without brackets."""

VOLATILE_NODES = (
    exp.Rand, exp.Randn, exp.Uuid, exp.CurrentDate, exp.CurrentTime, exp.CurrentTimestamp, exp.CurrentDatetime,
    exp.Localtime, exp.Localtimestamp,
)  # fmt: skip

NAMED_AGGREGATES = frozenset(
    [
        "any_value",
        "arbitrary",
        "arg_max_null",
        "arg_max_nulls_last",
        "arg_min_null",
        "arg_min_nulls_last",
        "bitstring_agg",
        "combine_aggr",
        "count_star",
        "decimal_average",
        "entropy",
        "favg",
        "fsum",
        "histogram",
        "histogram_exact",
        "kahan_sum",
        "kurtosis_pop",
        "lttb",
        "mad",
        "mean",
        "product",
        "reservoir_quantile",
        "sem",
        "sum_no_overflow",
        "sumkahan",
        "variant_group_object",
    ]
)
"""DuckDB's aggregates that sqlglot does not know as such."""

CHOOSING_NAMES = frozenset(
    [
        "arbitrary",
        "arg_max_null",
        "arg_max_nulls_last",
        "arg_min_null",
        "arg_min_nulls_last",
        "reservoir_quantile",
        "lttb",
    ]
)

CHOOSING_AGGREGATES = (
    exp.First, exp.Last, exp.AnyValue, exp.ArgMax, exp.ArgMin, exp.ArrayAgg, exp.GroupConcat, exp.Mode,
    exp.FirstValue, exp.LastValue, exp.NthValue,
)  # fmt: skip
"""Aggregates that take a row, or all rows in an order (rule 3.4)."""

RANKED_AGGREGATES = (exp.ArgMax, exp.ArgMin)
"""Those whose second argument is the order."""

CHOOSING_WINDOWS = (
    exp.RowNumber, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue, exp.Ntile, exp.First, exp.Last,
)  # fmt: skip

GENERATORS = (exp.Unnest, exp.Explode, exp.Posexplode)
GENERATOR_NAMES = frozenset({"unnest", "explode", "generate_subscripts", "regexp_split_to_table"})


def is_aggregate(node: exp.Expr) -> bool:
    """Whether the node aggregates rows, seen alone (a window around it is the caller's concern)."""
    if isinstance(node, exp.AggFunc):
        return True
    return isinstance(node, exp.Anonymous) and node.name.lower() in NAMED_AGGREGATES


def is_generator(node: exp.Expr) -> bool:
    """Whether the node makes rows where it stands in a projection (rule P3)."""
    if isinstance(node, GENERATORS):
        return True
    return isinstance(node, exp.Anonymous) and node.name.lower() in GENERATOR_NAMES


def is_volatile(node: exp.Expr) -> bool:
    if isinstance(node, VOLATILE_NODES):
        return True
    return isinstance(node, exp.Anonymous) and node.name.lower() in VOLATILE_CALLS
