/*
kind: aggregate
key: [channel]
description: A day made of the slots that lie in it.
allow_empty: true
*/
SELECT h.channel, sum(h.orders) AS orders, sum(h.amount) AS amount
FROM forms.hourly h
WHERE h.ds >= :day_start AND h.ds < :day_end
GROUP BY h.channel
