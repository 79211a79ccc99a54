"""What a request wants of web search, and the same request for a model that searches only with our help. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from attrs import frozen

from ccr.domain.conversation import (
    Conversation,
    FunctionTool,
    HostedTool,
    Role,
    SearchOptions,
    Text,
    ToolChoice,
    ToolMode,
)
from ccr.domain.value import evolve
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ccr.application.ports.search import SearchHit

__all__ = ["MOST", "NAME", "SearchTerms", "fits", "hosted_search", "told"]

NAME = "web_search"
MOST = 20
"""Searches of one reply, whatever a request asks for: each is a round that costs the whole context again."""

_CLAUDE_CODE = "Perform a web search for the query:"
"""How Claude Code's WebSearch asks, in a request of its own with no other tool (claude-code-client.md 4)."""

_DESCRIPTION = (
    "Search the web. Use it for anything recent or that you do not know for sure, "
    "then answer from the results and name their addresses."
)
_SCHEMA = Json(
    b'{"type":"object","properties":{"query":{"type":"string","description":"What to look for"},'
    b'"allowed_domains":{"type":"array","items":{"type":"string"},"description":"Only results from these"},'
    b'"blocked_domains":{"type":"array","items":{"type":"string"},"description":"No results from these"}},'
    b'"required":["query"]}'
)


def hosted_search(conversation: Conversation) -> HostedTool | None:
    """Return the web search that the request brings, whatever dialect it came in."""
    for tool in conversation.tools:
        if isinstance(tool, HostedTool) and tool.kind.startswith(NAME):
            return tool
    return None


@frozen
class SearchTerms:
    """A request with web search, ready for a model that has none, or that asks before it searches.

    Attributes:
        first: the request of the first round.
        name: of the call that stands for the search.
        options: what the request said about it.
        insists: there is to be a search whatever the model thinks.
        query: what to look for if the model does not say.
    """

    first: Conversation
    name: str
    options: SearchOptions
    insists: bool
    query: str

    @classmethod
    def native(cls, conversation: Conversation, hosted: HostedTool, name: str) -> SearchTerms:
        """Read a request for a model that has a search of its own, and asks for leave by a call of that ``name``."""
        query = " ".join(_last_words(conversation).removeprefix(_CLAUDE_CODE).split())
        return cls(conversation, name, hosted.search or SearchOptions(), insists=False, query=query)

    @classmethod
    def of(cls, conversation: Conversation, hosted: HostedTool) -> SearchTerms:
        """Read a request for a model that has none."""
        taken = {tool.name for tool in conversation.tools if isinstance(tool, FunctionTool)}
        name = NAME
        while name in taken:
            name = f"{name}_"
        function = FunctionTool(name, _DESCRIPTION, _SCHEMA)
        others = [tool for tool in conversation.tools if not _is_search(tool)]
        choice = _chosen(conversation.tool_choice, hosted, name)
        first = evolve(conversation, tools=(*others, function), tool_choice=choice)
        asked = _last_words(conversation)
        is_ordered = asked.startswith(_CLAUDE_CODE) and not others
        forced = choice is not None and (
            (choice.mode is ToolMode.NAMED and choice.name == name)
            or (choice.mode is ToolMode.REQUIRED and not others)
        )
        query = " ".join(asked.removeprefix(_CLAUDE_CODE).split())
        insists = bool(query) and (is_ordered or forced)
        return cls(first, name, hosted.search or SearchOptions(), insists, query)

    def later(self, conversation: Conversation) -> Conversation:
        """Return the request of a round after a search: nobody is forced to search again."""
        choice = conversation.tool_choice
        if choice is None or choice.mode is ToolMode.NONE:
            return conversation
        if choice.mode is ToolMode.NAMED and choice.name != self.name:
            return conversation
        return evolve(conversation, tool_choice=evolve(choice, mode=ToolMode.AUTO, name=None))

    def last(self, conversation: Conversation) -> Conversation:
        """Return the request of a round in which there is no search any more."""
        tools = tuple(
            tool for tool in conversation.tools if _name_of(tool) != self.name and not _is_search(tool)
        )
        return evolve(conversation, tools=tools, tool_choice=conversation.tool_choice if tools else None)


def _is_search(tool: object) -> bool:
    return isinstance(tool, HostedTool) and tool.kind.startswith(NAME)


def _name_of(tool: object) -> str:
    return tool.name if isinstance(tool, FunctionTool) else ""


def _chosen(choice: ToolChoice | None, hosted: HostedTool, name: str) -> ToolChoice | None:
    if choice is not None and choice.mode is ToolMode.NAMED and choice.name in (hosted.name, NAME):
        return evolve(choice, name=name)
    return choice


def _last_words(conversation: Conversation) -> str:
    """Return the user's last text; reminders of the client's around it do not count."""
    for turn in reversed(conversation.turns):
        if turn.role is Role.USER:
            texts = [block.text.strip() for block in turn.blocks if isinstance(block, Text)]
            said = [text for text in texts if text and not text.startswith("<system-reminder>")]
            return said[-1] if said else ""
    return ""


def fits(hits: Iterable[SearchHit], *wishes: SearchOptions) -> tuple[SearchHit, ...]:
    """Return the results that every wish about domains allows."""
    return tuple(hit for hit in hits if all(_allowed(hit.url, wish) for wish in wishes))


def _allowed(url: str, wish: SearchOptions) -> bool:
    if any(_within(url, domain) for domain in wish.blocked_domains):
        return False
    return not wish.allowed_domains or any(_within(url, domain) for domain in wish.allowed_domains)


def _within(url: str, domain: str) -> bool:
    """Whether an address is of a domain, or under ``domain/path``; a domain holds its subdomains."""
    try:
        parts = urlsplit(url)
        host, path = (parts.hostname or "").lower(), parts.path
    except ValueError:
        return False
    wanted, _, under = domain.strip().lower().removeprefix("https://").removeprefix("http://").partition("/")
    if not wanted or not (host == wanted or host.endswith(f".{wanted}")):
        return False
    return not under or path.lower().startswith(f"/{under}")


def told(query: str, hits: Iterable[SearchHit]) -> str:
    """Return results in the words in which the model reads them."""
    lines = [f'Results of the web search for "{query}":']
    for number, hit in enumerate(hits, 1):
        lines.append(f"\n{number}. {hit.title}\n{hit.url}" + (f" ({hit.age})" if hit.age else ""))
        if hit.text:
            lines.append(hit.text)
    if len(lines) == 1:
        lines.append("nothing was found")
    return "\n".join(lines)
