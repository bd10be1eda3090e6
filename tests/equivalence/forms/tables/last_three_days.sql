/*
kind: aggregate
key: [customer_id]
description: A window of three days, and all days so far.
*/
SELECT o.customer_id, count(*) AS orders, sum(o.net_amount) AS net_amount, max(a.orders) AS orders_ever
FROM forms.fct_order o
LEFT JOIN (SELECT customer_id, count(*) AS orders FROM forms.fct_order WHERE ds <= :data_date GROUP BY customer_id) a
  ON a.customer_id = o.customer_id
WHERE o.ds BETWEEN :data_date - INTERVAL 2 DAY AND :data_date AND o.customer_id IS NOT NULL
GROUP BY o.customer_id
