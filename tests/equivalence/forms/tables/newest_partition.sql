/*
kind: fact
key: [order_id]
description: Reads the newest partition there is.
*/
SELECT o.order_id, o.amount, p.price
FROM raw.orders o
LEFT JOIN forms.dim_product p ON p.product_id = o.product_id AND p.ds = (SELECT max(ds) FROM forms.dim_product WHERE ds <= :data_date)
WHERE o.ds = :data_date
