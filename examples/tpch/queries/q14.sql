-- Promotion effect: the share of a month's revenue that promoted parts brought.
SELECT 100.00 * coalesce(sum(l.net_amount) FILTER (WHERE p.part_type LIKE 'PROMO%'), 0) / sum(l.net_amount) AS promotion_share
FROM tpch.fct_line l
JOIN tpch.dim_part p ON p.part_key = l.part_key AND p.ds = :data_date
WHERE l.ds <= :data_date
  AND l.ship_date >= DATE '1995-09-01' + :shift_days AND l.ship_date < DATE '1995-09-01' + :shift_days + INTERVAL 1 MONTH
