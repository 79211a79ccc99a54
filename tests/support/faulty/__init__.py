"""A provider that fails in every way we know, and a client that checks what comes of it."""
