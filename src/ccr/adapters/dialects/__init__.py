"""Wire formats: one package a dialect, the same module names in each."""

from __future__ import annotations
