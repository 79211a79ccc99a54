"""Makes a tool call of one that a model printed as text (user-pains P7).

Servers without a tool parser give ``<tool_call>{"name": ...}</tool_call>``, or the bare object, as the answer. It is taken
for a call only if the whole text is one, names a tool of the request, and nothing but the end follows: an ordinary JSON
answer stays text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from ccr.adapters.wire import json
from ccr.domain.conversation import Text, ToolCall
from ccr.domain.reply import StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    MessageStart,
    MessageStop,
    TextDelta,
    ToolInputDelta,
    UsageUpdate,
)
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.domain.stream import StreamEvent

__all__ = ["Rescue", "printed_calls"]

_TAG = "<tool_call>"
_TAGGED = re.compile(r"<tool_call>(.*?)</tool_call>\s*", re.DOTALL)
_BARE = re.compile(r"\{\s*(?:\"(?:n(?:a(?:m(?:e(?:\".*)?)?)?)?)?)?", re.DOTALL)
"""A text that begins, or may yet begin, with ``{"name"``."""
_MOST_HELD = 1024 * 1024
"""Characters; a longer call is nobody's."""
_ENDS = frozenset({StopReason.END_TURN, StopReason.STOP_SEQUENCE, StopReason.TOOL_USE})
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


def printed_calls(text: str, tools: Collection[str]) -> list[tuple[str, str]]:
    """Return name and input (JSON text) of every call, if the text is nothing but calls; else nothing."""
    text = text.strip()
    if text.startswith(_TAG):
        bodies = _TAGGED.findall(text)
        if _TAGGED.sub("", text):
            return []
    else:
        bodies = [text]
    calls = [_call(body, tools) for body in bodies]
    return [call for call in calls if call is not None] if all(calls) else []


def _call(body: str, tools: Collection[str]) -> tuple[str, str] | None:
    try:
        found = json.decode(body.strip().encode())
        if not isinstance(found, Mapping) or len(found) != 2:
            return None
        given = found.get("arguments", found.get("parameters"))
        given = json.decode(given.encode()) if isinstance(given, str) else given
    except (ValueError, UnicodeEncodeError):
        return None
    name = found.get("name")
    if not isinstance(name, str) or name not in tools or not isinstance(given, Mapping):
        return None
    return name, json.encode(dict(given)).decode()


def _may_be(text: str) -> bool:
    begun = text.lstrip()
    if not begun or _TAG.startswith(begun) or begun.startswith(_TAG):
        return True
    return _BARE.fullmatch(begun) is not None


class Rescue:
    """A stage. Text that cannot be a call passes at once; text that may be one is held until it is known."""

    def __init__(self, tools: Collection[str]) -> None:
        self._tools = tools
        self._id = ""
        self._off = False
        self._held: list[StreamEvent] = []
        self._text = ""

    def feed(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        """Return what becomes of these events."""
        if self._off:
            return events
        passed: list[StreamEvent] = []
        for event in events:
            passed.extend(self._one(event))
        return passed

    def _one(self, event: StreamEvent) -> Sequence[StreamEvent]:
        if self._held:
            return self._holding(event)
        if isinstance(event, MessageStart):
            self._id = event.id
        elif isinstance(event, BlockStart):
            if isinstance(event.block, Text):
                self._held, self._text = [event], ""
                return ()
            # Beside a real call, printed ones are talk.
            self._off = isinstance(event.block, ToolCall)
        return (event,)

    def _holding(self, event: StreamEvent) -> Sequence[StreamEvent]:
        self._held.append(event)
        if isinstance(event, TextDelta):
            self._text += event.text
            if len(self._text) <= _MOST_HELD and _may_be(self._text):
                return ()
        elif isinstance(event, BlockStop | UsageUpdate):
            return ()
        elif isinstance(event, MessageStop) and event.reason in _ENDS:
            return self._ended(event)
        return self._flushed()

    def _flushed(self) -> Sequence[StreamEvent]:
        held, self._held = self._held, []
        last = held[-1]
        # A text that is over leaves the next one to be looked at; one that goes on is only talk.
        self._off = isinstance(last, BlockStart) and isinstance(last.block, ToolCall)
        if isinstance(last, BlockStart) and isinstance(last.block, Text):
            self._held, self._text = [last], ""
            return held[:-1]
        return held

    def _ended(self, stop: MessageStop) -> Sequence[StreamEvent]:
        calls = printed_calls(self._text, self._tools)
        if not calls:
            return self._flushed()
        start = next(event for event in self._held if isinstance(event, BlockStart))
        made: list[StreamEvent] = [event for event in self._held if isinstance(event, UsageUpdate)]
        for number, (name, given) in enumerate(calls):
            index = start.index + number
            made.append(BlockStart(index, ToolCall(self._call_id(number), name, "")))
            made.extend((ToolInputDelta(given), BlockStop(index)))
        self._held = []
        return [*made, evolve(stop, reason=StopReason.TOOL_USE, stop_sequence=None)]

    def _call_id(self, number: int) -> str:
        """Equal replies, equal ids; different replies have ids of their own."""
        return f"call_{_UNSAFE.sub('', self._id)[-40:]}_{number}"
