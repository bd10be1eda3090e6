"""The values everything else speaks in: pure, frozen, without a clock or a database."""
