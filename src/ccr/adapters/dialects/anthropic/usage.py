"""Tokens as Anthropic counts them: the cached parts stand beside ``input_tokens``, not inside it."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from ccr.adapters.wire.counts import count_of
from ccr.domain.usage import NO_USAGE, Usage

__all__ = ["read_usage", "write_usage"]


class _CacheCreation(Struct, gc=False):
    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class _OutputDetails(Struct, gc=False):
    thinking_tokens: int | None = None


class _ServerTools(Struct, gc=False):
    web_search_requests: int | None = None


class _WireUsage(Struct, gc=False):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: _CacheCreation | None = None
    output_tokens_details: _OutputDetails | None = None
    server_tool_use: _ServerTools | None = None


_USAGE = msgspec.json.Decoder(_WireUsage | None)


def read_usage(raw: Raw | bytes, *, later: bool = False) -> Usage:
    """Read a ``usage``; one that cannot be read says nothing.

    ``later``: a report after the first (``message_delta``). Providers that repeat the input there as 0 know it no
    better than they did at the start, so a 0 of the input says nothing then.
    """
    try:
        wire = _USAGE.decode(raw) if raw else None
    except (ValueError, RecursionError):
        wire = None
    if wire is None:
        return NO_USAGE
    made = wire.cache_creation or _CacheCreation()
    five, hour = made.ephemeral_5m_input_tokens, made.ephemeral_1h_input_tokens
    total = wire.cache_creation_input_tokens
    if total is not None and total > (five or 0) + (hour or 0):
        five = total - (hour or 0)
    elif total is not None and five is None:
        five = 0
    return Usage(
        input_uncached=_input(wire.input_tokens, later=later),
        cache_read=_input(wire.cache_read_input_tokens, later=later),
        cache_write_5m=_input(five, later=later),
        cache_write_1h=_input(hour, later=later),
        output=_count(wire.output_tokens),
        reasoning=_count(wire.output_tokens_details.thinking_tokens) if wire.output_tokens_details else None,
        searches=_count(wire.server_tool_use.web_search_requests) if wire.server_tool_use else None,
    )


def _count(number: int | None) -> int | None:
    return count_of(number) if number is None or number >= 0 else None


def _input(number: int | None, *, later: bool) -> int | None:
    return (_count(number) or None) if later else _count(number)


def write_usage(usage: Usage, *, input_estimate: int = 0) -> dict[str, object]:
    """Return a full ``usage``, with ``input_estimate`` where nobody said the input (1.0 clients need one; P23)."""
    uncached = usage.input_uncached
    if uncached is None:
        uncached = input_estimate if usage.input_total is None else 0
    five, hour = usage.cache_write_5m or 0, usage.cache_write_1h or 0
    written: dict[str, object] = {
        "input_tokens": uncached,
        "cache_creation_input_tokens": five + hour,
        "cache_read_input_tokens": usage.cache_read or 0,
        "output_tokens": usage.output or 0,
    }
    if five or hour:
        written["cache_creation"] = {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour}
    if usage.reasoning is not None:
        written["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if usage.searches:
        written["server_tool_use"] = {"web_search_requests": usage.searches, "web_fetch_requests": 0}
    return written
