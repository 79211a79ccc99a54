"""``tooluse``: models that forget their tools must call one; a tool of ours is the way to answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from attrs import define
from typing_extensions import override

from ccr.adapters.wire import json
from ccr.application.ports.transformer import EventStage, Transformer
from ccr.domain.conversation import FunctionTool, Role, Text, ToolCall, ToolChoice, ToolMode, Turn
from ccr.domain.reply import StopReason
from ccr.domain.stream import BlockStart, BlockStop, MessageStop, StreamFailed, TextDelta, ToolInputDelta
from ccr.domain.value import evolve
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from ccr.domain.conversation import Conversation
    from ccr.domain.models import Destination
    from ccr.domain.stream import StreamEvent

__all__ = ["ToolUse"]

_EXIT = "ExitTool"
_EXIT_TOOL = FunctionTool(
    _EXIT,
    "Call this tool when no other tool is needed, or when the task is done, to answer the user. "
    "Everything you want to tell the user goes into `response`.",
    Json(
        b'{"type":"object","properties":{"response":{"type":"string","description":"What the user is told"}},'
        b'"required":["response"]}'
    ),
)
_ASK = (
    "Tool mode is active. Use the most fitting tool to complete the task. "
    f"If no tool fits, or the task is done, call `{_EXIT}` with your answer."
)


@define(frozen=True)
class ToolUse(Transformer):
    """Require a tool call wherever tools are offered; ``ExitTool`` becomes the text that it carries."""

    name: ClassVar[str] = "tooluse"

    @override
    def request(self, conversation: Conversation, to: Destination) -> Conversation:
        if not _wanted(conversation):
            return conversation
        choice = conversation.tool_choice or ToolChoice()
        if choice.mode is ToolMode.AUTO:
            choice = evolve(choice, mode=ToolMode.REQUIRED)
        return evolve(
            conversation,
            tools=(*conversation.tools, _EXIT_TOOL),
            tool_choice=choice,
            turns=(*conversation.turns, Turn(Role.SYSTEM, (Text(_ASK),))),
        )

    @override
    def stage_for(self, conversation: Conversation, to: Destination) -> EventStage | None:
        return _Exits() if _EXIT_TOOL in conversation.tools else None


def _wanted(conversation: Conversation) -> bool:
    """Not where there are no tools, none may be called, or the caller has a tool of that name."""
    choice = conversation.tool_choice
    return (
        bool(conversation.tools)
        and (choice is None or choice.mode is not ToolMode.NONE)
        and all(tool.name != _EXIT for tool in conversation.tools)
    )


class _Exits:
    def __init__(self) -> None:
        self._input: list[str] | None = None  # while a call of ExitTool is open
        self._called = False
        self._exited = False

    def feed(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        return [event for given in events for event in self._take(given)]

    def _take(self, event: StreamEvent) -> list[StreamEvent]:
        match event:
            case BlockStart(index=index, block=ToolCall(name=name)):
                if name != _EXIT:
                    self._called = True
                    return [event]
                self._input, self._exited = [], True
                return [BlockStart(index, Text(""))]
            case ToolInputDelta(text=text) if self._input is not None:
                self._input.append(text)
                return []
            case BlockStop() | StreamFailed() if self._input is not None:
                answer, self._input = _answer("".join(self._input)), None
                return [TextDelta(answer), event] if answer else [event]
            case MessageStop(reason=StopReason.TOOL_USE) if self._exited and not self._called:
                return [evolve(event, reason=StopReason.END_TURN)]
            case _:
                return [event]


def _answer(text: str) -> str:
    """Return the answer; one that is not as it was asked for is shown as it came."""
    given = json.object_of(text.encode("utf-8", "replace"))
    response = None if given is None else given.get("response")
    return response if isinstance(response, str) else text
