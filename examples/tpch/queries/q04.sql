-- Order priority checking: orders of a quarter with a line that came late.
SELECT o.order_priority, count(*) AS orders
FROM tpch.fct_order o
WHERE o.ds <= :data_date
  AND o.order_date >= DATE '1993-07-01' + :shift_days AND o.order_date < DATE '1993-07-01' + :shift_days + INTERVAL 3 MONTH
  AND EXISTS (FROM tpch.fct_line l WHERE l.order_key = o.order_key AND l.ds = o.ds AND l.delivery.days_late > 0)
GROUP BY o.order_priority
ORDER BY o.order_priority
