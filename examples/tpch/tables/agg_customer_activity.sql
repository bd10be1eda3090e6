/*
kind: aggregate
key: [customer_key]
description: What every customer who ever ordered has ordered so far.
owner: bo
schedule: {period: day, at: "02:00"}
tags: [sales]
rows: {min: 1}
fields:
  order_count: {checks: "> 0"}
  order_amount: {checks: "> 0"}
  open_order_amount: {description: Of orders not yet fulfilled, checks: ">= 0"}
  orders_by_channel: {description: "A struct: how many came by web, app, store, telephone"}
  line_count: {description: Lines of all orders}
  order_amount_eur: {description: At the rates of the days on which the orders arrived}
*/
-- Three nodes, as fct_order has them: its lines and its exchange rate are ready later than the order itself.
WITH orders AS (
    SELECT * FROM tpch.fct_order WHERE ds <= :data_date
)
SELECT
    customer_key,
    count(*) AS order_count,
    sum(total_price) AS order_amount,
    coalesce(sum(total_price) FILTER (WHERE order_status <> 'F'), 0) AS open_order_amount,
    min(order_date) AS first_order_date,
    max(order_date) AS last_order_date,
    date_diff('day', max(order_date), :data_date) AS days_since_last_order,
    {
        'web': count(*) FILTER (WHERE channel = 'web'),
        'app': count(*) FILTER (WHERE channel = 'app'),
        'store': count(*) FILTER (WHERE channel = 'store'),
        'phone': count(*) FILTER (WHERE channel = 'phone')
    } AS orders_by_channel,
    sum(line_count)::BIGINT AS line_count,
    sum(total_price_eur) AS order_amount_eur
FROM orders
GROUP BY customer_key
