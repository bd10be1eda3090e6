/*
kind: fact
key: [order_id]
description: Fields of four sources that come apart.
owner: li
*/
SELECT o.order_id, o.customer_id, o.product_id, o.channel, o.amount, o.quantity, o.placed_at,
       c.region, c.credit_class,
       p.title, p.price * o.quantity AS list_price,
       coalesce(r.refund, 0) AS refund, r.refunds,
       o.amount - coalesce(r.refund, 0) AS net_amount,
       o.amount >= :min_amount AS is_large
FROM raw.orders o
LEFT JOIN forms.dim_customer c ON c.customer_id = o.customer_id AND c.ds = :data_date
LEFT JOIN forms.dim_product p ON p.product_id = o.product_id AND p.ds = :data_date
LEFT JOIN (SELECT order_id, sum(refund) AS refund, count(*) AS refunds
           FROM raw.refunds WHERE ds = :data_date GROUP BY order_id) r ON r.order_id = o.order_id
WHERE o.ds = :data_date
