"""The HTTP face: an outermost guard, model endpoints that send for themselves, and ordinary handlers for the rest."""
