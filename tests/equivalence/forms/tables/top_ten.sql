/*
kind: fact
key: [order_id]
description: ORDER BY with LIMIT, in a total order.
*/
SELECT order_id, amount, channel FROM raw.orders WHERE ds = :data_date ORDER BY amount DESC NULLS LAST, order_id LIMIT 10
