/*
kind: fact
key: [order_id]
description: The newest earlier order of the same channel.
*/
SELECT o.order_id, o.amount, e.order_id AS earlier_order, e.amount AS earlier_amount, c.name
FROM raw.orders o
ASOF LEFT JOIN (SELECT order_id, channel, amount, placed_at FROM raw.orders WHERE ds = :data_date) e
  ON e.channel = o.channel AND e.placed_at < o.placed_at
LEFT JOIN raw.customers c ON c.customer_id = o.customer_id
WHERE o.ds = :data_date
