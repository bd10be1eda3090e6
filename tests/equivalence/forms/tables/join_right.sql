/*
kind: dimension
key: [customer_id]
description: RIGHT JOIN.
*/
SELECT c.customer_id, c.name, o.orders, o.total, s.region_name
FROM (SELECT customer_id, count(*) AS orders, sum(amount) AS total FROM raw.orders WHERE ds = :data_date GROUP BY 1) o
RIGHT JOIN raw.customers c ON c.customer_id = o.customer_id
LEFT JOIN (SELECT DISTINCT region, region || ' side' AS region_name FROM raw.customers WHERE region IS NOT NULL) s ON s.region = c.region
