"""The real leader and store under a virtual clock and seeded faults: what the safety of the product is tested with."""
