/*
kind: dimension
key: [supplier_key]
description: Every supplier as known on the day, and what is in its stock.
schedule: {period: day, at: "00:45"}
tags: [master_data]
rows: {min: 1}
nodes: [[nation_name, region_name]]
fields:
  supplier_name: {checks: not_null}
  account_balance: {checks: not_null}
  has_complaints: {description: The comment speaks of customers' complaints, checks: not_null}
  part_count: {description: Parts it supplies, checks: ">= 0"}
  stock_value: {description: What its stock costs, checks: ">= 0"}
*/
-- Three nodes. region_name could come apart from nation_name, as in dim_customer; `nodes:` keeps the two together,
-- because whoever reads one reads the other.
SELECT
    s.s_suppkey AS supplier_key,
    s.s_name AS supplier_name,
    s.s_address AS address,
    s.s_phone AS phone,
    s.s_nationkey AS nation_key,
    s.s_acctbal AS account_balance,
    s.s_comment AS supplier_comment,
    s.s_comment LIKE '%Customer%Complaints%' AS has_complaints,
    n.nation_name,
    n.region_name,
    coalesce(f.part_count, 0) AS part_count,
    coalesce(f.stock_value, 0) AS stock_value
FROM raw.supplier s
LEFT JOIN tpch.dim_nation n ON n.nation_key = s.s_nationkey AND n.ds = :data_date
LEFT JOIN (
    SELECT supplier_key, count(*) AS part_count, sum(stock_value) AS stock_value
    FROM tpch.fct_supply
    WHERE ds = :data_date
    GROUP BY supplier_key
) f ON f.supplier_key = s.s_suppkey
WHERE s.ds = :data_date
