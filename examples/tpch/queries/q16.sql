-- Parts/supplier relationship: how many suppliers without complaints can deliver parts of certain kinds.
SELECT p.brand, p.part_type, p.part_size, count(DISTINCT f.supplier_key) AS suppliers
FROM tpch.fct_supply f
JOIN tpch.dim_part p ON p.part_key = f.part_key AND p.ds = f.ds
JOIN tpch.dim_supplier s ON s.supplier_key = f.supplier_key AND s.ds = f.ds
WHERE f.ds = :data_date AND NOT s.has_complaints
  AND p.brand <> 'Brand#45' AND p.part_type NOT LIKE 'MEDIUM POLISHED%' AND p.part_size IN (49, 14, 23, 45, 19, 3, 36, 9)
GROUP BY p.brand, p.part_type, p.part_size
ORDER BY suppliers DESC, p.brand, p.part_type, p.part_size
