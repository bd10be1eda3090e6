/*
kind: dimension
key: [size]
description: VALUES as a table, and a table function.
*/
SELECT v.size, v.words, g.squares, (SELECT count(*) FROM raw.orders o WHERE o.ds = :data_date AND o.quantity = v.size) AS orders
FROM (VALUES (1, 'one'), (2, 'two'), (3, NULL)) AS v(size, words)
LEFT JOIN (SELECT n, n * n AS squares FROM range(5) AS r(n)) g ON g.n = v.size
