/*
kind: aggregate
key: [channel]
description: FULL JOIN of two sides that miss rows of one another.
*/
SELECT coalesce(o.channel, t.channel) AS channel, o.orders, t.target, coalesce(o.orders, 0) - coalesce(t.target, 0) AS missing
FROM (SELECT channel, count(*) AS orders FROM raw.orders WHERE ds = :data_date AND channel IS NOT NULL GROUP BY channel) o
FULL JOIN raw.targets t ON t.channel = o.channel
