/*
kind: fact
key: [order_id]
description: SEMI and ANTI JOIN.
*/
SELECT o.order_id, o.amount, p.title
FROM raw.orders o
SEMI JOIN raw.customers c ON c.customer_id = o.customer_id
ANTI JOIN raw.refunds r ON r.order_id = o.order_id AND r.ds = :data_date
LEFT JOIN raw.products p ON p.product_id = o.product_id AND p.ds = :data_date
WHERE o.ds = :data_date
