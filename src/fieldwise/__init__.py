"""Runs and operates a data warehouse field by field."""

__version__ = "0.1.0"
