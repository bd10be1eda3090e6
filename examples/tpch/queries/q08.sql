-- National market share: Brazil's share of what America bought of a type of part, by year.
SELECT year(l.order_date) AS order_year,
       coalesce(sum(l.net_amount) FILTER (WHERE s.nation_name = 'BRAZIL'), 0) / sum(l.net_amount) AS market_share
FROM tpch.fct_line l
JOIN tpch.dim_part p ON p.part_key = l.part_key AND p.ds = :data_date
JOIN tpch.dim_supplier s ON s.supplier_key = l.supplier_key AND s.ds = :data_date
JOIN tpch.dim_nation n ON n.nation_name = l.customer_nation AND n.ds = :data_date
WHERE l.ds <= :data_date AND n.region_name = 'AMERICA' AND p.part_type = 'ECONOMY ANODIZED STEEL'
  AND l.order_date BETWEEN DATE '1995-01-01' + :shift_days AND DATE '1996-12-31' + :shift_days
GROUP BY order_year
ORDER BY order_year
