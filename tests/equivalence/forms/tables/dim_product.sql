/*
kind: dimension
key: [product_id]
description: A star of one table, without its partition and with one column replaced.
*/
SELECT p.* EXCLUDE (ds) REPLACE (upper(p.title) AS title), p.price * 1.19 AS gross_price
FROM raw.products p
WHERE p.ds = :data_date
