/*
kind: fact
key: [order_id]
description: Struct, list and map columns, taken apart and made.
*/
SELECT o.order_id, o.address, o.address.city AS city, o.address['zip'] AS zip, o.tags, o.tags[1] AS first_tag, len(o.tags) AS tag_count,
       {'customer': o.customer_id, 'name': c.name} AS who, [o.amount, p.price] AS numbers,
       list_transform(o.tags, lambda tag: upper(tag)) AS loud_tags,
       MAP {'channel': o.channel} AS described, array_to_string(list_sort(o.tags), '/') AS sorted_tags
FROM raw.orders o
LEFT JOIN raw.customers c ON c.customer_id = o.customer_id
LEFT JOIN raw.products p ON p.product_id = o.product_id AND p.ds = :data_date
WHERE o.ds = :data_date
