"""Results of web search as every dialect carries them (``ServerToolResult`` of kind ``web_search_tool_result``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.wire import json
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KIND", "as_text", "clipped", "query_of", "results_of"]

KIND = "web_search_tool_result"

_LONGEST = 1500
"""Characters of one result's text that go into a turn as plain text: a page's gist, eight of them in 12 kB."""


def results_of(content: Json) -> list[Mapping[str, object]]:
    """Return the results; none of an error, or of what is no list."""
    try:
        found = json.decode(content.data)
    except ValueError:
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def query_of(given: Json | str) -> str:
    """Return what a search (the input of its call) looked for; nothing if it does not say."""
    fields = json.object_of(given.data if isinstance(given, Json) else given.encode()) or {}
    return clipped(fields.get("query"), 300)


def as_text(content: Json, query: str = "", *, texts: bool = True) -> str:
    """Return results in words, for a provider that cannot be given them as results.

    An empty list is left alone: nothing was found, or what was found stayed with the provider (Kimi).
    ``texts``: ``encrypted_content`` is what we know of the page in plain text, not a provider's secret.
    """
    lines = [f'[web search: "{query}"]' if query else "[web search]"]
    results = results_of(content)
    for number, one in enumerate(results, 1):
        age = clipped(one.get("page_age"), 40)
        head = f"{number}. {clipped(one.get('title'), 300)} - {clipped(one.get('url'), 2000)}"
        lines.append(f"{head} ({age})" if age else head)
        text = clipped(one.get("encrypted_content"), _LONGEST) if texts else ""
        if text:
            lines.append(text)
    if not results and content.data.strip() != b"[]":
        lines.append("(no results)")
    return "\n".join(lines)


def clipped(value: object, longest: int) -> str:
    """Return a text in one line of at most so many characters; nothing of what is no text."""
    if not isinstance(value, str):
        return ""
    text = " ".join(value[: longest * 4].split())
    return text if len(text) <= longest else text[: longest - 3].rstrip() + "..."
