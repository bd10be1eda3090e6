/*
kind: fact
key: [part_key, supplier_key]
description: Which supplier has how much of which part, and at what cost, on the day.
schedule: {period: day, at: "02:30"}
tags: [stock]
rows: {min: 1}
fields:
  available_quantity: {checks: [not_null, ">= 0"]}
  supply_cost: {checks: [not_null, ">= 0"]}
  stock_value: {description: What the available quantity costs, checks: ">= 0"}
  markup: {description: Retail price over supply cost}
  lowest_supply_cost: {description: The lowest cost since the first day, checks: not_null}
*/
-- Three nodes. The last one reads this table's own partition of the day before: a self dependency, of one field only.
SELECT
    s.ps_partkey AS part_key,
    s.ps_suppkey AS supplier_key,
    s.ps_availqty AS available_quantity,
    s.ps_supplycost AS supply_cost,
    CAST(s.ps_availqty * s.ps_supplycost AS DECIMAL(18, 2)) AS stock_value,
    p.retail_price,
    CAST(p.retail_price / nullif(s.ps_supplycost, 0) AS DECIMAL(12, 4)) AS markup,
    least(s.ps_supplycost, coalesce(y.lowest_supply_cost, s.ps_supplycost)) AS lowest_supply_cost
FROM raw.partsupp s
LEFT JOIN tpch.dim_part p ON p.part_key = s.ps_partkey AND p.ds = :data_date
LEFT JOIN tpch.fct_supply y
    ON y.part_key = s.ps_partkey AND y.supplier_key = s.ps_suppkey AND y.ds = :data_date - INTERVAL 1 DAY
WHERE s.ds = :data_date
