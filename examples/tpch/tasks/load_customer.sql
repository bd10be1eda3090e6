/*
kind: integration
output: raw.customer
description: Every customer as last delivered.
owner: chen
schedule: {period: day, at: "00:10"}
*/
SELECT * EXCLUDE (ds)
FROM landing.customer
WHERE ds <= :data_date
QUALIFY row_number() OVER (PARTITION BY c_custkey ORDER BY ds DESC) = 1
