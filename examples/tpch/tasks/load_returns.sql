/*
kind: integration
output: raw.returns
description: Lines returned (R) or accepted (A). Late.
owner: chen
priority: medium
schedule: {period: day, at: "06:00"}
*/
SELECT * EXCLUDE (ds) FROM landing.returns WHERE ds = :data_date
