/*
kind: dimension
key: [customer_id]
description: The newest order of each customer, chosen in a total order.
*/
SELECT o.customer_id, o.order_id, o.amount, c.name, p.title
FROM raw.orders o
LEFT JOIN raw.customers c ON c.customer_id = o.customer_id
LEFT JOIN raw.products p ON p.product_id = o.product_id AND p.ds = :data_date
WHERE o.ds = :data_date AND o.customer_id IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY o.customer_id ORDER BY o.placed_at DESC, o.order_id DESC) = 1
