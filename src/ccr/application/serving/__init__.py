"""What callers ask for: a generation, a count, a list of models."""
