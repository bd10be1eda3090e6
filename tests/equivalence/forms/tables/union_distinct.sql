/*
kind: dimension
key: [customer_id]
description: A set operation that cannot be split.
*/
SELECT customer_id FROM raw.orders WHERE ds = :data_date AND customer_id IS NOT NULL
UNION
SELECT customer_id FROM raw.customers
EXCEPT
SELECT customer_id FROM raw.customers WHERE region = 'south'
