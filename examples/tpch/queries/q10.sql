-- Returned item reporting: the customers who sent back most of what they ordered in a quarter.
SELECT c.customer_key, c.customer_name, r.returned_amount, c.account_balance, c.nation_name, c.address, c.phone, c.customer_comment
FROM (
    SELECT customer_key, sum(returned_amount) AS returned_amount
    FROM tpch.fct_line
    WHERE ds <= :data_date AND return_flag = 'R'
      AND order_date >= DATE '1993-10-01' + :shift_days AND order_date < DATE '1993-10-01' + :shift_days + INTERVAL 3 MONTH
    GROUP BY customer_key
) r
JOIN tpch.dim_customer c ON c.customer_key = r.customer_key AND c.ds = :data_date
ORDER BY r.returned_amount DESC
LIMIT 20
