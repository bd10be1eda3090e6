/*
kind: fact
key: [order_id, tag]
description: UNNEST as a table multiplies the rows.
*/
SELECT o.order_id, u.tag, o.amount, c.name
FROM raw.orders o
CROSS JOIN UNNEST(o.tags) AS u(tag)
LEFT JOIN raw.customers c ON c.customer_id = o.customer_id
WHERE o.ds = :data_date
