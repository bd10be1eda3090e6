/*
kind: fact
key: [order_key, line_number]
description: One row per order line. Partition `ds` holds the lines that arrived on that day.
owner: bo
priority: high
schedule: {period: day, at: "01:30"}
resource_group: heavy
tags: [sales, finance]
fields:
  quantity: {checks: [not_null, "> 0"]}
  extended_price: {description: Price of the whole quantity before discount, checks: [not_null, "> 0"]}
  discount: {description: "A share: 0.05 is five percent", checks: [not_null, "between 0 and 1"]}
  discount_amount: {description: What the discount takes off the price, checks: [not_null, ">= 0"]}
  net_amount: {description: Price after discount, checks: [not_null, "> 0"]}
  gross_amount: {description: "Price after discount, with tax", checks: [not_null, "> 0"]}
  share_of_order: {description: Of the order's price before discount}
  price_rank: {description: 1 is the most expensive line of its order}
  delivery: {description: "A struct: days on the way, days after the promised date"}
  order_date: {description: When it was ordered}
  supply_cost: {description: What one piece cost on the day the line arrived}
  margin: {description: Net amount without what the goods cost}
  return_flag: {description: "R returned, A accepted, N neither; known at six", checks: "in ('R', 'A', 'N')"}
  returned_amount: {description: Net amount of returned lines}
  risk_score: {description: The customer's on the day the line arrived, checks: "between 0 and 100"}
*/
-- Six nodes, because its joins come from five places that are ready at different hours:
--   from raw.lineitem alone (half past midnight)  part_key ... price_rank, discount_amount among them
--   from the order                                order_date, customer_key
--   from the order's customer's nation            customer_nation
--   from fct_supply (half past two)               supply_cost, margin
--   from the scoring script (half past five)      risk_score, is_risky
--   from the returns desk (six)                   return_flag, returned_amount
-- If the returns were wrong, only the last of these is computed again, and below it only what reads it.
SELECT
    l.l_orderkey AS order_key,
    l.l_linenumber AS line_number,
    l.l_partkey AS part_key,
    l.l_suppkey AS supplier_key,
    l.l_quantity AS quantity,
    l.l_extendedprice AS extended_price,
    l.l_discount AS discount,
    l.l_tax AS tax,
    CAST(l.l_extendedprice * l.l_discount AS DECIMAL(18, 4)) AS discount_amount,
    CAST(l.l_extendedprice * (1 - l.l_discount) AS DECIMAL(18, 4)) AS net_amount,
    CAST(l.l_extendedprice * (1 - l.l_discount) * (1 + l.l_tax) AS DECIMAL(18, 6)) AS gross_amount,
    l.l_linestatus AS line_status,
    l.l_shipdate AS ship_date,
    l.l_commitdate AS commit_date,
    l.l_receiptdate AS receipt_date,
    l.l_shipmode AS ship_mode,
    l.l_shipinstruct AS ship_instruction,
    {'days_on_the_way': l.l_receiptdate - l.l_shipdate, 'days_late': greatest(l.l_receiptdate - l.l_commitdate, 0)} AS delivery,
    CAST(l.l_extendedprice / sum(l.l_extendedprice) OVER (PARTITION BY l.l_orderkey) AS DECIMAL(7, 6)) AS share_of_order,
    row_number() OVER (PARTITION BY l.l_orderkey ORDER BY l.l_extendedprice DESC, l.l_linenumber) AS price_rank,
    o.order_date,
    o.customer_key,
    o.customer_nation,
    s.supply_cost,
    CAST(l.l_extendedprice * (1 - l.l_discount) - s.supply_cost * l.l_quantity AS DECIMAL(18, 4)) AS margin,
    k.risk_score,
    k.risk_score >= :high_risk AS is_risky,
    coalesce(r.l_returnflag, 'N') AS return_flag,
    CASE WHEN r.l_returnflag = 'R' THEN CAST(l.l_extendedprice * (1 - l.l_discount) AS DECIMAL(18, 4)) ELSE 0 END AS returned_amount
FROM raw.lineitem l
LEFT JOIN tpch.fct_order o ON o.order_key = l.l_orderkey AND o.ds = :data_date
LEFT JOIN tpch.fct_supply s ON s.part_key = l.l_partkey AND s.supplier_key = l.l_suppkey AND s.ds = :data_date
LEFT JOIN scoring.customer_risk k ON k.customer_key = o.customer_key AND k.ds = :data_date
LEFT JOIN raw.returns r ON r.l_orderkey = l.l_orderkey AND r.l_linenumber = l.l_linenumber AND r.ds = :data_date
WHERE l.ds = :data_date
