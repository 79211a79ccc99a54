"""``chutes-glm``: calls of tools that a server printed as text, because it has no parser for the model's own notation.

GLM writes ``<tool_call>NAME``, then for each parameter ``<arg_key>KEY</arg_key>`` and ``<arg_value>VALUE</arg_value>``, then
``</tool_call>`` (chat template of GLM-4.5 and later); other models write ``{"name": ..., "arguments": {...}}`` between the same
tags. A call is taken for one only if it names a tool that was offered; everything else stays text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from attrs import define
from typing_extensions import override

from ccr.adapters.wire import json
from ccr.application.ports.transformer import EventStage, Transformer
from ccr.domain.conversation import FunctionTool, Text, ToolCall
from ccr.domain.reply import StopReason
from ccr.domain.schema import accepts
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    CitationDelta,
    MessageStart,
    MessageStop,
    StreamFailed,
    TextDelta,
    ToolInputDelta,
)
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.domain.conversation import Conversation
    from ccr.domain.models import Destination
    from ccr.domain.stream import StreamEvent

__all__ = ["ChutesGlm"]

_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_PAIR = re.compile(r"<arg_key>(.*?)</arg_key>\s*<arg_value>(.*?)</arg_value>\s*", re.DOTALL)
_MOST_HELD = 4 * 1024 * 1024
"""Characters; a longer call is nobody's."""
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


@define(frozen=True)
class ChutesGlm(Transformer):
    """Make calls of ``<tool_call>`` in the text, where it names a tool that was offered."""

    name: ClassVar[str] = "chutes-glm"

    @override
    def stage_for(self, conversation: Conversation, to: Destination) -> EventStage | None:
        tools = {tool.name: tool for tool in conversation.tools if isinstance(tool, FunctionTool)}
        return _Printed(tools) if tools else None


class _Printed:
    """A stage. Text passes at once but for what may be the beginning of a call; blocks are counted anew."""

    def __init__(self, tools: Mapping[str, FunctionTool]) -> None:
        self._tools = tools
        self._id = ""
        self._index = 0
        self._calls = 0
        self._held: str | None = None  # while a text block of the provider is open
        self._open = False  # a text block of ours
        self._space = ""  # before it
        self._out: list[StreamEvent] = []

    def feed(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        """Return what becomes of these events."""
        for event in events:
            self._take(event)
        out, self._out = self._out, []
        return out

    def _take(self, event: StreamEvent) -> None:
        match event:
            case MessageStart(id=name):
                self._id = name
                self._out.append(event)
            case BlockStart(block=Text()):
                self._held = ""
            case BlockStart():
                self._out.append(evolve(event, index=self._index))
            case TextDelta(text=text) if self._held is not None:
                self._held += text
                self._held = self._rest(self._held)
            case CitationDelta() if not self._open:
                pass  # there is no text yet that it could belong to
            case BlockStop() if self._held is not None:
                self._say(self._held)
                self._held = None
                self._stop()
            case BlockStop():
                self._out.append(BlockStop(self._index))
                self._index += 1
            case StreamFailed() if self._held is not None:
                self._say(self._held)
                self._out.append(event)
            case MessageStop(reason=StopReason.END_TURN | StopReason.STOP_SEQUENCE) if self._calls:
                self._out.append(evolve(event, reason=StopReason.TOOL_USE, stop_sequence=None))
            case _:
                self._out.append(event)

    def _rest(self, text: str) -> str:
        """Send what is sure, return what is not."""
        while (at := text.find(_OPEN)) >= 0:
            end = text.find(_CLOSE, at)
            if end < 0:
                if len(text) > _MOST_HELD:
                    break
                self._say(text[:at])
                return text[at:]
            call = self._call(text[at + len(_OPEN) : end])
            end += len(_CLOSE)
            if call is None:
                self._say(text[:end])
            else:
                self._say(text[:at])
                self._stop()
                self._out.extend(self._made(*call))
            text = text[end:]
        sure = len(text) - _overlap(text)
        self._say(text[:sure])
        return text[sure:]

    def _say(self, text: str) -> None:
        if not self._open:
            # White space is no text of its own (Anthropic refuses it when it is sent back), nor part of one after a call.
            text = self._space + text
            self._space = text if not text.strip() else ""
            if self._space:
                return
            text = text.lstrip() if self._calls else text
            if not text:
                return
            self._open = True
            self._out.append(BlockStart(self._index, Text("")))
        if text:
            self._out.append(TextDelta(text))

    def _stop(self) -> None:
        self._space = ""
        if self._open:
            self._out.append(BlockStop(self._index))
            self._index += 1
            self._open = False

    def _made(self, name: str, given: str) -> Iterator[StreamEvent]:
        # Equal replies, equal ids; different replies have ids of their own.
        call_id = f"call_{_UNSAFE.sub('', self._id)[-40:]}_{self._calls}"
        self._calls += 1
        yield BlockStart(self._index, ToolCall(call_id, name, ""))
        yield ToolInputDelta(given)
        yield BlockStop(self._index)
        self._index += 1

    def _call(self, body: str) -> tuple[str, str] | None:
        """Return name and input (JSON text) of a call; None if it is none."""
        body = body.strip()
        if body.startswith("{"):
            return self._json_call(body)
        name = body.partition("<arg_key>")[0].strip()
        tool, pairs = self._tools.get(name), body[len(name) :]
        if tool is None or _PAIR.sub("", pairs).strip():
            return None
        schema = json.object_of(tool.schema.data) or {}
        declared = schema.get("properties")
        declared = declared if isinstance(declared, Mapping) else {}
        given = {key.strip(): _value(text, declared.get(key.strip())) for key, text in _PAIR.findall(pairs)}
        return name, json.encode(given).decode()

    def _json_call(self, body: str) -> tuple[str, str] | None:
        found = json.object_of(body.encode("utf-8", "replace")) or {}
        name, given = found.get("name"), found.get("arguments", found.get("parameters"))
        if not isinstance(name, str) or name not in self._tools or not isinstance(given, Mapping):
            return None
        return name, json.encode(dict(given)).decode()


def _value(text: str, schema: object) -> object:
    """Text where the schema wants text; else JSON, if it is some."""
    if isinstance(schema, Mapping) and schema.get("type") == "string":
        return text
    try:
        found = json.decode(text.strip().encode("utf-8", "replace"))
    except ValueError:
        return text
    return found if schema is None or accepts(schema, found) else text


def _overlap(text: str) -> int:
    """Return how many characters at the end of ``text`` may be the beginning of a call."""
    return next(
        (size for size in range(min(len(_OPEN) - 1, len(text)), 0, -1) if _OPEN.startswith(text[-size:])), 0
    )
