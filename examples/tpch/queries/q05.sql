-- Local supplier volume: what customers of Asian nations bought from suppliers of their own nation in a year.
SELECT s.nation_name, sum(l.net_amount) AS revenue
FROM tpch.fct_line l
JOIN tpch.dim_supplier s ON s.supplier_key = l.supplier_key AND s.nation_name = l.customer_nation AND s.ds = :data_date
WHERE l.ds <= :data_date AND s.region_name = 'ASIA'
  AND l.order_date >= DATE '1994-01-01' + :shift_days AND l.order_date < DATE '1994-01-01' + :shift_days + INTERVAL 1 YEAR
GROUP BY s.nation_name
ORDER BY revenue DESC
