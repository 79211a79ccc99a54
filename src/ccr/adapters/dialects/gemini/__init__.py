"""Gemini's generateContent, at both ends."""

from __future__ import annotations

from ccr.adapters.dialects.gemini.client import GeminiClient
from ccr.adapters.dialects.gemini.provider import GeminiProvider

__all__ = ["GeminiClient", "GeminiProvider"]
