-- Forecasting revenue change: what a year would have brought more without its small discounts.
SELECT sum(discount_amount) AS revenue
FROM tpch.fct_line
WHERE ds <= :data_date
  AND ship_date >= DATE '1994-01-01' + :shift_days AND ship_date < DATE '1994-01-01' + :shift_days + INTERVAL 1 YEAR
  AND discount BETWEEN 0.05 AND 0.07 AND quantity < 24
