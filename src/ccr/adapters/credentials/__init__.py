"""Secrets by reference: from the environment and from files."""

from __future__ import annotations

from ccr.adapters.credentials.environment import EnvironmentSecrets
from ccr.adapters.credentials.files import FileSecrets

__all__ = ["EnvironmentSecrets", "FileSecrets"]
