"""Model facts, built by ``tools/build_catalog.py`` from data of others (NOTICE)."""
