# ---
# kind: integration
# outputs: [raw.exchange_rates]
# description: What one unit of each nation's currency was worth in euro. Comes last, at five.
# owner: chen
# schedule: {period: day, at: "05:00"}
# retries: {times: 3, every: 2m}
# ---
"""Stands for a call to a bank: no network is needed, and a day's rates are the same whenever they are asked for."""

import csv
import math
import os
from datetime import date
from pathlib import Path

# In the order of TPC-H's nations: the currency and what a unit was worth on average.
CURRENCIES = [
    ("DZD", 0.0068), ("ARS", 0.0010), ("BRL", 0.17), ("CAD", 0.66), ("EGP", 0.019), ("ETB", 0.0078), ("EUR", 1.0), ("EUR", 1.0),
    ("INR", 0.011), ("IDR", 0.000058), ("IRR", 0.000022), ("IQD", 0.00071), ("JPY", 0.0061), ("JOD", 1.31), ("KES", 0.0072), ("MAD", 0.094),
    ("MZN", 0.014), ("PEN", 0.25), ("CNY", 0.13), ("RON", 0.2), ("SAR", 0.25), ("VND", 0.000037), ("RUB", 0.0098), ("GBP", 1.17), ("USD", 0.92),
]  # fmt: skip

day = date.fromisoformat(os.environ["FIELDWISE_DATA_DATE"]).toordinal()
target = Path(os.environ["FIELDWISE_OUTPUT"], "raw.exchange_rates.csv")
with target.open("w", newline="", encoding="utf-8") as file:
    rows = csv.writer(file)
    rows.writerow(["nation_key", "currency", "eur_rate"])
    for nation_key, (currency, average) in enumerate(CURRENCIES):
        swing = 0.0 if currency == "EUR" else 0.02 * math.sin(day + nation_key)
        rows.writerow([nation_key, currency, f"{average * (1 + swing):.8f}"])
print(f"{len(CURRENCIES)} rates")
