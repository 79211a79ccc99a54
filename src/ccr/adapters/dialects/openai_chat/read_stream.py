"""A streamed reply: chunks in, events out.

The machine makes one legal stream of whatever order providers choose (user-pains P1, P2, P5, P6): blocks never
overlap, parallel calls are buffered, usage may come before, with or after the reason to stop. An end without such a
reason is a failure, ``[DONE]`` or not: relays in between write it after a cut as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_chat.deltas import arguments_text, citations, reasoning_texts, texts
from ccr.adapters.dialects.openai_chat.errors import error_in_reply
from ccr.adapters.dialects.openai_chat.segments import Segments, ToolSegment
from ccr.adapters.dialects.openai_chat.usage import read_usage
from ccr.adapters.dialects.openai_chat.wire import CHUNK, Choice, Chunk, Delta, ToolPiece
from ccr.adapters.wire import json
from ccr.domain.errors import GatewayError, UpstreamProtocolError, UpstreamUnavailableError
from ccr.domain.reply import StopReason
from ccr.domain.stream import MessageStart, MessageStop, StreamFailed, UsageUpdate
from ccr.domain.usage import NO_USAGE

if TYPE_CHECKING:
    from ccr.application.ports.dialect import Frame, Framer
    from ccr.domain.stream import StreamEvent

__all__ = ["ChatReader", "ChatStreamDecoder"]

_REASONS = {
    "stop": StopReason.END_TURN,
    "eos": StopReason.END_TURN,
    "length": StopReason.MAX_TOKENS,
    "max_tokens": StopReason.MAX_TOKENS,
    "model_length": StopReason.MAX_TOKENS,
    "tool_calls": StopReason.TOOL_USE,
    "function_call": StopReason.TOOL_USE,
    "content_filter": StopReason.REFUSAL,
    "refusal": StopReason.REFUSAL,
    "sensitive": StopReason.REFUSAL,
    "model_context_window_exceeded": StopReason.CONTEXT_WINDOW,
}
_FAILED = frozenset({"error", "network_error", "insufficient_system_resource", "abort"})
"""Reasons that say that the reply is none (OpenRouter, Zhipu, DeepSeek, SGLang)."""

_WHOLE_LIMIT = 64 * 1024 * 1024
"""Bytes of a JSON body in place of a stream."""


class ChatReader:
    """Reads chunks, in order. ``take`` and ``end`` return events and raise the error that ends the reply."""

    def __init__(self, *, stream: bool = True) -> None:
        self._stream = stream
        self._segments: Segments | None = None
        self._usage = NO_USAGE
        self._finish = ""
        self._sequence: str | None = None
        self._refused = False
        self._by_index: dict[object, ToolSegment] = {}
        self._touched: ToolSegment | None = None

    @property
    def finished(self) -> bool:
        """The provider has given a reason to stop."""
        return bool(self._finish)

    def take(self, chunk: Chunk) -> list[StreamEvent]:
        """Read one chunk. Raises GatewayError."""
        error = error_in_reply(chunk)
        if error is not None:
            raise error
        events: list[StreamEvent] = []
        usage = self._new_usage(chunk)
        segments = self._segments
        if segments is None:
            chunk_id, model = _text(chunk.id), _text(chunk.model)
            segments = self._segments = Segments(chunk_id, live=self._stream)
            events.append(MessageStart(chunk_id, model, self._usage))
        elif usage:
            events.append(UsageUpdate(self._usage))
        # More than one choice comes only to those who ask for it, and we do not.
        if chunk.choices:
            self._choice(segments, chunk.choices[0])
        events.extend(segments.events)
        segments.events.clear()
        return events

    def end(self) -> list[StreamEvent]:
        """The provider has no more to say. Raises UpstreamProtocolError."""
        segments = self._segments
        if segments is None:
            raise UpstreamProtocolError("the provider's reply is empty")
        if not self._finish:
            raise UpstreamProtocolError("the provider's reply ended before it was complete")
        reason = _REASONS.get(self._finish, StopReason.END_TURN)
        segments.finish(cut=reason in (StopReason.MAX_TOKENS, StopReason.CONTEXT_WINDOW))
        events = segments.events
        # Many say `stop` although there are calls; some say `tool_calls` although there are none.
        if reason in (StopReason.END_TURN, StopReason.TOOL_USE):
            reason = StopReason.TOOL_USE if segments.tools else StopReason.END_TURN
        if self._refused and reason is StopReason.END_TURN:
            reason = StopReason.REFUSAL
        if self._sequence is not None and reason is StopReason.END_TURN:
            return [*events, MessageStop(StopReason.STOP_SEQUENCE, self._sequence, usage=self._usage)]
        return [*events, MessageStop(reason, usage=self._usage)]

    def _new_usage(self, chunk: Chunk) -> bool:
        said = chunk.usage
        if said is None and isinstance(chunk.x_groq, Mapping):
            said = chunk.x_groq.get("usage")
        if said is None:
            return False
        merged = self._usage.merged(read_usage(said))
        changed = merged != self._usage
        self._usage = merged
        return changed

    def _choice(self, segments: Segments, choice: Choice) -> None:
        # Some send the whole message in the last chunk, after its pieces or in their place.
        whole = choice.message is not None and not segments.any_content
        delta = choice.message if whole else choice.delta
        if delta is not None:
            self._delta(segments, delta)
        finish = _text(choice.finish_reason)
        if finish in _FAILED:
            raise UpstreamUnavailableError(f"the provider gave the reply up ({finish})")
        self._finish = finish or self._finish
        if isinstance(choice.stop_reason, str):
            self._sequence = choice.stop_reason

    def _delta(self, segments: Segments, delta: Delta) -> None:
        for text in reasoning_texts(delta):
            segments.prose("thinking", text)
        if delta.content:
            self._content(segments, delta.content)
        if isinstance(delta.refusal, str) and delta.refusal:
            self._refused = True
            segments.prose("text", delta.refusal)
        for citation in citations(delta.annotations):
            segments.cite(citation)
        if delta.tool_calls:
            seen: set[int] = set()
            for piece in delta.tool_calls:
                self._tool(segments, piece, seen)

    def _content(self, segments: Segments, content: object) -> None:
        if isinstance(content, str):
            segments.prose("text", content)
        for part in content if isinstance(content, list) else ():
            if not isinstance(part, Mapping):
                continue
            for text in texts(part.get("thinking")):
                segments.prose("thinking", text)
            for text in texts(part.get("text")):
                segments.prose("text", text)

    def _tool(self, segments: Segments, piece: ToolPiece, seen: set[int]) -> None:
        function = piece.function
        name = (function.name if function else None) or ""
        arguments = arguments_text(function.arguments if function else None)
        tool = self._continued(piece, name, arguments, seen)
        if tool is None:
            tool = segments.tool()
        if piece.index is not None:
            self._by_index[_key(piece.index)] = tool
        self._touched = tool
        seen.add(tool.order)
        segments.name_id(tool, _text(piece.id))
        # A name in two pieces is joined; one that is repeated with every piece is not.
        if name and name != tool.name and not tool.pieces:
            tool.name += name
        if arguments:
            segments.input(tool, arguments)
        segments.pump()

    def _continued(self, piece: ToolPiece, name: str, arguments: str, seen: set[int]) -> ToolSegment | None:
        """Return the call that this piece goes on with, None if it begins one."""
        if piece.index is None:
            tool = self._touched
            if tool is not None and tool.order in seen:
                return None
        else:
            tool = self._by_index.get(_key(piece.index))
        if tool is None or not name:
            return tool
        wanted = _text(piece.id)
        if wanted and tool.id and wanted != tool.id:
            return None  # an index used twice
        if wanted and wanted == tool.id:
            return tool
        begun = bool(tool.pieces) and (name != tool.name or (bool(arguments) and tool.complete()))
        return None if begun else tool


class ChatStreamDecoder:
    """:class:`ccr.application.ports.dialect.StreamDecoder` of chat completions."""

    def __init__(self, framer: Framer) -> None:
        self._framer = framer
        self._reader = ChatReader()
        self._ended = False
        self._head: bytes | None = b""  # until the first byte that is not white space
        self._whole: bytearray | None = None  # a JSON body, where a stream was asked for

    def feed(self, data: bytes) -> list[StreamEvent]:
        """Take what the network gave; never raises."""
        if self._ended:
            return []
        if self._head is not None:
            data = self._peek(data)
        if self._whole is not None:
            self._whole += data
            if len(self._whole) > _WHOLE_LIMIT:
                return self._failed(
                    [], UpstreamProtocolError(f"the reply is longer than {_WHOLE_LIMIT} bytes")
                )
            return []
        events: list[StreamEvent] = []
        try:
            self._frames(self._framer.feed(data), events)
        except GatewayError as error:
            return self._failed(events, error)
        return events

    def close(self) -> list[StreamEvent]:
        """End of input."""
        if self._ended:
            return []
        events: list[StreamEvent] = []
        try:
            if self._whole is not None:
                self._json(bytes(self._whole), events)
            else:
                self._frames(self._framer.close(), events)
            if not self._ended:
                self._end(events)
        except GatewayError as error:
            return self._failed(events, error)
        return events

    def _peek(self, data: bytes) -> bytes:
        head = (self._head or b"") + data
        shown = head.lstrip()
        if not shown:
            self._head = head[-1:]
            return b""
        self._head = None
        if shown.startswith(b"{"):
            self._whole = bytearray()
        return head

    def _frames(self, frames: list[Frame], events: list[StreamEvent]) -> None:
        for frame in frames:
            if self._ended:
                return
            data = frame.data.strip()
            if data == b"[DONE]":
                self._end(events)
            elif data:
                events.extend(self._reader.take(_chunk(data)))

    def _json(self, body: bytes, events: list[StreamEvent]) -> None:
        events.extend(whole_reply(ChatReader(stream=False), body))
        self._ended = True

    def _end(self, events: list[StreamEvent]) -> None:
        self._ended = True
        events.extend(self._reader.end())

    def _failed(self, events: list[StreamEvent], error: GatewayError) -> list[StreamEvent]:
        self._ended = True
        events.append(StreamFailed(error))
        return events


def whole_reply(reader: ChatReader, body: bytes) -> Iterator[StreamEvent]:
    """Read a body that is one JSON reply. Raises GatewayError. A whole reply needs no reason to be complete."""
    chunk = _chunk(body)
    yield from reader.take(chunk)
    if not chunk.choices:
        raise UpstreamProtocolError("the provider's reply holds no message")
    if not reader.finished:
        yield from reader.take(Chunk(choices=[Choice(finish_reason="stop")]))
    yield from reader.end()


def _chunk(data: bytes) -> Chunk:
    try:
        return json.decode_tolerant(CHUNK, data)
    except ValueError as error:
        raise UpstreamProtocolError("the provider's reply is not a chat completion") from error


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _key(index: object) -> object:
    return index if isinstance(index, int | str) else 0
