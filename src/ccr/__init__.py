"""Claude Code Router: an LLM gateway for Claude Code and everything that speaks its API."""

from __future__ import annotations

__version__ = "0.1.0"
