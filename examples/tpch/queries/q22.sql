-- Global sales opportunity: customers of some countries with money in their account who never ordered.
WITH customers AS (
    SELECT customer_key, country_code, account_balance
    FROM tpch.dim_customer
    WHERE ds = :data_date AND country_code IN ('13', '31', '23', '29', '30', '18', '17')
)
SELECT country_code, count(*) AS customers, sum(account_balance) AS account_balance
FROM customers c
WHERE account_balance > (SELECT avg(account_balance) FROM customers WHERE account_balance > 0)
  AND NOT EXISTS (FROM tpch.fct_order o WHERE o.customer_key = c.customer_key AND o.ds <= :data_date)
GROUP BY country_code
ORDER BY country_code
