"""Tools and the choice among them, as this dialect declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_responses.wire import NAME, Raw, Wire
from ccr.adapters.wire.names import short_name
from ccr.adapters.wire.system_turns import reminder
from ccr.adapters.wire.tool_offers import must_call, offered_tools
from ccr.domain.conversation import FreeformTool, FunctionTool, HostedTool, SearchOptions, ToolMode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.adapters.dialects.openai_responses.write_items import Item, Writer
    from ccr.domain.conversation import Conversation, Tool, ToolChoice

__all__ = ["choose", "write_tools"]

_SEARCH = "web_search"
_SEARCHES = frozenset({"openai", "xai"})
"""Ways in which web search is asked for (``ModelProfile.web_search``) that are this dialect's."""
_LOADER = "tool_search"
"""The hosted tool through which deferred tools are found."""


def write_tools(conversation: Conversation, writer: Writer) -> list[tuple[Tool, Item]]:
    """Return the tools that can be offered here, each with its declaration."""
    loads = any(
        isinstance(tool, HostedTool) and tool.kind == _LOADER and tool.dialect == NAME
        for tool in conversation.tools
    )
    tools = conversation.tools if loads else offered_tools(conversation)
    written = ((tool, _tool(tool, writer)) for tool in tools)
    declared = [(tool, item) for tool, item in written if item is not None]
    most = writer.profile.max_tools
    if most is None or len(declared) <= most:
        return declared
    writer.lose("tools", f"first {most}")
    named = conversation.tool_choice.name if conversation.tool_choice else None
    # The one that must be called goes first; the order of the others stays.
    return sorted(declared, key=lambda pair: pair[0].name != named)[:most]


def _tool(tool: Tool, writer: Writer) -> Item | None:
    match tool:
        case FunctionTool():
            return _function(tool)
        case FreeformTool(name=name, description=description, grammar=grammar):
            made: Wire = {"type": "custom", "name": short_name(name), "description": description}
            if grammar is not None:
                made["format"] = Raw(grammar.data)
            return made
        case HostedTool(dialect=dialect, data=data) if dialect == NAME:
            return Raw(data.data)
        case _:
            return _hosted(tool, writer)


def _function(tool: FunctionTool) -> Wire:
    made: Wire = {
        "type": "function",
        "name": short_name(tool.name),
        "description": tool.description,
        "parameters": Raw(tool.schema.data),
        # Here strict is the default, and a schema that was not made for it is refused.
        "strict": tool.strict is True,
    }
    if tool.deferred:
        made["defer_loading"] = True
    return made


def _hosted(tool: HostedTool, writer: Writer) -> Wire | None:
    if not tool.kind.startswith(_SEARCH) or writer.profile.web_search not in _SEARCHES:
        writer.lose(_SEARCH if tool.kind.startswith(_SEARCH) else "hosted_tool")
        return None
    wish = tool.search or SearchOptions()
    made: Wire = {"type": _SEARCH}
    if wish.allowed_domains:
        made["filters"] = {"allowed_domains": list(wish.allowed_domains)}
    if wish.location is not None:
        made["user_location"] = Raw(wish.location.data)
    if wish.blocked_domains:
        writer.lose("web_search.blocked_domains")
    if wish.max_uses is not None:
        writer.lose("web_search.max_uses")
    return made


def choose(
    choice: ToolChoice | None, tools: Sequence[tuple[Tool, Item]], writer: Writer
) -> tuple[Wire, Wire | None]:
    """Return the fields that say which tool may be called, and an item that says it where no field can."""
    if choice is None or not tools:
        return {}, None
    profile = writer.profile
    fields: Wire = {}
    said: Wire | None = None
    named = next((tool for tool, _ in tools if tool.name == choice.name), None)
    if choice.mode is ToolMode.NAMED and named is None:
        writer.lose("tool_choice", "auto")
        fields["tool_choice"] = "auto"
    elif choice.mode in (ToolMode.AUTO, ToolMode.NONE):
        fields["tool_choice"] = choice.mode.value
    elif profile.tool_choice_required:
        fields["tool_choice"] = "required" if choice.mode is ToolMode.REQUIRED else _named(named, len(tools))
    else:
        writer.lose("tool_choice", "as text")
        fields["tool_choice"] = "auto"
        text = must_call("" if named is None else short_name(named.name))
        said = (
            {"role": "developer", "content": text}
            if profile.system_in_turns
            else {"role": "user", "content": reminder(text)}
        )
    if choice.parallel is not None:
        if profile.parallel_tools:
            fields["parallel_tool_calls"] = choice.parallel
        elif not choice.parallel:
            writer.lose("parallel_tools")
    return fields, said


def _named(tool: Tool | None, count: int) -> object:
    match tool:
        case FunctionTool(name=name):
            return {"type": "function", "name": short_name(name)}
        case FreeformTool(name=name):
            return {"type": "custom", "name": short_name(name)}
        case HostedTool(kind=kind) if count > 1:
            return {"type": "allowed_tools", "mode": "required", "tools": [{"type": kind_of(kind)}]}
        case _:  # the only tool there is
            return "required"


def kind_of(kind: str) -> str:
    """Return what this dialect calls a tool of the provider's."""
    return _SEARCH if kind.startswith(_SEARCH) else kind
