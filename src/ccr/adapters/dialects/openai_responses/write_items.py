"""Turns as input items. Pure: equal turns give equal items.

Item ids are not sent back, for nothing is stored; reasoning items alone keep theirs, inside their seals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from attrs import define, field

from ccr.adapters.dialects.openai_responses.seals import rebuilt
from ccr.adapters.dialects.openai_responses.wire import NAME, Raw, Wire
from ccr.adapters.dialects.openai_responses.write_media import document_part, image_part, note, search_result
from ccr.adapters.wire import json, web_results
from ccr.adapters.wire.names import LIMIT, short_name
from ccr.adapters.wire.notes import left_out
from ccr.adapters.wire.system_turns import reminder
from ccr.domain.conversation import (
    Document,
    Image,
    Opaque,
    Role,
    ServerToolCall,
    ServerToolResult,
    Text,
    Thinking,
    ToolCall,
    ToolReference,
    ToolResult,
    Turn,
)
from ccr.domain.fidelity import Loss
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ccr.domain.conversation import ContentBlock
    from ccr.domain.models import ModelProfile

__all__ = ["Item", "Losses", "Writer", "custom_calls"]

Item: TypeAlias = Wire | Raw
Losses: TypeAlias = dict[Loss, None]
"""What was lost, each once, in order."""

_EMPTY_RESULT = "(no output)"
"""OpenAI's models halt on an empty result (P6)."""
_PARTS = frozenset({"input_audio", "computer_screenshot"})


def custom_calls(turns: Iterable[Turn]) -> frozenset[str]:
    """Return the ids of calls of freeform tools, whose outputs have a type of their own."""
    return frozenset(
        block.id
        for turn in turns
        for block in turn.blocks
        if isinstance(block, ToolCall) and isinstance(block.input, str)
    )


@define(eq=False)
class Writer:
    """``custom``: ids of calls of freeform tools. ``losses`` gathers what could not be carried over."""

    profile: ModelProfile
    custom: frozenset[str] = frozenset()
    losses: Losses = field(factory=dict)

    def items(self, turn: Turn) -> list[Item]:
        """Return the items of one turn; none if nothing of it can be said here."""
        if turn.role is Role.ASSISTANT:
            return _Answer(self).items(turn.blocks)
        if turn.role is Role.SYSTEM:
            return self._system(turn.blocks)
        return self._user(turn.blocks)

    def lose(self, feature: str, what: str = "dropped") -> None:
        """Remember a loss."""
        self.losses[Loss(feature, what)] = None

    def lose_block(self, block: ContentBlock) -> None:
        """Remember that a block was left out."""
        self.lose(block.kind if isinstance(block, Opaque) else _WORDS[type(block)])

    def _system(self, blocks: Iterable[ContentBlock]) -> list[Item]:
        texts: list[str] = []
        for block in blocks:
            if isinstance(block, Text):
                texts.append(block.text)
            else:
                self.lose_block(block)
        said = "\n\n".join(text for text in texts if text)
        if not said:
            return []
        if self.profile.system_in_turns:
            return [{"role": "developer", "content": said}]
        return [{"role": "user", "content": reminder(said)}]

    def _user(self, blocks: Iterable[ContentBlock]) -> list[Item]:
        """Outputs go first, because they must follow their calls."""
        items: list[Item] = []
        parts: list[Item] = []
        for block in blocks:
            if isinstance(block, ToolResult):
                items.append(self._output(block))
            elif isinstance(block, Opaque) and block.dialect == NAME and block.kind not in _PARTS:
                items.append(Raw(block.data.data))
            else:
                parts += self._part(block)
        return [*items, {"role": "user", "content": parts}] if parts else items

    def _output(self, result: ToolResult) -> Item:
        parts = [made for part in result.content for made in self._part(part)]
        texts = [part["text"] for part in parts if isinstance(part, dict) and part["type"] == "input_text"]
        output: object = "\n".join(map(str, texts)) or _EMPTY_RESULT
        if len(texts) != len(parts):
            output = [note("[tool error]"), *parts] if result.is_error else parts
        elif result.is_error:
            output = f"[tool error] {output}"
        kind = "custom_tool_call_output" if result.call_id in self.custom else "function_call_output"
        return {"type": kind, "call_id": call_id(result.call_id), "output": output}

    def _part(self, block: ContentBlock) -> list[Item]:
        """Return the content parts (none or one) that a block becomes."""
        match block:
            case Text(text=text):
                return [note(text)] if text else []
            case Image():
                return [self._media(image_part(block, self.profile), "image")]
            case Document():
                return [self._media(document_part(block, self.profile), "document")]
            case ToolReference(name=name):
                return [note(f"Tool available: {short_name(name)}")]
            case Opaque(kind="search_result", data=data):
                return [search_result(data)]
            case Opaque(dialect=dialect, data=data) if dialect == NAME:
                return [Raw(data.data)]
            case Opaque(kind=kind):
                self.lose_block(block)
                return [note(left_out(kind))]
            case _:
                self.lose_block(block)
                return []

    def _media(self, part: Wire, kind: str) -> Wire:
        if part.pop("lost", False):
            self.lose(kind, "as text")
        return part


class _Answer:
    """The items of what the model did: reasoning waits for the item that it led to, and goes without one."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._items: list[Item] = []
        self._thoughts: list[Item] = []
        self._message: list[Wire] = []
        self._asked: dict[str, ServerToolCall] = {}

    def items(self, blocks: Iterable[ContentBlock]) -> list[Item]:
        for block in blocks:
            self._one(block)
        if self._thoughts:
            # A reply that was cut: OpenAI refuses a reasoning item without its item.
            self._writer.lose("thinking")
        return self._items

    def _one(self, block: ContentBlock) -> None:
        match block:
            case Text(text=text):
                if text:
                    self._say(text)
            case Thinking():
                self._think(block)
            case ToolCall():
                self._put(_call(block))
            case ServerToolCall():
                self._asked[block.id] = block
            case ServerToolResult(kind=web_results.KIND):
                self._searched(block)
            case Opaque(dialect=dialect, data=data) if dialect == NAME:
                self._put(Raw(data.data))
            case _:
                self._writer.lose_block(block)

    def _put(self, item: Item) -> None:
        self._items += (*self._thoughts, item)
        self._thoughts, self._message = [], []

    def _say(self, text: str) -> None:
        part: Wire = {"type": "output_text", "text": text}
        if self._message and not self._thoughts:
            self._message.append(part)
            return
        content = [part]
        self._put({"type": "message", "role": "assistant", "content": content})
        self._message = content

    def _think(self, thinking: Thinking) -> None:
        item = rebuilt(thinking.seal) if thinking.seal is not None else None
        if item is None:
            self._writer.lose("thinking")
        else:
            self._thoughts.append(item)

    def _searched(self, result: ServerToolResult) -> None:
        asked = self._asked.get(result.call_id)
        found = asked.input if asked is not None else Json(b"{}")
        given = json.object_of(found.data if isinstance(found, Json) else found.encode()) or {}
        said = given.get("query")
        query = said if isinstance(said, str) else ""
        if result.dialect != NAME:
            self._writer.lose("web_search", "as text")
            self._say(web_results.as_text(result.content, query, texts=not result.dialect))
            return
        urls = [
            one["url"] for one in web_results.results_of(result.content) if isinstance(one.get("url"), str)
        ]
        sources = [{"type": "url", "url": url} for url in urls]
        action = {"type": "search", "query": query, "sources": sources}
        self._put({"type": "web_search_call", "status": "completed", "action": action})


def _call(call: ToolCall) -> Wire:
    made: Wire = {"call_id": call_id(call.id), "name": short_name(call.name)}
    if isinstance(call.input, str):
        return {"type": "custom_tool_call", **made, "input": call.input}
    return {"type": "function_call", **made, "arguments": call.input.data.decode() or "{}"}


def call_id(given: str) -> str:
    """Ids are given back as they are, except those that OpenAI refuses for their length."""
    return given if len(given) <= LIMIT else short_name(given)


_WORDS: dict[type, str] = {
    Text: "text",
    Thinking: "thinking",
    Image: "image",
    Document: "document",
    ToolCall: "tool_call",
    ToolResult: "tool_result",
    ToolReference: "tool_reference",
    ServerToolCall: "server_tool",
    ServerToolResult: "server_tool",
}
