"""Decides what an operation would do: closure, steps, impact, undo; pure (spec 4)."""
