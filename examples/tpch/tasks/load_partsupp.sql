/*
kind: integration
output: raw.partsupp
description: Who supplies which part, how much and at what cost, as last delivered.
owner: chen
schedule: {period: day, at: "02:30"}
*/
SELECT * EXCLUDE (ds)
FROM landing.partsupp
WHERE ds <= :data_date
QUALIFY row_number() OVER (PARTITION BY ps_partkey, ps_suppkey ORDER BY ds DESC) = 1
