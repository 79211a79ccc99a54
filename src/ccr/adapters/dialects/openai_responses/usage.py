"""Token counts of the Responses API, both ways (providers.md 4.3)."""

from __future__ import annotations

from collections.abc import Mapping

from ccr.adapters.dialects.openai_responses.wire import Raw, Wire
from ccr.adapters.wire import json
from ccr.adapters.wire.counts import count_of
from ccr.domain.usage import NO_USAGE, Usage

__all__ = ["read_usage", "write_usage"]


def read_usage(raw: Raw) -> Usage:
    """Return what a ``usage`` object says; anything else says nothing.

    ``input_tokens`` includes what was read from and written to a cache. Reasoning is part of ``output_tokens``, except
    where the total shows that it was left out (xAI).
    """
    found = json.object_of(raw)
    if found is None:
        return NO_USAGE
    given, output = _count(found, "input_tokens"), _count(found, "output_tokens")
    details = _part(found, "input_tokens_details")
    read, written = _count(details, "cached_tokens"), _count(details, "cache_write_tokens")
    reasoning = _count(_part(found, "output_tokens_details"), "reasoning_tokens")
    if (
        reasoning
        and output is not None
        and _count(found, "total_tokens") == (given or 0) + output + reasoning
    ):
        output += reasoning
    return Usage(
        input_uncached=None if given is None else max(0, given - (read or 0) - (written or 0)),
        cache_read=read,
        cache_write_5m=written,
        output=output,
        reasoning=reasoning,
    )


def write_usage(usage: Usage, input_estimate: int = 0) -> Wire:
    """Return a ``usage``; ``input_estimate`` stands in where nobody said what went in."""
    known = usage.input_total
    given = input_estimate if known is None else known
    output = usage.output or 0
    return {
        "input_tokens": given,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read or 0,
            "cache_write_tokens": (usage.cache_write_5m or 0) + (usage.cache_write_1h or 0),
        },
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning or 0},
        "total_tokens": given + output,
    }


def _part(found: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = found.get(name)
    return part if isinstance(part, Mapping) else {}


def _count(found: Mapping[str, object], name: str) -> int | None:
    return count_of(found.get(name))
