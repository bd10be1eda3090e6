/*
kind: fact
key: [order_id, refund_no]
description: INNER and CROSS JOIN; the row decides on both.
*/
SELECT o.order_id, r.refund_no, o.amount, r.refund, c.name, k.word
FROM raw.orders o
INNER JOIN raw.refunds r ON r.order_id = o.order_id AND r.ds = o.ds
CROSS JOIN (SELECT 'kilo' AS word, 1 AS one) k
LEFT JOIN raw.customers c ON c.customer_id = o.customer_id
WHERE o.ds = :data_date
