"""Transformers by name, wherever they come from."""

from __future__ import annotations
