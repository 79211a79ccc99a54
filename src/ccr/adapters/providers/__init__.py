"""Providers as data: one TOML file each, and what reads them."""

from __future__ import annotations
