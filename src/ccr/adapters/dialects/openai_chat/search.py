"""Web search that a provider runs itself: how each is asked, in the words that its profile names (providers.md 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field

from ccr.adapters.dialects.openai_chat.parts import Losses, Message
from ccr.adapters.dialects.openai_chat.wire import NAME
from ccr.adapters.wire import json
from ccr.domain.conversation import HostedTool, Reasoning, ReasoningMode, SearchOptions
from ccr.domain.fidelity import Loss
from ccr.domain.models import KIMI_SEARCH, ReasoningStyle
from ccr.domain.value import value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ccr.domain.conversation import Tool
    from ccr.domain.models import ModelProfile
    from ccr.domain.verbatim import Json

__all__ = ["Asked", "ask_hosted", "reasoning_beside", "searches_here"]


@value
class Asked:
    """What asks for hosted tools: top-level ``fields``, ``entries`` of the tools, and the ``names`` that are served."""

    fields: Message = field(factory=dict)
    entries: list[object] = field(factory=list)
    names: set[str] = field(factory=set)


def searches_here(profile: ModelProfile) -> bool:
    """Whether the model can be asked for web search in this dialect."""
    return profile.web_search in _STYLES


def ask_hosted(tools: Sequence[HostedTool], profile: ModelProfile, losses: Losses) -> Asked:
    """Return how hosted tools are asked for. What its own dialect wrote, and nobody maps, goes out as it came."""
    asked = Asked()
    for tool in tools:
        style = _STYLES.get(profile.web_search) if tool.search is not None else None
        if style is not None:
            style(tool.search or SearchOptions(), asked, losses)
        elif tool.dialect == NAME and "type" in (json.object_of(tool.data.data) or {}):
            asked.entries.append(tool.data)
        else:
            losses[Loss("hosted_tool")] = None
            continue
        asked.names.add(tool.name)
    return asked


def reasoning_beside(
    tools: Sequence[Tool], reasoning: Reasoning, profile: ModelProfile, losses: Losses
) -> Reasoning:
    """Return how the model is told to think while it may search.

    Kimi's search does not go together with its thinking, which is on unless it is switched off (Moonshot's guide to
    K2.5). A model whose thinking cannot be switched is left alone.
    """
    is_kimis = profile.web_search == "kimi" and profile.reasoning is ReasoningStyle.THINKING_TYPE
    if not is_kimis or not any(isinstance(tool, HostedTool) and tool.search is not None for tool in tools):
        return reasoning
    if reasoning.mode in (ReasoningMode.ON, ReasoningMode.ADAPTIVE) or reasoning.effort is not None:
        losses[Loss("reasoning", "off while it searches")] = None
    return Reasoning(ReasoningMode.OFF)


def _openrouter(options: SearchOptions, asked: Asked, _losses: Losses) -> None:
    plugin: Message = {"id": "web"}
    if options.max_uses is not None:
        plugin["max_uses"] = options.max_uses
    if options.allowed_domains:
        plugin["include_domains"] = list(options.allowed_domains)
    if options.blocked_domains:
        plugin["exclude_domains"] = list(options.blocked_domains)
    if options.location is not None:
        plugin["user_location"] = options.location
    asked.fields["plugins"] = [plugin]


def _zhipu(options: SearchOptions, asked: Asked, losses: Losses) -> None:
    _no_domains(options, losses)
    asked.entries.append({"type": "web_search", "web_search": {"enable": True, "search_result": True}})


def _kimi(options: SearchOptions, asked: Asked, losses: Losses) -> None:
    _no_domains(options, losses)
    losses[Loss("web_search", "without results")] = None  # which pages it read stays with the provider
    asked.entries.append({"type": "builtin_function", "function": {"name": KIMI_SEARCH}})


def _openai(options: SearchOptions, asked: Asked, losses: Losses) -> None:
    _no_domains(options, losses)
    near = _place(options.location)
    place = {"type": "approximate", "approximate": near}
    asked.fields["web_search_options"] = {"user_location": place} if near else {}


def _xai(options: SearchOptions, asked: Asked, _losses: Losses) -> None:
    source: Message = {"type": "web"}
    if options.allowed_domains:  # one of the two, at most five
        source["allowed_websites"] = list(options.allowed_domains[:5])
    elif options.blocked_domains:
        source["excluded_websites"] = list(options.blocked_domains[:5])
    country = _place(options.location).get("country")
    if country:
        source["country"] = country
    asked.fields["search_parameters"] = {"mode": "auto", "return_citations": True, "sources": [source]}


def _qwen(options: SearchOptions, asked: Asked, losses: Losses) -> None:
    _no_domains(options, losses)
    asked.fields["enable_search"] = True


def _no_domains(options: SearchOptions, losses: Losses) -> None:
    if options.allowed_domains or options.blocked_domains:
        losses[Loss("web_search", "any domain")] = None


def _place(location: Json | None) -> Message:
    """Return what is known of a place, without its type."""
    found = (json.object_of(location.data) if location else None) or {}
    return {name: value for name, value in found.items() if name != "type" and value}


_STYLES: dict[str, Callable[[SearchOptions, Asked, Losses], None]] = {
    "openrouter": _openrouter,
    "zhipu": _zhipu,
    "kimi": _kimi,
    "openai_chat": _openai,
    "xai": _xai,
    "qwen": _qwen,
}
