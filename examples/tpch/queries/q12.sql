-- Shipping modes and order priority: whether the cheap ways of shipping delay urgent orders.
SELECT l.ship_mode,
       count(*) FILTER (WHERE o.order_priority IN ('1-URGENT', '2-HIGH')) AS urgent_lines,
       count(*) FILTER (WHERE o.order_priority NOT IN ('1-URGENT', '2-HIGH')) AS other_lines
FROM tpch.fct_line l
JOIN tpch.fct_order o ON o.order_key = l.order_key AND o.ds = l.ds
WHERE l.ds <= :data_date AND l.ship_mode IN ('MAIL', 'SHIP') AND l.commit_date < l.receipt_date AND l.ship_date < l.commit_date
  AND l.receipt_date >= DATE '1994-01-01' + :shift_days AND l.receipt_date < DATE '1994-01-01' + :shift_days + INTERVAL 1 YEAR
GROUP BY l.ship_mode
ORDER BY l.ship_mode
