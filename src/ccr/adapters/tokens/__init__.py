"""Counting tokens: a bound for nothing, an exact count from a vocabulary that ships with the wheel."""
