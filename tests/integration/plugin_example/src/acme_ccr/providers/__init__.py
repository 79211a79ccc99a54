"""Provider files; ccr reads every ``*.toml`` here."""
