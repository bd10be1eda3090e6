/*
kind: aggregate
key: [market_segment, value_class]
description: The report of the growth meeting. Appears when all of it is there.
owner: mei
priority: high
schedule: {period: day, at: "07:00"}
visible: complete
tags: [growth]
fields:
  customers: {checks: "> 0"}
  share_of_amount: {description: Of everything ordered in the segment, checks: "between 0 and 1"}
  targets: {description: Customers worth a letter, checks: ">= 0"}
*/
-- Two nodes, and `visible: complete`: nobody sees the one without the other.
SELECT
    v.market_segment,
    v.value_class,
    count(*) AS customers,
    sum(v.order_amount) AS order_amount,
    CAST(sum(v.order_amount) / sum(sum(v.order_amount)) OVER (PARTITION BY v.market_segment) AS DECIMAL(5, 4)) AS share_of_amount,
    count(*) FILTER (WHERE v.activity = 'active') AS active_customers,
    count(*) FILTER (WHERE v.is_target) AS targets
FROM tpch_growth.dim_customer_value v
WHERE v.ds = :data_date
GROUP BY v.market_segment, v.value_class
