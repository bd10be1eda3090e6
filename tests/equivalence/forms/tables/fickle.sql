/*
kind: dimension
key: [customer_id]
description: One field depends on an order that is not total, and is left out of the comparison.
*/
SELECT o.customer_id, count(*) AS orders, first(o.channel ORDER BY o.channel) AS first_channel, first(o.order_id ORDER BY o.channel) AS some_order
FROM raw.orders o
WHERE o.ds = :data_date AND o.customer_id IS NOT NULL
GROUP BY o.customer_id
