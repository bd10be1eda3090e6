/*
kind: aggregate
key: [channel]
description: What was ordered in the hour that has just ended. `ds` is the instant at which that hour began.
owner: bo
priority: highest
schedule: {period: hour, every: 1}
tags: [live]
allow_empty: true
fields:
  order_count: {checks: "> 0"}
  urgent_count: {description: "Orders of priority 1-URGENT", checks: ">= 0"}
  hourly_target: {description: What the channel should bring in an hour}
  target_met: {description: Whether it did}
*/
-- Two nodes: the orders of the hour, and their comparison with the targets.
WITH events AS (
    SELECT
        channel,
        count(*) AS order_count,
        count(*) FILTER (WHERE priority = '1-URGENT') AS urgent_count,
        sum(amount) AS order_amount
    FROM landing.order_events
    WHERE placed_at >= :slot_start AND placed_at < :slot_end
    GROUP BY channel
)
SELECT
    e.channel,
    e.order_count,
    e.urgent_count,
    e.order_amount,
    t.hourly_target,
    e.order_amount >= t.hourly_target AS target_met
FROM events e
LEFT JOIN landing.channels t ON t.channel = e.channel
