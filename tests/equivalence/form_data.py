"""The data of `forms`: small, the same every time, with NULLs, holes, repeated rows and every type the queries need."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

ORDERS_A_DAY = 40

SCRIPT = """
CREATE TABLE days AS SELECT unnest($days::DATE[]) AS ds;
CREATE TABLE orders AS
SELECT ds, epoch(ds)::BIGINT // 86400 * 100 + n AS order_id,
       CASE WHEN n % 11 <> 0 THEN 1 + (n * 7 + day(ds)) % 13 END AS customer_id,
       1 + (n * 3 + day(ds)) % 6 AS product_id,
       ['web', 'app', 'store', 'phone', NULL][1 + (n * n + day(ds)) % 5] AS channel,
       CASE WHEN n % 17 <> 0 THEN ((n * 37 + day(ds) * 11) % 9000 / 100)::DECIMAL(12, 2) END AS amount,
       n % 5 AS quantity,
       ds + to_minutes(n * 35 % 1440) AS placed_at,
       CASE n % 4 WHEN 0 THEN ['new'] WHEN 1 THEN ['vip', 'gift'] WHEN 2 THEN []::VARCHAR[] END AS tags,
       {'city': ['Köln', '上海', 'Paris'][1 + n % 3], 'zip': (10000 + n)::VARCHAR} AS address
FROM days, range($rows) AS r(n);
CREATE TABLE refunds AS
SELECT ds, order_id, k AS refund_no, (order_id * 13 % 700 / 100 + k)::DECIMAL(12, 2) AS refund
FROM orders, range(1, 4) AS r(k) WHERE (order_id + k) % 7 = 0 OR order_id % 9 = 0;
CREATE TABLE products AS
SELECT ds, n AS product_id, 'thing ' || n AS title, ['tool', 'toy', NULL][1 + n % 3] AS category, (n * 10 + day(ds) / 7)::DOUBLE AS price
FROM days, range(1, 7) AS r(n) WHERE (n + day(ds)) % 6 <> 0;
CREATE TABLE customers AS
SELECT n AS customer_id, ['Ana', 'Li', 'O''Neil', 'Zoë', NULL][1 + n % 5] AS name, ['north', 'south', NULL][1 + n % 3] AS region,
       CASE WHEN n % 4 <> 0 THEN n * 100 / 1.5 END AS credit
FROM range(1, 12) AS r(n);
CREATE TABLE shops AS
SELECT n AS "Shop Nr", 'Hauptstraße ' || n AS "Straße", n % 2 = 0 AS "select", ['甲', '乙', NULL][n] AS "名称", n AS customer_id
FROM range(1, 4) AS r(n);
CREATE TABLE targets AS FROM (VALUES ('web', 8), ('app', 4), ('store', 10), ('fax', 1)) AS t (channel, target);
CREATE TABLE staff AS FROM (VALUES (1, NULL, 'Ada'), (2, 1, 'Ben'), (3, 1, 'Cai'), (4, 3, 'Dov'), (5, 4, 'Eli')) AS t (staff_id, boss_id, name);
"""

FILES = {
    "orders": "parquet",
    "refunds": "parquet",
    "products": "parquet",
    "customers": "csv",
    "shops": "csv",
    "targets": "json",
    "staff": "csv",
}


def write_data(project: Path, days: Sequence[date]) -> None:
    """Every delivery up to and including `days`, below `project`/data."""
    folder = project / "data"
    folder.mkdir()
    with duckdb.connect() as db:
        first, *rest = (statement for statement in SCRIPT.split(";\n") if statement.strip())
        db.execute(first, {"days": list(days)})
        for statement in rest:
            db.execute(statement, {"rows": ORDERS_A_DAY} if "$rows" in statement else None)
        for name, form in FILES.items():
            db.execute(f"COPY {name} TO '{folder / name}.{form}'")
