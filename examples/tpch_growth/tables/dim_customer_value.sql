/*
kind: dimension
key: [customer_key]
description: Everybody who ever ordered, ranked by worth.
schedule: {period: day, at: "06:30"}
tags: [growth]
rows: {min: 1}
fields:
  value_rank: {description: 1 is the customer who ordered most; no two share a rank, checks: "> 0"}
  value_class: {description: "A: the best tenth, B: the next three, C: the others"}
  is_target: {description: "Worth a letter: class A or B, quiet, not risky"}
*/
-- Three nodes. Rows, rank and class need the orders; the nation and the risk come by themselves.
-- The rank's order ends with the key, so that it is total: the same rank whoever computes it, however often.
WITH buyers AS (
    SELECT
        customer_key,
        market_segment,
        nation_name,
        order_amount,
        activity,
        risk_class,
        row_number() OVER (ORDER BY order_amount DESC, customer_key) AS value_rank,
        count(*) OVER () AS buyers
    FROM tpch.dim_customer_profile
    WHERE ds = :data_date AND order_count > 0
),
classed AS (
    SELECT
        *,
        CASE WHEN value_rank <= 0.1 * buyers THEN 'A' WHEN value_rank <= 0.4 * buyers THEN 'B' ELSE 'C' END AS value_class
    FROM buyers
)
SELECT
    customer_key,
    market_segment,
    activity,
    order_amount,
    value_rank,
    value_class,
    nation_name,
    risk_class,
    value_class <> 'C' AND activity = 'quiet' AND risk_class <> 'high' AS is_target
FROM classed
