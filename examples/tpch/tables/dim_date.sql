/*
kind: dimension
key: [calendar_date]
description: Every day since the first order, with what was ordered on it.
schedule: {period: day, at: "01:00"}
rows: {min: 1}
fields:
  is_business_day: {description: "Monday to Friday, and no holiday", checks: not_null}
  holiday: {description: "The holiday's name, if it is one"}
  order_count: {description: Orders placed on that day, checks: ">= 0"}
  order_amount: {description: Sum of their prices, checks: ">= 0"}
*/
-- The calendar comes from a file; the two sums of the day from all orders that arrived so far.
SELECT
    c.calendar_date,
    year(c.calendar_date) AS calendar_year,
    quarter(c.calendar_date) AS calendar_quarter,
    month(c.calendar_date) AS calendar_month,
    dayname(c.calendar_date) AS weekday,
    c.holiday,
    isodow(c.calendar_date) <= 5 AND c.holiday IS NULL AS is_business_day,
    coalesce(o.order_count, 0) AS order_count,
    coalesce(o.order_amount, 0) AS order_amount
FROM landing.calendar c
LEFT JOIN (
    SELECT order_date, count(*) AS order_count, sum(total_price) AS order_amount
    FROM tpch.fct_order
    WHERE ds <= :data_date
    GROUP BY order_date
) o ON o.order_date = c.calendar_date
WHERE c.calendar_date <= :data_date
