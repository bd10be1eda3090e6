/*
kind: fact
key: [order_id]
description: USING with one and with several columns, and the merged column selected bare.
*/
SELECT order_id, customer_id, product_id, o.amount, name, title
FROM raw.orders o
LEFT JOIN raw.customers USING (customer_id)
LEFT JOIN raw.products p USING (product_id, ds)
WHERE ds = :data_date
