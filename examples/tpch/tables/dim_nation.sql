/*
kind: dimension
key: [nation_key]
description: The nations, with how many customers and suppliers they have.
schedule: {period: day, at: "00:30"}
rows: {min: 1}
fields:
  nation_name: {description: Name of the nation, checks: not_null}
  region_key: {description: The region it belongs to, checks: not_null}
  region_name: {description: Name of that region}
  currency: {description: "What is paid with there (ISO 4217); known with the day's exchange rates"}
  customer_count: {description: Customers living there, checks: ">= 0"}
  supplier_count: {description: Suppliers there, checks: ">= 0"}
*/
-- Five nodes: the nation itself, and one for each of the four joins, which come from places with hours of their own.
WITH customers AS (
    SELECT c_nationkey, count(*) AS customer_count FROM raw.customer WHERE ds = :data_date GROUP BY c_nationkey
),
suppliers AS (
    SELECT s_nationkey, count(*) AS supplier_count FROM raw.supplier WHERE ds = :data_date GROUP BY s_nationkey
)
SELECT
    n.n_nationkey AS nation_key,
    n.n_name AS nation_name,
    n.n_regionkey AS region_key,
    r.region_name,
    x.currency,
    coalesce(c.customer_count, 0) AS customer_count,
    coalesce(s.supplier_count, 0) AS supplier_count
FROM raw.nation n
LEFT JOIN tpch.dim_region r ON r.region_key = n.n_regionkey AND r.ds = :data_date
LEFT JOIN raw.exchange_rates x ON x.nation_key = n.n_nationkey AND x.ds = :data_date
LEFT JOIN customers c ON c.c_nationkey = n.n_nationkey
LEFT JOIN suppliers s ON s.s_nationkey = n.n_nationkey
WHERE n.ds = :data_date
