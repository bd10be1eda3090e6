/*
kind: dimension
key: [part_key]
description: Every part as known on the day, and who supplies it at the lowest cost.
schedule: {period: day, at: "00:45"}
tags: [master_data]
rows: {min: 1}
fields:
  size_class: {description: "small (to 10), medium (to 30), large"}
  retail_price: {checks: [not_null, "> 0"]}
  price_change: {description: Against the day before; 0 for new parts, checks: not_null}
  cheapest_supplier_key: {description: "The supplier with the lowest cost; of several, the one with the lowest key"}
  cheapest_supply_cost: {checks: ">= 0"}
*/
-- Three nodes: the part; the comparison with yesterday; the cheapest supplier. row_number() = 1 is what proves that
-- `cheapest` has one row per part, and its order is total, so that both of its columns come from the same row.
WITH cheapest AS (
    SELECT ps_partkey, ps_suppkey, ps_supplycost
    FROM raw.partsupp
    WHERE ds = :data_date
    QUALIFY row_number() OVER (PARTITION BY ps_partkey ORDER BY ps_supplycost, ps_partkey, ps_suppkey) = 1
)
SELECT
    p.p_partkey AS part_key,
    p.p_name AS part_name,
    p.p_mfgr AS manufacturer,
    p.p_brand AS brand,
    p.p_type AS part_type,
    p.p_size AS part_size,
    CASE WHEN p.p_size <= 10 THEN 'small' WHEN p.p_size <= 30 THEN 'medium' ELSE 'large' END AS size_class,
    p.p_container AS container,
    p.p_retailprice AS retail_price,
    coalesce(p.p_retailprice - y.p_retailprice, 0) AS price_change,
    s.ps_suppkey AS cheapest_supplier_key,
    s.ps_supplycost AS cheapest_supply_cost
FROM raw.part p
LEFT JOIN raw.part y ON y.p_partkey = p.p_partkey AND y.ds = :data_date - INTERVAL 1 DAY
LEFT JOIN cheapest s ON s.ps_partkey = p.p_partkey
WHERE p.ds = :data_date
