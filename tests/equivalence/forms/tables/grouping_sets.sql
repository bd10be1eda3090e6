/*
kind: aggregate
key: [level, channel, region]
description: GROUPING SETS and the empty set.
*/
SELECT grouping(o.channel, c.region) AS level, coalesce(o.channel, '-') AS channel, coalesce(c.region, '-') AS region,
       count(*) AS orders, sum(o.amount) AS amount
FROM raw.orders o
LEFT JOIN raw.customers c ON c.customer_id = o.customer_id
WHERE o.ds = :data_date AND o.channel IS NOT NULL AND c.region IS NOT NULL
GROUP BY GROUPING SETS ((o.channel, c.region), (o.channel), ())
