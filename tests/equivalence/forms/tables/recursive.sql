/*
kind: dimension
key: [staff_id]
description: A recursive CTE.
*/
WITH RECURSIVE chain AS (
  SELECT staff_id, boss_id, 1 AS level, name AS path FROM raw.staff WHERE boss_id IS NULL
  UNION ALL
  SELECT s.staff_id, s.boss_id, c.level + 1, c.path || '/' || s.name FROM raw.staff s JOIN chain c ON c.staff_id = s.boss_id
)
SELECT chain.staff_id, chain.level, chain.path, b.name AS boss
FROM chain
LEFT JOIN raw.staff b ON b.staff_id = chain.boss_id
