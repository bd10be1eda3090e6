/*
kind: dimension
key: [customer_id]
description: A source without a partition; CASE in both forms.
*/
SELECT customer_id, name, region,
       CASE WHEN credit IS NULL THEN 'unknown' WHEN credit >= 500 THEN 'high' ELSE 'low' END AS credit_class,
       CASE region WHEN 'north' THEN 1 WHEN 'south' THEN 2 END AS region_number,
       credit
FROM raw.customers
