/*
kind: integration
output: raw.nation
description: The nations, as last delivered.
owner: chen
schedule: {period: day, at: "00:05"}
*/
SELECT * EXCLUDE (ds)
FROM landing.nation
WHERE ds <= :data_date
QUALIFY row_number() OVER (PARTITION BY n_nationkey ORDER BY ds DESC) = 1
