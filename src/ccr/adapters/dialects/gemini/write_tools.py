"""Tools and the choice among them, as this dialect declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from ccr.adapters.dialects.gemini.names import function_name
from ccr.adapters.dialects.gemini.wire import NAME, Raw, Wire
from ccr.adapters.wire import json
from ccr.adapters.wire.tool_offers import offered_tools
from ccr.domain.conversation import FreeformTool, HostedTool, SearchOptions, ToolMode
from ccr.domain.models import ReasoningStyle, SchemaStyle
from ccr.domain.schema import inline_refs, without_keywords

if TYPE_CHECKING:
    from ccr.adapters.dialects.gemini.write_contents import Writer
    from ccr.domain.conversation import Conversation, FunctionTool, Tool, ToolChoice
    from ccr.domain.verbatim import Json

__all__ = ["Offer", "adapted_schema", "offer", "tool_fields"]

_SEARCH = "web_search"
_OUR_SEARCH = "gemini"
"""The way in which web search is asked for here (``ModelProfile.web_search``)."""
_MODES = {
    ToolMode.AUTO: "AUTO",
    ToolMode.REQUIRED: "ANY",
    ToolMode.NAMED: "ANY",
    ToolMode.NONE: "NONE",
}


@frozen
class Offer:
    """What of a conversation's tools is offered."""

    functions: tuple[FunctionTool | FreeformTool, ...]
    hosted: tuple[HostedTool, ...]


def offer(conversation: Conversation, writer: Writer) -> Offer:
    """Choose the tools. Before Gemini 3 functions and the provider's own tools exclude each other: functions are kept."""
    functions: list[FunctionTool | FreeformTool] = []
    hosted: list[HostedTool] = []
    for tool in offered_tools(conversation):
        if not isinstance(tool, HostedTool):
            functions.append(tool)
        elif tool.dialect == NAME or (_is_search(tool) and writer.profile.web_search == _OUR_SEARCH):
            hosted.append(tool)
        else:
            writer.lose(_feature(tool))
    if functions and hosted and writer.profile.reasoning is not ReasoningStyle.GEMINI_LEVEL:
        choice = conversation.tool_choice
        if choice is not None and any(tool.name == choice.name for tool in hosted):
            writer.lose("tools")
            functions = []
        else:
            for tool in hosted:
                writer.lose(_feature(tool))
            hosted = []
    return Offer(tuple(functions), tuple(hosted))


def tool_fields(offered: Offer, choice: ToolChoice | None, writer: Writer, own: Json | None) -> Wire:
    """Return ``tools`` and ``toolConfig``; ``own`` is the caller's, of which other settings are kept."""
    entries: list[object] = []
    if offered.functions:
        entries.append({"functionDeclarations": [_declared(tool, writer) for tool in offered.functions]})
    entries += [_hosted(tool, writer) for tool in offered.hosted]
    if not entries:
        return {}
    config: Wire = dict(json.object_of(own.data) or {}) if own is not None else {}
    calling = _calling(offered, choice, writer)
    if calling:
        config.setdefault("functionCallingConfig", calling)  # the caller's own is there if it says more
    else:
        config.pop("functionCallingConfig", None)
    if offered.functions and offered.hosted:
        config.setdefault("includeServerSideToolInvocations", True)  # or the two are refused together
    return {"tools": entries, **({"toolConfig": config} if config else {})}


def _calling(offered: Offer, choice: ToolChoice | None, writer: Writer) -> Wire:
    if choice is None or not offered.functions:
        return {}
    if choice.parallel is False:
        writer.lose("parallel_tools")
    mode, named = choice.mode, next((tool for tool in offered.functions if tool.name == choice.name), None)
    forced = mode in (ToolMode.REQUIRED, ToolMode.NAMED)
    if forced and (not writer.profile.tool_choice_required or (mode is ToolMode.NAMED and named is None)):
        writer.lose("tool_choice", "auto")
        mode = ToolMode.AUTO
    calling: Wire = {"mode": _MODES[mode]}
    if mode is ToolMode.NAMED and named is not None:
        calling["allowedFunctionNames"] = [function_name(named.name)]
    return calling


def _declared(tool: FunctionTool | FreeformTool, writer: Writer) -> Wire:
    made: Wire = {"name": function_name(tool.name), "description": tool.description}
    if isinstance(tool, FreeformTool):
        schema: Wire = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
        return {**made, "parameters": schema}
    if tool.strict:
        writer.lose("strict")
    field = "parameters" if writer.profile.schema is SchemaStyle.OPENAPI else "parametersJsonSchema"
    made[field] = adapted_schema(tool.schema, writer)
    if tool.dialect == NAME:
        made.update((name, Raw(value.data)) for name, value in tool.extra)
    return made


def adapted_schema(schema: Json, writer: Writer) -> object:
    """Return a schema of the style that the model takes; byte for byte the same where it takes any."""
    profile = writer.profile
    if profile.schema is SchemaStyle.OPENAPI:
        return Raw(writer.openapi(schema.data))
    found = json.object_of(schema.data)
    if found is None:
        return {"type": "object"}
    if profile.schema is SchemaStyle.JSON and not profile.schema_drop:
        return Raw(schema.data)
    inlined = inline_refs(found) if profile.schema is SchemaStyle.INLINE else found
    return without_keywords(inlined, profile.schema_drop)


def _hosted(tool: HostedTool, writer: Writer) -> object:
    if tool.dialect == NAME:
        return Raw(tool.data.data)
    wish = tool.search or SearchOptions()
    for name in ("allowed_domains", "blocked_domains", "location", "max_uses"):
        if getattr(wish, name):
            writer.lose(f"{_SEARCH}.{name}")
    return {"googleSearch": {}}


def _is_search(tool: Tool) -> bool:
    return isinstance(tool, HostedTool) and tool.kind.startswith(_SEARCH)


def _feature(tool: HostedTool) -> str:
    return _SEARCH if _is_search(tool) else "hosted_tool"
