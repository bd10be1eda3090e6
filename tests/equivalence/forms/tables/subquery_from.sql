/*
kind: aggregate
key: [channel]
description: Subqueries in FROM, three deep.
*/
SELECT outermost.channel, outermost.orders, outermost.largest, t.target, outermost.orders * 1.0 / t.target AS reached
FROM (
  SELECT channel, count(*) AS orders, max(amount) AS largest
  FROM (SELECT * FROM (SELECT channel, amount, quantity FROM raw.orders WHERE ds = :data_date) AS a WHERE quantity > 0 AND channel IS NOT NULL) AS b
  GROUP BY channel
) AS outermost
LEFT JOIN raw.targets AS t ON t.channel = outermost.channel
