"""What a provider can really do, asked one small question at a time (beyond.md 3.11)."""
