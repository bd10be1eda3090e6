-- Pricing summary report: lines shipped until a day, by return flag and status.
SELECT return_flag, line_status, sum(quantity) AS quantity, sum(extended_price) AS extended_price, sum(net_amount) AS net_amount,
       sum(gross_amount) AS gross_amount, avg(quantity) AS average_quantity, avg(extended_price) AS average_price,
       avg(discount) AS average_discount, count(*) AS lines
FROM tpch.fct_line
WHERE ds <= :data_date AND ship_date <= DATE '1998-12-01' + :shift_days - INTERVAL 90 DAY
GROUP BY return_flag, line_status
ORDER BY return_flag, line_status
