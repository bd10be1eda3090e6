/*
kind: integration
output: raw.orders
description: The orders that arrived.
owner: chen
priority: high
schedule: {period: day, at: "00:20"}
*/
SELECT * EXCLUDE (ds) FROM landing.orders WHERE ds = :data_date
