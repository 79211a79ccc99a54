"""The OpenAI Responses API, both ends."""

from __future__ import annotations

from ccr.adapters.dialects.openai_responses.client import ResponsesClient
from ccr.adapters.dialects.openai_responses.provider import ResponsesProvider

__all__ = ["ResponsesClient", "ResponsesProvider"]
