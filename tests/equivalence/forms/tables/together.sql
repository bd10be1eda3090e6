/*
kind: fact
key: [order_id]
description: Appears when all of it is there; grouped by hand.
visible: complete
nodes: [[region, title], [refund]]
*/
SELECT f.order_id, f.amount, f.region, f.title, f.refund, f.net_amount
FROM forms.fct_order f
WHERE f.ds = :data_date
