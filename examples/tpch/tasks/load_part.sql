/*
kind: integration
output: raw.part
description: Every part as last delivered.
owner: chen
schedule: {period: day, at: "00:10"}
*/
SELECT * EXCLUDE (ds)
FROM landing.part
WHERE ds <= :data_date
QUALIFY row_number() OVER (PARTITION BY p_partkey ORDER BY ds DESC) = 1
