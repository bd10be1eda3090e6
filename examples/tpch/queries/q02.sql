-- Minimum cost supplier: who in Europe supplies the brass parts of size 15 at the lowest cost.
WITH european AS (
    SELECT f.part_key, f.supply_cost, s.*
    FROM tpch.fct_supply f
    JOIN tpch.dim_supplier s ON s.supplier_key = f.supplier_key AND s.ds = f.ds
    WHERE f.ds = :data_date AND s.region_name = 'EUROPE'
)
SELECT e.account_balance, e.supplier_name, e.nation_name, p.part_key, p.manufacturer, e.address, e.phone, e.supplier_comment
FROM tpch.dim_part p
JOIN european e ON e.part_key = p.part_key
WHERE p.ds = :data_date AND p.part_size = 15 AND p.part_type LIKE '%BRASS'
  AND e.supply_cost = (SELECT min(supply_cost) FROM european WHERE european.part_key = p.part_key)
ORDER BY e.account_balance DESC, e.nation_name, e.supplier_name, p.part_key
LIMIT 100
