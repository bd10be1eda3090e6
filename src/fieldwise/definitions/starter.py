"""The small project that `fieldwise init` writes: one source, one dimension, one fact of two nodes."""

from __future__ import annotations

import re


def starter_project(name: str) -> dict[str, str]:
    """Path -> text. The name is made one that SQL can say."""
    project = re.sub(r"\W", "_", name) or "shop"
    project = project if not project[0].isdigit() else f"p{project}"
    return {path: text.replace("@project@", project) for path, text in FILES.items()}


FILES = {
    "project.yml": """\
name: @project@
display_name: @project@
timezone: UTC
owners: [you]
owner: you
""",
    "sources/raw.yml": """\
# What Fieldwise reads but does not compute. Columns left out are read from the file.
schema: raw
tables:
  orders: {location: data/orders.csv, key: [order_id]}
  customers: {location: data/customers.csv, key: [customer_id]}
  refunds: {location: data/refunds.csv}
""",
    "data/orders.csv": """\
order_id,customer_id,amount,ordered_on
1,10,20.50,2026-01-01
2,11,7.25,2026-01-01
3,10,99.00,2026-01-02
4,12,15.00,2026-01-03
""",
    "data/customers.csv": """\
customer_id,name,region
10,Ana,north
11,Li,south
12,Sam,north
""",
    "data/refunds.csv": """\
order_id,refund
3,9.00
3,1.00
""",
    "tables/dim_customer.sql": """\
/*
kind: dimension
key: [customer_id]
description: One row per customer.
schedule: {period: day, at: "01:00"}
*/
SELECT customer_id, name, region
FROM raw.customers
""",
    "tables/fct_order.sql": """\
/*
kind: fact
key: [order_id]
description: One row per order. The region and the refund come from elsewhere and can be computed apart.
schedule: {period: day, at: "01:30"}
fields:
  amount: {description: What the customer paid, checks: [not_null, ">= 0"]}
  refund: {description: What was paid back}
rows: {min: 1}
*/
SELECT
  o.order_id,
  o.amount,
  c.region,
  coalesce(r.refund, 0) AS refund
FROM raw.orders o
LEFT JOIN @project@.dim_customer c ON c.customer_id = o.customer_id AND c.ds = :data_date
LEFT JOIN (SELECT order_id, sum(refund) AS refund FROM raw.refunds GROUP BY order_id) r ON r.order_id = o.order_id
""",
    ".gitignore": ".fieldwise/\n",
}
