/*
kind: aggregate
key: [customer_id]
description: Reads its own yesterday.
*/
SELECT c.customer_id, coalesce(t.amount, 0) AS amount, coalesce(y.total, 0) + coalesce(t.amount, 0) AS total,
       coalesce(y.days, 0) + 1 AS days, c.name
FROM raw.customers c
LEFT JOIN (SELECT customer_id, sum(amount) AS amount FROM raw.orders WHERE ds = :data_date GROUP BY customer_id) t
  ON t.customer_id = c.customer_id
LEFT JOIN forms.running_total y ON y.customer_id = c.customer_id AND y.ds = :data_date - INTERVAL 1 DAY
