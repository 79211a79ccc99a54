"""A reply's events as deltas of one chat message: what streams write chunk by chunk, and whole replies gather.

A message has one text, one reasoning and a list of calls, so blocks of one kind are joined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeAlias

from ccr.adapters.dialects.openai_chat.annotations import Annotations
from ccr.adapters.dialects.openai_chat.carriers import APART, call_id, sealed_details, worth_carrying
from ccr.adapters.wire import json
from ccr.adapters.wire.web_results import KIND
from ccr.domain.conversation import ServerToolResult, Text, Thinking, ToolCall
from ccr.domain.reply import StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    CitationDelta,
    SealDelta,
    TextDelta,
    ThinkingDelta,
    ToolInputDelta,
)
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.adapters.dialects.openai_chat.read_request import ChatEcho
    from ccr.domain.conversation import ContentBlock
    from ccr.domain.provenance import Seal
    from ccr.domain.stream import StreamEvent

__all__ = ["CUT_SHORT", "Delta", "ReplyDeltas", "finish_reason"]

Delta: TypeAlias = dict[str, object]

CUT_SHORT = frozenset({StopReason.MAX_TOKENS, StopReason.CONTEXT_WINDOW})
"""Reasons for which the last tool call may rightly be half a call."""

_FINISH = {
    StopReason.END_TURN: "stop",
    StopReason.STOP_SEQUENCE: "stop",
    StopReason.PAUSE_TURN: "stop",
    StopReason.MAX_TOKENS: "length",
    StopReason.CONTEXT_WINDOW: "length",
    StopReason.TOOL_USE: "tool_calls",
    StopReason.REFUSAL: "content_filter",
}
_LONGEST_REFUSAL = 16_384
"""Characters; refusals are short, and every stream that may become one keeps its text until then."""


def finish_reason(reason: StopReason, echo: ChatEcho) -> str:
    """Return the ``finish_reason``."""
    return "function_call" if reason is StopReason.TOOL_USE and echo.legacy else _FINISH[reason]


class ReplyDeltas:
    """One instance writes one reply. ``broken`` names a call that ended with an input that is no JSON object."""

    def __init__(self, echo: ChatEcho) -> None:
        self._echo = echo
        self._open: ContentBlock | None = None
        self._pieces: list[str] = []
        self._calls = 0
        self._call_index: int | None = None  # of the open call, if its input goes out piece by piece
        self._length = 0  # of the content so far
        self._begun = 0  # where the open text or thinking begins
        self._apart = False
        self._refusal: list[str] | None = []
        self._thought = 0  # length of the reasoning so far
        self._seal: Seal | None = None
        self._seals = 0
        self._annotations = Annotations()
        self.broken = ""

    def take(self, event: StreamEvent) -> list[Delta]:
        """Return the deltas of an event inside or around a block; of every other event none."""
        writer = self._WRITERS.get(type(event))
        return [] if writer is None else writer(self, event)

    def last(self, reason: StopReason) -> list[Delta]:
        """Return what is known only at the end: the annotations in one piece, and that the text was a refusal.

        The official client joins lists by the ``index`` of their entries, which annotations have not.
        """
        deltas: list[Delta] = []
        if found := self._annotations.all():
            deltas.append({"annotations": found})
        if reason is StopReason.REFUSAL and self._refusal:
            deltas.append({"refusal": "".join(self._refusal)})
        return deltas

    # ---------------------------------------------------------------------------------------- blocks

    def _start(self, event: BlockStart) -> list[Delta]:
        block = event.block
        self._open, self._pieces, self._seal = block, [], None
        if isinstance(block, Text):
            self._begun = self._length
            return [{"content": self.text(block.text)}] if block.text else []
        self._apart = True
        if isinstance(block, Thinking):
            self._begun, self._seal = self._thought, block.seal
        elif isinstance(block, ToolCall):
            return self._call(block)
        elif isinstance(block, ServerToolResult) and block.kind == KIND:
            self._annotations.add_results(block.content)
        return []

    def text(self, text: str) -> str:
        """Take a piece of text; return it as it stands in the content."""
        if self._apart:
            if self._length:
                text = APART + text
                self._begun += len(APART)
            self._apart = False
        self._length += len(text)
        if self._refusal is not None:
            self._refusal.append(text)
            if self._length > _LONGEST_REFUSAL:
                self._refusal = None
        return text

    def thinking(self, text: str) -> str:
        """Take a piece of thinking; return it as it stands in the reasoning."""
        if self._thought and self._begun == self._thought:
            self._begun += len(APART)
            text = APART + text
        self._thought += len(text)
        return text

    def input(self, text: str) -> int | None:
        """Take a piece of input; return the index of the call that is given it as it is, None if it is none of these."""
        if self._call_index is not None:
            self._pieces.append(text)
        return self._call_index

    def _text(self, event: TextDelta) -> list[Delta]:
        return [{"content": self.text(event.text)}]

    def _thinking(self, event: ThinkingDelta) -> list[Delta]:
        return [{"reasoning_content": self.thinking(event.text)}]

    def _keep_seal(self, event: SealDelta) -> list[Delta]:
        if isinstance(self._open, Thinking):  # that of a call stands in its id
            self._seal = event.seal
        return []

    def _cite(self, event: CitationDelta) -> list[Delta]:
        self._annotations.cite(event.citation)
        return []

    def _input(self, event: ToolInputDelta) -> list[Delta]:
        if not isinstance(self._open, ToolCall):
            return []
        self._pieces.append(event.text)
        return [] if self._is_freeform(self._open) else self._arguments(event.text)

    def _stop(self, _event: BlockStop) -> list[Delta]:
        block, self._open = self._open, None
        if isinstance(block, Text):
            self._annotations.placed(self._begun, self._length)
        elif isinstance(block, Thinking):
            return self._sealed()
        elif isinstance(block, ToolCall):
            return self._call_stop(block)
        return []

    def _sealed(self) -> list[Delta]:
        if self._seal is None or not worth_carrying(self._seal):
            return []
        details = sealed_details(self._seal, self._seals, self._begun, self._thought)
        self._seals += len(details)
        return [{"reasoning_details": details}]

    # ----------------------------------------------------------------------------------------- calls

    def _is_freeform(self, block: ToolCall) -> bool:
        return block.name in self._echo.freeform

    def _call(self, block: ToolCall) -> list[Delta]:
        self._calls += 1
        if self._is_freeform(block):
            return []
        named = {"name": block.name, "arguments": ""}
        if not self._echo.legacy:
            self._call_index = self._calls - 1
            return [self._entry({"id": call_id(block), "type": "function", "function": named})]
        return [{"function_call": named}] if self._calls == 1 else []

    def _arguments(self, text: str) -> list[Delta]:
        if not self._echo.legacy:
            return [self._entry({"function": {"arguments": text}})]
        return [{"function_call": {"arguments": text}}] if self._calls == 1 else []

    def _entry(self, fields: Delta) -> Delta:
        return {"tool_calls": [{"index": self._calls - 1, **fields}]}

    def _call_stop(self, block: ToolCall) -> list[Delta]:
        self._call_index = None
        given = "".join(self._pieces)
        whole = given or (block.input.data.decode() if isinstance(block.input, Json) else block.input)
        if self._is_freeform(block):
            custom = {"name": block.name, "input": _freeform(whole)}
            return [self._entry({"id": call_id(block), "type": "custom", "custom": custom})]
        whole = whole or "{}"
        if not json.is_object(whole):
            self.broken = block.name
        return [] if given else self._arguments(whole)

    _WRITERS: ClassVar[dict[type, Callable[..., list[Delta]]]] = {
        BlockStart: _start,
        TextDelta: _text,
        ThinkingDelta: _thinking,
        SealDelta: _keep_seal,
        ToolInputDelta: _input,
        CitationDelta: _cite,
        BlockStop: _stop,
    }


def _freeform(given: str) -> str:
    """Return the text of a freeform call; providers without such tools were offered one with a single parameter."""
    found = json.object_of(given.encode("utf-8", "replace"))
    text = found.get("input") if found is not None and len(found) == 1 else None
    return text if isinstance(text, str) else given
