/*
kind: dimension
key: [customer_key]
description: Every customer as known on the day.
schedule: {period: day, at: "00:45"}
priority: high
tags: [master_data]
rows: {min: 1}
fields:
  customer_name: {checks: not_null}
  market_segment: {description: "AUTOMOBILE, BUILDING, FURNITURE, HOUSEHOLD or MACHINERY", checks: not_null}
  account_balance: {description: May be negative, checks: not_null}
  country_code: {description: The first two digits of the telephone number}
  is_new: {description: Was not there the day before (on the first day everybody is new)}
  balance_change: {description: Against the day before; 0 for new customers, checks: not_null}
*/
-- Four nodes: the customer; the nation; the nation's region, which dim_nation itself gets later; the comparison with
-- yesterday, a partition of the same source, on which nothing else of today needs to wait.
SELECT
    c.c_custkey AS customer_key,
    c.c_name AS customer_name,
    c.c_address AS address,
    c.c_phone AS phone,
    substr(c.c_phone, 1, 2) AS country_code,
    c.c_nationkey AS nation_key,
    c.c_mktsegment AS market_segment,
    c.c_acctbal AS account_balance,
    c.c_comment AS customer_comment,
    n.nation_name,
    n.region_name,
    y.c_custkey IS NULL AS is_new,
    coalesce(c.c_acctbal - y.c_acctbal, 0) AS balance_change
FROM raw.customer c
LEFT JOIN tpch.dim_nation n ON n.nation_key = c.c_nationkey AND n.ds = :data_date
LEFT JOIN raw.customer y ON y.c_custkey = c.c_custkey AND y.ds = :data_date - INTERVAL 1 DAY
WHERE c.ds = :data_date
