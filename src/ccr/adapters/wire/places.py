"""Where a provider's request keeps what transformers set: by dialect, because each has names of its own (providers.md 4.2).

A place is the path of a field from the top of the request; a dialect that has no such field has no place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, cast

if TYPE_CHECKING:
    from ccr.application.ports.payload import Payload
    from ccr.domain.models import Destination

__all__ = ["CHAT", "SAMPLING", "Place", "limit_place", "lowered", "read", "write"]

Place: TypeAlias = tuple[str] | tuple[str, str]

CHAT = "openai_chat"
_CHAT_LIMITS = ("max_tokens", "max_completion_tokens")
_LIMITS: dict[str, Place] = {
    "anthropic": ("max_tokens",),
    "openai_responses": ("max_output_tokens",),
    "gemini": ("generationConfig", "maxOutputTokens"),
}
_ANTHROPIC_MIN_BUDGET = 1024
"""Tokens; a smaller budget is refused (claude-code-contract.md)."""

SAMPLING: dict[str, dict[str, Place]] = {
    CHAT: {name: (name,) for name in ("temperature", "top_p", "top_k", "repetition_penalty")},
    "anthropic": {name: (name,) for name in ("temperature", "top_p", "top_k")},
    "openai_responses": {name: (name,) for name in ("temperature", "top_p")},
    "gemini": {
        "temperature": ("generationConfig", "temperature"),
        "top_p": ("generationConfig", "topP"),
        "top_k": ("generationConfig", "topK"),
    },
}
"""By dialect, the places of what a model samples by."""


def read(payload: Payload, place: Place) -> object:
    """Return the value there, None if there is none."""
    if len(place) == 1:
        return payload.get(place[0])
    top, name = place
    found = payload.parsed(top)
    return cast("dict[str, object]", found).get(name) if isinstance(found, dict) else None


def write(payload: Payload, place: Place, value: object) -> Payload:
    """Return a payload with this value there. A place is at most two steps deep."""
    if len(place) == 1:
        return payload.with_(place[0], value)
    top, name = place
    found = payload.parsed(top)
    outer = cast("dict[str, object]", found) if isinstance(found, dict) else {}
    return payload.with_(top, {**outer, name: value})


def limit_place(payload: Payload, to: Destination) -> Place:
    """Return where the output limit stands, or would stand."""
    if to.dialect in _LIMITS:
        return _LIMITS[to.dialect]
    named = (name for name in _CHAT_LIMITS if payload.get(name) is not None)
    return (next(named, to.profile.max_tokens_field),)


def lowered(payload: Payload, to: Destination, limit: int) -> Payload:
    """Set the output limit (tokens). A thinking budget of Anthropic's must be below it: it is lowered, or taken out."""
    payload = write(payload, limit_place(payload, to), limit)
    if to.dialect != "anthropic":
        return payload
    thinking = payload.parsed("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    if not isinstance(thinking, dict) or not isinstance(budget, int) or budget < limit:
        return payload
    if limit <= _ANTHROPIC_MIN_BUDGET:
        return payload.without("thinking")
    return payload.with_("thinking", {**thinking, "budget_tokens": limit - 1})
