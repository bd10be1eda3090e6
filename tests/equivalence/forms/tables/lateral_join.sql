/*
kind: fact
key: [order_id]
description: LATERAL that reads the row before it, and one field that does not need it.
*/
SELECT o.order_id, o.amount, x.refunds, x.refund, c.name
FROM raw.orders o
LEFT JOIN LATERAL (SELECT count(*) AS refunds, sum(r.refund) AS refund FROM raw.refunds r
                   WHERE r.ds = :data_date AND r.order_id = o.order_id) x ON true
LEFT JOIN raw.customers c ON c.customer_id = o.customer_id
WHERE o.ds = :data_date
