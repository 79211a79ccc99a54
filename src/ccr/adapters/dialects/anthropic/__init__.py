"""The Messages API, from both ends."""

from __future__ import annotations

from ccr.adapters.dialects.anthropic.client import AnthropicClient
from ccr.adapters.dialects.anthropic.provider import AnthropicProvider

__all__ = ["AnthropicClient", "AnthropicProvider"]
