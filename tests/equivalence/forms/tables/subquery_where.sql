/*
kind: fact
key: [order_id]
description: IN, EXISTS, NOT EXISTS and a comparison with a scalar subquery.
*/
SELECT o.order_id, o.amount, c.name
FROM raw.orders o
LEFT JOIN raw.customers c ON c.customer_id = o.customer_id
WHERE o.ds = :data_date
  AND o.channel IN (SELECT channel FROM raw.targets WHERE target > 5)
  AND NOT EXISTS (SELECT 1 FROM raw.refunds r WHERE r.ds = :data_date AND r.order_id = o.order_id AND r.refund > o.amount)
  AND (o.amount >= (SELECT avg(amount) FROM raw.orders WHERE ds = :data_date) OR o.quantity > 2)
