/*
kind: dimension
key: [region_key]
description: The five regions of the world.
schedule: {period: day, at: "00:30"}
rows: {min: 1}
fields:
  region_name: {description: Name of the region, checks: not_null}
  nation_count: {description: Number of its nations, checks: ">= 0"}
  nation_names: {description: "Its nations in alphabetical order, a list"}
*/
-- region_name waits for raw.region only. The join finds at most one row, so whoever does not ask for nations does
-- without it; nation_count and nation_names wait for raw.nation too.
SELECT
    r.r_regionkey AS region_key,
    r.r_name AS region_name,
    coalesce(n.nation_count, 0) AS nation_count,
    n.nation_names
FROM raw.region r
LEFT JOIN (
    SELECT n_regionkey, count(*) AS nation_count, list(n_name ORDER BY n_name, n_nationkey) AS nation_names
    FROM raw.nation
    WHERE ds = :data_date
    GROUP BY n_regionkey
) n ON n.n_regionkey = r.r_regionkey
WHERE r.ds = :data_date
