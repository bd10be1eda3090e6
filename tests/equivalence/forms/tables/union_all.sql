/*
kind: fact
key: [kind, order_id, line]
description: Branches with sources of their own.
*/
SELECT 'sale' AS kind, o.order_id, 0 AS line, o.amount, c.name, p.title
FROM raw.orders o
LEFT JOIN raw.customers c ON c.customer_id = o.customer_id
LEFT JOIN raw.products p ON p.product_id = o.product_id AND p.ds = :data_date
WHERE o.ds = :data_date
UNION ALL
SELECT 'refund', r.order_id, r.refund_no, -r.refund, NULL, t.channel
FROM raw.refunds r
LEFT JOIN raw.orders x ON x.order_id = r.order_id AND x.ds = :data_date
LEFT JOIN raw.targets t ON t.channel = x.channel
WHERE r.ds = :data_date
