# ---
# kind: computing
# outputs: [scoring.customer_risk]
# reads: [tpch.agg_customer_activity, tpch.dim_customer]
# description: How risky it is to deliver to a customer before payment, 0 (safe) to 100.
# owner: chen
# priority: high
# schedule: {period: day, at: "05:30"}
# tags: [scoring]
# timeout: 30m
# ---
"""A script in the middle of the warehouse: it reads logical tables, and logical tables read what it writes."""

import os
from pathlib import Path

import duckdb

read_from, write_to = Path(os.environ["FIELDWISE_INPUT"]), Path(os.environ["FIELDWISE_OUTPUT"])
high = int(os.environ["FIELDWISE_PARAM_HIGH_RISK"])

connection = duckdb.connect()
for name in ("agg_customer_activity", "dim_customer"):
    connection.read_parquet(str(read_from / f"tpch.{name}.parquet")).create_view(name)

connection.sql("""
    CREATE TABLE scored AS
    SELECT c.customer_key,
           CASE WHEN c.account_balance < 0 THEN 40 WHEN c.account_balance < 1000 THEN 20 ELSE 0 END AS for_balance,
           CASE WHEN a.customer_key IS NULL THEN 25 WHEN a.order_count < 5 THEN 15 ELSE 0 END AS for_experience,
           CASE WHEN a.open_order_amount > 0.5 * a.order_amount THEN 30 WHEN a.open_order_amount > 0 THEN 10 ELSE 0 END AS for_open_orders,
           CASE WHEN a.days_since_last_order > 365 THEN 15 ELSE 0 END AS for_absence
    FROM dim_customer c LEFT JOIN agg_customer_activity a USING (customer_key)
""")
connection.sql("""
    SELECT customer_key,
           for_balance + for_experience + for_open_orders + for_absence AS risk_score,
           list_filter([CASE WHEN for_balance > 0 THEN 'low balance' END,
                        CASE WHEN for_experience > 0 THEN 'few orders' END,
                        CASE WHEN for_open_orders > 0 THEN 'open orders' END,
                        CASE WHEN for_absence > 0 THEN 'long absent' END], lambda reason: reason IS NOT NULL) AS reasons
    FROM scored ORDER BY customer_key
""").write_parquet(str(write_to / "scoring.customer_risk.parquet"))

total, risky = connection.execute(
    "SELECT count(*), count(*) FILTER (WHERE for_balance + for_experience + for_open_orders + for_absence >= ?) FROM scored",
    [high],
).fetchone()
print(f"{total} customers scored, {risky} of them at {high} or more")
