-- Volume shipping: what France and Germany sold to each other, by year.
SELECT s.nation_name AS supplier_nation, l.customer_nation, year(l.ship_date) AS ship_year, sum(l.net_amount) AS revenue
FROM tpch.fct_line l
JOIN tpch.dim_supplier s ON s.supplier_key = l.supplier_key AND s.ds = :data_date
WHERE l.ds <= :data_date
  AND (s.nation_name, l.customer_nation) IN (('FRANCE', 'GERMANY'), ('GERMANY', 'FRANCE'))
  AND l.ship_date BETWEEN DATE '1995-01-01' + :shift_days AND DATE '1996-12-31' + :shift_days
GROUP BY ALL
ORDER BY ALL
