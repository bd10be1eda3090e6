/*
kind: dimension
key: [product_id]
description: Today's price against yesterday's and that of two days ago.
*/
SELECT t.product_id, t.price, y.price AS price_before, t.price - y.price AS rise, z.price AS price_two_before
FROM forms.dim_product t
LEFT JOIN forms.dim_product y ON y.product_id = t.product_id AND y.ds = :data_date - INTERVAL 1 DAY
LEFT JOIN forms.dim_product z ON z.product_id = t.product_id AND z.ds = :data_date - INTERVAL 2 DAY
WHERE t.ds = :data_date
