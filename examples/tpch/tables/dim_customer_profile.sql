/*
kind: dimension
key: [customer_key]
description: All that is known of a customer in one place, from master data, orders and the scoring.
owner: bo
schedule: {period: day, at: "05:45"}
tags: [sales, scoring]
rows: {min: 1}
fields:
  order_count: {description: 0 for who never ordered, checks: ">= 0"}
  order_amount: {checks: ">= 0"}
  risk_score: {description: "0 safe to 100, by the script score_customers", checks: "between 0 and 100"}
  risk_reasons: {description: "What made it, a list"}
  risk_class: {description: "low, medium or high; unknown before the scoring"}
*/
-- Five nodes: the customer, the nation, the orders, their worth in euro, the score.
SELECT
    c.customer_key,
    c.customer_name,
    c.market_segment,
    c.account_balance,
    c.nation_name,
    coalesce(a.order_count, 0) AS order_count,
    coalesce(a.order_amount, 0) AS order_amount,
    a.last_order_date,
    CASE
        WHEN a.customer_key IS NULL THEN 'never ordered'
        WHEN a.days_since_last_order <= 90 THEN 'active'
        WHEN a.days_since_last_order <= 365 THEN 'quiet'
        ELSE 'lost'
    END AS activity,
    a.order_amount_eur,
    k.risk_score,
    k.reasons AS risk_reasons,
    CASE
        WHEN k.risk_score IS NULL THEN 'unknown'
        WHEN k.risk_score >= :high_risk THEN 'high'
        WHEN k.risk_score >= 30 THEN 'medium'
        ELSE 'low'
    END AS risk_class
FROM tpch.dim_customer c
LEFT JOIN tpch.agg_customer_activity a ON a.customer_key = c.customer_key AND a.ds = :data_date
LEFT JOIN scoring.customer_risk k ON k.customer_key = c.customer_key AND k.ds = :data_date
WHERE c.ds = :data_date
