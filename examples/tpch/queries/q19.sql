-- Discounted revenue: of three kinds of parts, handled in a particular way.
SELECT sum(l.net_amount) AS revenue
FROM tpch.fct_line l
JOIN tpch.dim_part p ON p.part_key = l.part_key AND p.ds = :data_date
WHERE l.ds <= :data_date AND l.ship_mode IN ('AIR', 'AIR REG') AND l.ship_instruction = 'DELIVER IN PERSON' AND p.part_size >= 1
  AND CASE p.brand
          WHEN 'Brand#12' THEN starts_with(p.container, 'SM ') AND split_part(p.container, ' ', 2) IN ('CASE', 'BOX', 'PACK', 'PKG')
                               AND l.quantity BETWEEN 1 AND 11 AND p.part_size <= 5
          WHEN 'Brand#23' THEN starts_with(p.container, 'MED ') AND split_part(p.container, ' ', 2) IN ('BAG', 'BOX', 'PACK', 'PKG')
                               AND l.quantity BETWEEN 10 AND 20 AND p.part_size <= 10
          WHEN 'Brand#34' THEN starts_with(p.container, 'LG ') AND split_part(p.container, ' ', 2) IN ('CASE', 'BOX', 'PACK', 'PKG')
                               AND l.quantity BETWEEN 20 AND 30 AND p.part_size <= 15
          ELSE false
      END
