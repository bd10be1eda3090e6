/*
kind: fact
key: [order_id]
description: Window functions over columns of their own joins; one named window.
*/
SELECT o.order_id, o.amount,
       row_number() OVER (PARTITION BY o.channel ORDER BY o.amount DESC, o.order_id) AS rank_in_channel,
       sum(o.amount) OVER day_so_far AS amount_so_far,
       lag(o.order_id, 1) OVER (ORDER BY o.order_id) AS order_before,
       max(c.credit) OVER (PARTITION BY c.region) AS best_credit,
       count(*) OVER (PARTITION BY o.customer_id) AS orders_of_customer,
       avg(p.price) OVER (PARTITION BY p.category ORDER BY o.order_id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS price_of_three
FROM raw.orders o
LEFT JOIN raw.customers c ON c.customer_id = o.customer_id
LEFT JOIN raw.products p ON p.product_id = o.product_id AND p.ds = :data_date
WHERE o.ds = :data_date
WINDOW day_so_far AS (ORDER BY o.placed_at, o.order_id)
