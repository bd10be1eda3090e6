-- TPC-H's eight tables as of :data_date, put before each query of this folder.
-- Facts are all that arrived until then, the others the day's snapshot. TPC-H keeps the return flag in lineitem; here it
-- comes from the returns desk.
WITH region AS (FROM raw.region WHERE ds = :data_date),
nation AS (FROM raw.nation WHERE ds = :data_date),
customer AS (FROM raw.customer WHERE ds = :data_date),
supplier AS (FROM raw.supplier WHERE ds = :data_date),
part AS (FROM raw.part WHERE ds = :data_date),
partsupp AS (FROM raw.partsupp WHERE ds = :data_date),
orders AS (FROM raw.orders WHERE ds <= :data_date),
lineitem AS (
    SELECT l.*, coalesce(r.l_returnflag, 'N') AS l_returnflag
    FROM raw.lineitem l LEFT JOIN raw.returns r USING (l_orderkey, l_linenumber, ds)
    WHERE l.ds <= :data_date
)
