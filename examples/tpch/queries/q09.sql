-- Product type profit: of parts with green in their name, by the supplier's nation and year, at today's supply cost
-- (fct_line.margin has the cost of the day on which the line arrived).
SELECT s.nation_name, year(l.order_date) AS order_year, sum(l.net_amount - f.supply_cost * l.quantity) AS profit
FROM tpch.fct_line l
JOIN tpch.dim_part p ON p.part_key = l.part_key AND p.ds = :data_date
JOIN tpch.dim_supplier s ON s.supplier_key = l.supplier_key AND s.ds = :data_date
JOIN tpch.fct_supply f ON f.part_key = l.part_key AND f.supplier_key = l.supplier_key AND f.ds = :data_date
WHERE l.ds <= :data_date AND p.part_name LIKE '%green%'
GROUP BY s.nation_name, order_year
ORDER BY s.nation_name, order_year DESC
