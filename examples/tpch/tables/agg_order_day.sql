/*
kind: aggregate
key: [channel]
description: The day in orders per channel, put together from its hours.
owner: bo
schedule: {period: day, at: "00:15"}
tags: [live]
fields:
  order_count: {checks: "> 0"}
  by_hour: {description: "The hours with orders, in order: a list of structs of hour and number of orders"}
  hours_on_target: {description: Hours in which the channel met its target, checks: ">= 0"}
*/
-- Two nodes. It waits for the hours whose beginning lies in the day: the last of them is the one that ends at midnight.
SELECT
    h.channel,
    sum(h.order_count)::BIGINT AS order_count,
    sum(h.urgent_count)::BIGINT AS urgent_count,
    sum(h.order_amount) AS order_amount,
    list({'hour': hour(h.ds), 'orders': h.order_count} ORDER BY h.ds, h.channel) AS by_hour,
    count(*) FILTER (WHERE h.target_met) AS hours_on_target
FROM tpch.agg_order_hour h
WHERE h.ds >= :day_start AND h.ds < :day_end
GROUP BY h.channel
