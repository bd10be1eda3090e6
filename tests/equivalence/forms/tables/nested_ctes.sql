/*
kind: fact
key: [order_id]
description: A CTE inside a CTE, one read twice, one read by nobody, one that shadows another.
*/
WITH paid AS (
  WITH today AS (SELECT * FROM raw.orders WHERE ds = :data_date)
  SELECT order_id, customer_id, amount FROM today WHERE amount IS NOT NULL
),
by_customer AS (SELECT customer_id, sum(amount) AS total, count(*) AS orders FROM paid GROUP BY customer_id),
never_read AS (SELECT * FROM raw.shops),
shares AS (
  WITH paid AS (SELECT customer_id AS who, total FROM by_customer)
  SELECT b.customer_id, b.total, b.orders, p.total AS same_total FROM by_customer b JOIN paid p ON p.who = b.customer_id
)
SELECT paid.order_id, paid.amount, s.total AS customer_total, paid.amount / nullif(s.total, 0) AS share, s.orders, b.orders AS again,
       s.same_total
FROM paid
LEFT JOIN shares s ON s.customer_id = paid.customer_id
LEFT JOIN by_customer b ON b.customer_id = paid.customer_id
