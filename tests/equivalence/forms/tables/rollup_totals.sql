/*
kind: aggregate
key: [channel, product]
description: ROLLUP, with the totals named.
*/
SELECT CASE WHEN grouping(o.channel) = 1 THEN 'all' ELSE coalesce(o.channel, 'none') END AS channel,
       CASE WHEN grouping(o.product_id) = 1 THEN -1 ELSE o.product_id END AS product,
       count(*) AS orders, sum(o.amount) AS amount, sum(p.price) AS prices
FROM raw.orders o
LEFT JOIN raw.products p ON p.product_id = o.product_id AND p.ds = :data_date
WHERE o.ds = :data_date
GROUP BY ROLLUP (o.channel, o.product_id)
