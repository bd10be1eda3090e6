"""The seams to the outside world: protocols only, no implementation."""
