-- Small-quantity-order revenue: what would be lost a year without the small orders of certain parts.
WITH lines AS (
    SELECT l.*
    FROM tpch.fct_line l
    JOIN tpch.dim_part p ON p.part_key = l.part_key AND p.ds = :data_date
    WHERE l.ds <= :data_date AND p.brand = 'Brand#23' AND p.container = 'MED BOX'
    QUALIFY l.quantity < 0.2 * avg(l.quantity) OVER (PARTITION BY l.part_key)
)
SELECT sum(extended_price) / 7.0 AS average_yearly FROM lines
