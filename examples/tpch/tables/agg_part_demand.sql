/*
kind: aggregate
key: [part_key]
description: What was ordered of a part in the last seven days, against what is in stock.
owner: bo
schedule: {period: day, at: "03:00"}
resource_group: heavy
tags: [stock]
fields:
  quantity_7d: {checks: "> 0"}
  margin_7d: {description: Of the lines' margins}
  returned_7d: {description: Net amount of what came back}
  stock_quantity: {description: Of all suppliers together, checks: ">= 0"}
  days_of_stock: {description: How long the stock lasts at the demand of the seven days}
  stock_class: {description: "short (less than 30 days), normal, plenty (more than 1,000 days)"}
*/
-- Four nodes. All of them need to know which lines were ordered in the seven days: order_date shapes the rows.
WITH lines AS (
    SELECT *
    FROM tpch.fct_line
    WHERE ds BETWEEN :data_date - INTERVAL 6 DAY AND :data_date
      AND order_date > :data_date - INTERVAL 7 DAY
),
demand AS (
    SELECT
        part_key,
        sum(quantity) AS quantity_7d,
        sum(net_amount) AS net_amount_7d,
        sum(margin) AS margin_7d,
        sum(returned_amount) AS returned_7d
    FROM lines
    GROUP BY part_key
),
stock AS (
    SELECT part_key, sum(available_quantity)::BIGINT AS stock_quantity FROM tpch.fct_supply WHERE ds = :data_date GROUP BY part_key
)
SELECT
    d.part_key,
    d.quantity_7d,
    d.net_amount_7d,
    d.margin_7d,
    d.returned_7d,
    coalesce(s.stock_quantity, 0) AS stock_quantity,
    CAST(coalesce(s.stock_quantity, 0) * 7 / d.quantity_7d AS DECIMAL(12, 1)) AS days_of_stock,
    CASE
        WHEN coalesce(s.stock_quantity, 0) * 7 < 30 * d.quantity_7d THEN 'short'
        WHEN coalesce(s.stock_quantity, 0) * 7 > 1000 * d.quantity_7d THEN 'plenty'
        ELSE 'normal'
    END AS stock_class
FROM demand d
LEFT JOIN stock s ON s.part_key = d.part_key
