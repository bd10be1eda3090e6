-- Important stock identification: parts that make up a noticeable share of what German suppliers have in stock.
WITH german AS (
    SELECT f.part_key, sum(f.stock_value) AS stock_value
    FROM tpch.fct_supply f
    JOIN tpch.dim_supplier s ON s.supplier_key = f.supplier_key AND s.ds = f.ds
    WHERE f.ds = :data_date AND s.nation_name = 'GERMANY'
    GROUP BY f.part_key
)
SELECT part_key, stock_value
FROM german
WHERE stock_value > (SELECT sum(stock_value) * 0.0001 FROM german)
ORDER BY stock_value DESC, part_key
