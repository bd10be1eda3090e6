"""Where SQL runs: data and flags first, code only where data cannot say it."""
