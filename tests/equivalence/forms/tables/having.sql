/*
kind: aggregate
key: [customer_id]
description: HAVING decides the rows, so what it reads does too.
*/
SELECT o.customer_id, sum(o.amount) AS amount, max(c.name) AS name, sum(p.price) FILTER (WHERE p.category = 'tool') AS tools
FROM raw.orders o
LEFT JOIN raw.customers c ON c.customer_id = o.customer_id
LEFT JOIN raw.products p ON p.product_id = o.product_id AND p.ds = :data_date
WHERE o.ds = :data_date AND o.customer_id IS NOT NULL
GROUP BY o.customer_id
HAVING count(*) > 1 AND sum(o.amount) > :min_amount
