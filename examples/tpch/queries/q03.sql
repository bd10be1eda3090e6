-- Shipping priority: the most valuable orders not yet shipped on a day.
SELECT o.order_key, sum(l.net_amount) AS revenue, o.order_date, o.ship_priority
FROM tpch.fct_order o
JOIN tpch.fct_line l ON l.order_key = o.order_key AND l.ds = o.ds
WHERE o.ds <= :data_date AND o.market_segment = 'BUILDING'
  AND o.order_date < DATE '1995-03-15' + :shift_days AND l.ship_date > DATE '1995-03-15' + :shift_days
GROUP BY o.order_key, o.order_date, o.ship_priority
ORDER BY revenue DESC, o.order_date
LIMIT 10
