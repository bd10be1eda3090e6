/*
kind: dimension
key: ["Shop Nr"]
description: Identifiers that need quotes, and ones of other alphabets.
*/
SELECT s."Shop Nr", s."Straße", s."select" AS "order by", s.名称, upper(s."Straße") AS ÄÖÜ, c.name AS "the ""owner""", c.region AS "Région"
FROM raw.shops s
LEFT JOIN raw.customers c ON c.customer_id = s.customer_id
