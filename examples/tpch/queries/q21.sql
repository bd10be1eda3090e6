-- Suppliers who kept orders waiting: the only one that was late, among several, in a fulfilled order.
WITH per_order AS (
    SELECT order_key, ds, count(DISTINCT supplier_key) AS suppliers,
           count(DISTINCT supplier_key) FILTER (WHERE delivery.days_late > 0) AS late_suppliers
    FROM tpch.fct_line
    WHERE ds <= :data_date
    GROUP BY order_key, ds
)
SELECT s.supplier_name, count(*) AS late_lines
FROM tpch.fct_line l
JOIN per_order p ON p.order_key = l.order_key AND p.ds = l.ds AND p.suppliers > 1 AND p.late_suppliers = 1
JOIN tpch.fct_order o ON o.order_key = l.order_key AND o.ds = l.ds AND o.order_status = 'F'
JOIN tpch.dim_supplier s ON s.supplier_key = l.supplier_key AND s.ds = :data_date AND s.nation_name = 'SAUDI ARABIA'
WHERE l.ds <= :data_date AND l.delivery.days_late > 0
GROUP BY s.supplier_name
ORDER BY late_lines DESC, s.supplier_name
LIMIT 100
