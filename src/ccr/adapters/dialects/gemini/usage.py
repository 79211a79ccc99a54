"""Token counts of Gemini, both ways (providers.md 4.3)."""

from __future__ import annotations

from collections.abc import Mapping

from ccr.adapters.dialects.gemini.wire import Raw, Wire
from ccr.adapters.wire import json
from ccr.adapters.wire.counts import count_of
from ccr.domain.usage import NO_USAGE, Usage

__all__ = ["read_usage", "write_usage"]


def read_usage(raw: Raw) -> Usage:
    """Return what a ``usageMetadata`` says; anything else says nothing.

    ``promptTokenCount`` includes what came from a cache, and not what tools of the provider's put in. Thoughts are no part
    of ``candidatesTokenCount``.
    """
    found = json.object_of(raw)
    if found is None:
        return NO_USAGE
    prompt, cached = _count(found, "promptTokenCount"), _count(found, "cachedContentTokenCount")
    tools = _count(found, "toolUsePromptTokenCount")
    said, thoughts = _count(found, "candidatesTokenCount"), _count(found, "thoughtsTokenCount")
    given = None if prompt is None and tools is None else max(0, (prompt or 0) - (cached or 0)) + (tools or 0)
    return Usage(
        input_uncached=given,
        cache_read=cached,
        output=None if said is None and thoughts is None else (said or 0) + (thoughts or 0),
        reasoning=thoughts,
    )


def write_usage(usage: Usage, input_estimate: int = 0) -> Wire:
    """Return a ``usageMetadata``; ``input_estimate`` stands in where nobody said what went in."""
    known = usage.input_total
    prompt = input_estimate if known is None else known
    output, thoughts = usage.output or 0, usage.reasoning
    made: Wire = {"promptTokenCount": prompt, "candidatesTokenCount": max(0, output - (thoughts or 0))}
    if usage.cache_read is not None:
        made["cachedContentTokenCount"] = usage.cache_read
    if thoughts is not None:
        made["thoughtsTokenCount"] = thoughts
    made["totalTokenCount"] = prompt + output
    return made


def _count(found: Mapping[str, object], name: str) -> int | None:
    return count_of(found.get(name))
