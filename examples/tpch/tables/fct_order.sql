/*
kind: fact
key: [order_key]
description: One row per order. Partition `ds` holds the orders that arrived on that day.
owner: bo
priority: high
schedule: {period: day, at: "01:30"}
tags: [sales]
fields:
  order_date: {checks: not_null}
  order_status: {description: "O open, F fulfilled, P partly", checks: "in ('O', 'F', 'P')"}
  total_price: {description: In the customer's currency, checks: [not_null, "> 0"]}
  is_backlog: {description: Placed before the day on which it arrived, checks: not_null}
  line_count: {checks: "> 0"}
  latest_ship_date: {description: When the last of its lines left or will leave}
  market_segment: {description: The customer's}
  total_price_eur: {description: At the exchange rate of the day on which the order arrived, checks: ">= 0"}
*/
-- Five nodes: the order; its lines; the customer; the customer's nation; the exchange rate, which comes at five.
-- The rate hangs on the customer too, because the ON of its join names c.
SELECT
    o.o_orderkey AS order_key,
    o.o_custkey AS customer_key,
    o.o_orderdate AS order_date,
    o.o_orderstatus AS order_status,
    o.o_totalprice AS total_price,
    o.o_orderpriority AS order_priority,
    o.o_shippriority AS ship_priority,
    o.o_clerk AS clerk,
    o.o_channel AS channel,
    o.o_comment AS order_comment,
    o.o_orderdate < :data_date AS is_backlog,
    l.line_count,
    l.latest_ship_date,
    c.market_segment,
    c.nation_name AS customer_nation,
    CAST(o.o_totalprice * x.eur_rate AS DECIMAL(18, 2)) AS total_price_eur
FROM raw.orders o
LEFT JOIN (
    SELECT l_orderkey, count(*) AS line_count, max(l_shipdate) AS latest_ship_date
    FROM raw.lineitem
    WHERE ds = :data_date
    GROUP BY l_orderkey
) l ON l.l_orderkey = o.o_orderkey
LEFT JOIN tpch.dim_customer c ON c.customer_key = o.o_custkey AND c.ds = :data_date
LEFT JOIN raw.exchange_rates x ON x.nation_key = c.nation_key AND x.ds = :data_date
WHERE o.ds = :data_date
