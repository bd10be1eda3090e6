/*
kind: fact
key: [order_id]
description: Stars of two tables, one with columns left out.
*/
SELECT o.* EXCLUDE (ds, tags), c.* EXCLUDE (customer_id), o.amount * 2 AS twice
FROM raw.orders AS o
LEFT JOIN raw.customers AS c ON c.customer_id = o.customer_id
WHERE o.ds = :data_date
