/*
kind: fact
key: [order_id]
description: Scalar subqueries in SELECT, with and without correlation.
*/
SELECT o.order_id, o.amount,
       (SELECT sum(r.refund) FROM raw.refunds r WHERE r.ds = :data_date AND r.order_id = o.order_id) AS refund,
       (SELECT max(amount) FROM raw.orders WHERE ds = :data_date) AS largest_of_the_day,
       (SELECT c.region FROM forms.dim_customer c WHERE c.ds = :data_date AND c.customer_id = o.customer_id) AS region,
       o.customer_id IN (SELECT customer_id FROM raw.customers WHERE region = 'north') AS in_the_north,
       EXISTS (SELECT 1 FROM raw.targets t WHERE t.channel = o.channel) AS has_target
FROM raw.orders o
WHERE o.ds = :data_date
