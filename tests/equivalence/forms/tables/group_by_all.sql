/*
kind: aggregate
key: [channel, region]
description: GROUP BY ALL, with an aggregate over a joined table.
*/
SELECT coalesce(o.channel, '-') AS channel, coalesce(c.region, '-') AS region,
       count(*) AS orders, sum(o.amount) AS amount, avg(c.credit) AS credit, count(DISTINCT o.customer_id) AS customers,
       max(p.price) AS dearest
FROM raw.orders o
LEFT JOIN raw.customers c ON c.customer_id = o.customer_id
LEFT JOIN raw.products p ON p.product_id = o.product_id AND p.ds = :data_date
WHERE o.ds = :data_date
GROUP BY ALL
