"""Doors to a dialect: one module a door."""

from __future__ import annotations
