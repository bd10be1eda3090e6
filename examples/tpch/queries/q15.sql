-- Top supplier: whoever brought most revenue in a quarter.
WITH revenue AS (
    SELECT supplier_key, sum(net_amount) AS revenue
    FROM tpch.fct_line
    WHERE ds <= :data_date
      AND ship_date >= DATE '1996-01-01' + :shift_days AND ship_date < DATE '1996-01-01' + :shift_days + INTERVAL 3 MONTH
    GROUP BY supplier_key
)
SELECT s.supplier_key, s.supplier_name, s.address, s.phone, r.revenue
FROM tpch.dim_supplier s
JOIN revenue r ON r.supplier_key = s.supplier_key
WHERE s.ds = :data_date AND r.revenue = (SELECT max(revenue) FROM revenue)
ORDER BY s.supplier_key
