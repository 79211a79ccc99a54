"""Tools that can be offered, and the choice among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_chat.parts import Losses, Message
from ccr.adapters.wire import json
from ccr.adapters.wire.names import short_name
from ccr.adapters.wire.tool_offers import must_call, offered_tools
from ccr.domain.conversation import FreeformTool, FunctionTool, HostedTool, ToolMode
from ccr.domain.fidelity import Loss
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from ccr.domain.conversation import Conversation, ToolChoice
    from ccr.domain.models import ModelProfile

__all__ = ["choose", "offered"]

_INPUT = Json(
    b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}'
)
"""The schema of a tool whose input is text, for models that know none. Whoever writes the call for our client unwraps it."""


def offered(
    conversation: Conversation, profile: ModelProfile, losses: Losses
) -> tuple[list[FunctionTool], list[HostedTool]]:
    """Return the functions that can be offered, and what the provider itself would have to run.

    Of deferred tools those that have become known; of too many the first, and the one that must be called.
    """
    functions: list[FunctionTool] = []
    hosted: list[HostedTool] = []
    for tool in offered_tools(conversation):
        if isinstance(tool, FunctionTool):
            functions.append(tool)
        elif isinstance(tool, FreeformTool):
            losses[Loss("freeform_tool", "as function")] = None
            functions.append(FunctionTool(tool.name, _described(tool), _INPUT))
        else:
            hosted.append(tool)
    most = profile.max_tools
    if most is not None and len(functions) > most:
        losses[Loss("tools", f"first {most}")] = None
        named = conversation.tool_choice.name if conversation.tool_choice else None
        functions = _first(functions, most, named)
    return functions, hosted


def _described(tool: FreeformTool) -> str:
    """A grammar cannot be enforced here; the model can read it."""
    found = (json.object_of(tool.grammar.data) if tool.grammar else None) or {}
    inner = found.get("grammar")
    definition = (inner if isinstance(inner, dict) else found).get("definition")
    if not isinstance(definition, str):
        return tool.description
    return f"{tool.description}\n\nThe input must follow this grammar:\n{definition}".strip()


def _first(tools: list[FunctionTool], most: int, named: str | None) -> list[FunctionTool]:
    kept = tools[:most]
    wanted = next((tool for tool in tools[most:] if tool.name == named), None)
    return kept if wanted is None else [*kept[:-1], wanted]


def choose(
    choice: ToolChoice | None,
    tools: Sequence[FunctionTool],
    profile: ModelProfile,
    losses: Losses,
    *,
    thinking: bool = False,
) -> tuple[Message, str]:
    """Return the fields that say which tool may be called, and a line for the system that says it where no field can."""
    if choice is None or not tools:
        return {}, ""
    fields: Message = {}
    line = ""
    named = choice.mode is ToolMode.NAMED and any(tool.name == choice.name for tool in tools)
    if choice.mode is ToolMode.NAMED and not named:
        losses[Loss("tool_choice", "auto")] = None
        fields["tool_choice"] = "auto"
    elif choice.mode in (ToolMode.AUTO, ToolMode.NONE):
        fields["tool_choice"] = choice.mode.value
    elif profile.tool_choice_required and (profile.tool_choice_with_reasoning or not thinking):
        fields["tool_choice"] = (
            {"type": "function", "function": {"name": short_name(choice.name or "")}}
            if named
            else profile.tool_choice_word
        )
    else:
        losses[Loss("tool_choice", "as text")] = None
        fields["tool_choice"] = "auto"
        line = must_call(short_name(choice.name or "") if named else "")
    if choice.parallel is False:
        if profile.parallel_tools:
            fields["parallel_tool_calls"] = False
        else:
            losses[Loss("parallel_tools")] = None
    return fields, line
