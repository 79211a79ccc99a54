"""Token counts of chat completions, whoever wrote them (providers.md 4.3)."""

from __future__ import annotations

from collections.abc import Mapping

from ccr.adapters.wire.counts import count_of
from ccr.domain.usage import NO_USAGE, Usage

__all__ = ["read_usage", "write_usage"]


def read_usage(raw: object) -> Usage:
    """Return what a ``usage`` object says; anything else says nothing.

    ``prompt_tokens`` includes what was read from and written to a cache. Reasoning is part of ``completion_tokens``,
    except where the total shows that it was left out (xAI).
    """
    if not isinstance(raw, Mapping):
        return NO_USAGE
    prompt = _count(raw, "prompt_tokens")
    output = _count(raw, "completion_tokens")
    details = _part(raw, "prompt_tokens_details")
    # In this order: OpenAI and most, Moonshot, DeepSeek.
    read = _first(
        _count(details, "cached_tokens"),
        _count(raw, "cached_tokens"),
        _count(raw, "prompt_cache_hit_tokens"),
    )
    # OpenRouter and OpenAI; DashScope's explicit cache.
    written = _first(_count(details, "cache_write_tokens"), _count(details, "cache_creation_input_tokens"))
    reasoning = _count(_part(raw, "completion_tokens_details"), "reasoning_tokens")
    if reasoning and output is not None and _count(raw, "total_tokens") == (prompt or 0) + output + reasoning:
        output += reasoning
    return Usage(
        input_uncached=None if prompt is None else max(0, prompt - (read or 0) - (written or 0)),
        cache_read=read,
        cache_write_5m=written,
        output=output,
        reasoning=reasoning,
        provider_cost=_cost(raw),
    )


def write_usage(usage: Usage, *, input_estimate: int = 0) -> dict[str, object]:
    """Return a full ``usage``, by the inverse arithmetic; ``input_estimate`` where nobody said the input."""
    total = usage.input_total
    prompt = input_estimate if total is None else total
    output = usage.output or 0
    details: dict[str, int] = {"cached_tokens": usage.cache_read or 0}
    if usage.cache_write_5m is not None or usage.cache_write_1h is not None:
        details["cache_write_tokens"] = (usage.cache_write_5m or 0) + (usage.cache_write_1h or 0)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
        "prompt_tokens_details": details,
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning or 0},
    }


def _part(raw: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = raw.get(name)
    return found if isinstance(found, Mapping) else {}


def _count(raw: Mapping[str, object], name: str) -> int | None:
    return count_of(raw.get(name))


def _first(*found: int | None) -> int | None:
    return next((value for value in found if value is not None), None)


def _cost(raw: Mapping[str, object]) -> float | None:
    """OpenRouter says what it charged, in US dollars."""
    found = raw.get("cost")
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
