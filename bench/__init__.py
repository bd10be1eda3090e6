"""Measures against the targets of the project, side by side with a baseline of the same run."""
