/*
kind: dimension
key: [channel]
description: DISTINCT ON in a subquery, in a total order.
*/
SELECT f.channel, f.order_id AS first_order, f.amount AS first_amount, t.target
FROM (SELECT DISTINCT ON (channel) channel, order_id, amount FROM raw.orders
      WHERE ds = :data_date AND channel IS NOT NULL ORDER BY channel, placed_at, order_id) f
LEFT JOIN raw.targets t ON t.channel = f.channel
