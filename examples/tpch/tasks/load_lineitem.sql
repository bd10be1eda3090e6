/*
kind: integration
output: raw.lineitem
description: The lines of the orders that arrived.
owner: chen
priority: high
schedule: {period: day, at: "00:30"}
*/
SELECT * EXCLUDE (ds) FROM landing.lineitem WHERE ds = :data_date
