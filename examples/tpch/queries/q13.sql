-- Customer distribution: how many customers have how many orders, special requests aside.
SELECT order_count, count(*) AS customers
FROM (
    SELECT c.customer_key, count(o.order_key) AS order_count
    FROM tpch.dim_customer c
    LEFT JOIN tpch.fct_order o
        ON o.customer_key = c.customer_key AND o.order_comment NOT LIKE '%special%requests%' AND o.ds <= :data_date
    WHERE c.ds = :data_date
    GROUP BY c.customer_key
)
GROUP BY order_count
ORDER BY customers DESC, order_count DESC
