/*
kind: aggregate
key: [channel]
description: Every six hours; the interval of the slot.
schedule: {period: hour, every: 6}
allow_empty: true
*/
SELECT o.channel, count(*) AS orders, sum(o.amount) AS amount, max(t.target) AS target
FROM raw.orders o
LEFT JOIN raw.targets t ON t.channel = o.channel
WHERE o.placed_at >= :slot_start AND o.placed_at < :slot_end AND o.channel IS NOT NULL
GROUP BY o.channel
