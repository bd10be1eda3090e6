/*
kind: integration
output: raw.region
description: The regions, as last delivered.
owner: chen
schedule: {period: day, at: "00:05"}
*/
SELECT * EXCLUDE (ds)
FROM landing.region
WHERE ds <= :data_date
QUALIFY row_number() OVER (PARTITION BY r_regionkey ORDER BY ds DESC) = 1
