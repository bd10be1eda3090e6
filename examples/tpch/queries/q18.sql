-- Large volume customer: who placed orders of more than 300 pieces.
SELECT c.customer_name, c.customer_key, o.order_key, o.order_date, o.total_price, sum(l.quantity) AS quantity
FROM tpch.fct_order o
JOIN tpch.fct_line l ON l.order_key = o.order_key AND l.ds = o.ds
JOIN tpch.dim_customer c ON c.customer_key = o.customer_key AND c.ds = :data_date
WHERE o.ds <= :data_date
GROUP BY c.customer_name, c.customer_key, o.order_key, o.order_date, o.total_price
HAVING sum(l.quantity) > 300
ORDER BY o.total_price DESC, o.order_date
LIMIT 100
