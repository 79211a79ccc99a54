"""What Acme adds to ccr: a transformer and a provider."""
