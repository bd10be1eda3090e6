/*
kind: fact
key: [order_id, refund_no]
description: A LEFT JOIN whose partner is not unique, so that it decides the rows.
*/
SELECT o.order_id, coalesce(r.refund_no, 0) AS refund_no, o.amount, r.refund, t.target
FROM raw.orders o
LEFT JOIN raw.refunds r ON r.order_id = o.order_id AND r.ds = :data_date
LEFT JOIN raw.targets t ON t.channel = o.channel
WHERE o.ds = :data_date
