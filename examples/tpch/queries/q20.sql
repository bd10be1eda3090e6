-- Potential part promotion: Canadian suppliers with too much of the forest parts in stock, against a year's shipments.
WITH shipped AS (
    SELECT part_key, supplier_key, sum(quantity) AS quantity
    FROM tpch.fct_line
    WHERE ds <= :data_date
      AND ship_date >= DATE '1994-01-01' + :shift_days AND ship_date < DATE '1994-01-01' + :shift_days + INTERVAL 1 YEAR
    GROUP BY part_key, supplier_key
)
SELECT s.supplier_name, s.address
FROM tpch.dim_supplier s
SEMI JOIN (
    SELECT f.supplier_key
    FROM tpch.fct_supply f
    JOIN tpch.dim_part p ON p.part_key = f.part_key AND p.ds = f.ds AND p.part_name LIKE 'forest%'
    JOIN shipped ON shipped.part_key = f.part_key AND shipped.supplier_key = f.supplier_key
    WHERE f.ds = :data_date AND f.available_quantity > 0.5 * shipped.quantity
) surplus ON surplus.supplier_key = s.supplier_key
WHERE s.ds = :data_date AND s.nation_name = 'CANADA'
ORDER BY s.supplier_name
