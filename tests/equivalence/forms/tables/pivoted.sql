/*
kind: aggregate
key: [customer_id]
description: PIVOT as a table factor.
*/
SELECT p.customer_id, p.web, p.app, p.store, c.name
FROM (SELECT customer_id, channel, amount FROM raw.orders WHERE ds = :data_date AND customer_id IS NOT NULL)
     PIVOT (sum(amount) FOR channel IN ('web', 'app', 'store')) AS p
LEFT JOIN raw.customers c ON c.customer_id = p.customer_id
