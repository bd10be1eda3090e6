/*
kind: integration
output: raw.supplier
description: Every supplier as last delivered.
owner: chen
schedule: {period: day, at: "00:10"}
*/
SELECT * EXCLUDE (ds)
FROM landing.supplier
WHERE ds <= :data_date
QUALIFY row_number() OVER (PARTITION BY s_suppkey ORDER BY ds DESC) = 1
