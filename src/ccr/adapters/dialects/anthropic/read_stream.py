"""A streamed reply of a provider: frames to events (domain/stream/grammar.py says which may follow which).

Providers that merely speak like Anthropic interleave blocks, forget to stop them or put content into their start. One
block is open at a time here: what comes for a later block is held until the open one stops, and indices are ours. What
cannot be read with certainty ends in StreamFailed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec
from attrs import define, field
from msgspec import Raw, Struct

from ccr.adapters.dialects.anthropic.blocks import read_block, read_citation
from ccr.adapters.dialects.anthropic.errors import decode_error
from ccr.adapters.dialects.anthropic.read_reply import WireReply, details_of, stop_reason
from ccr.adapters.dialects.anthropic.seals import SIGNATURE, read_seal
from ccr.adapters.dialects.anthropic.usage import read_usage
from ccr.adapters.wire import json
from ccr.domain.conversation import ServerToolCall, Text, Thinking, ToolCall
from ccr.domain.errors import GatewayError, InvalidRequestError, UpstreamProtocolError
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    CitationDelta,
    MessageStart,
    MessageStop,
    SealDelta,
    StreamFailed,
    TextDelta,
    ThinkingDelta,
    ToolInputDelta,
    UsageUpdate,
)
from ccr.domain.usage import NO_USAGE
from ccr.domain.value import evolve
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.application.ports.dialect import Frame, Framer
    from ccr.domain.conversation import ContentBlock
    from ccr.domain.stream import StreamEvent

__all__ = ["EVENT", "AnthropicStreamDecoder", "WireEvent"]

_HELD = 16 * 1024 * 1024
"""Characters held for blocks whose turn has not come: as much as one event may have (wire/sse.py)."""


class WireDelta(Struct, gc=False):
    """``delta`` of content_block_delta and of message_delta."""

    type: str = ""
    text: str = ""
    thinking: str = ""
    partial_json: str = ""
    signature: str = ""
    citation: Raw = Raw()
    stop_reason: str | None = None
    stop_sequence: str | None = None


class WireEvent(Struct, gc=False):
    """Any event."""

    type: str = ""
    index: int | None = None
    message: WireReply | None = None
    content_block: Raw = Raw()
    delta: Raw = Raw()
    usage: Raw = Raw()
    error: Raw = Raw()


class _ContentDelta(Struct, gc=False):
    """The one event that comes by the hundred, read in one go."""

    delta: WireDelta
    type: str = ""
    index: int | None = None


EVENT = msgspec.json.Decoder(WireEvent)
_CONTENT_DELTA = msgspec.json.Decoder(_ContentDelta)
_DELTA = msgspec.json.Decoder(WireDelta)
_DELTAS = {
    "text_delta": ((Text,), lambda delta: TextDelta(delta.text)),
    "thinking_delta": ((Thinking,), lambda delta: ThinkingDelta(delta.thinking)),
    "input_json_delta": ((ToolCall, ServerToolCall), lambda delta: ToolInputDelta(delta.partial_json)),
    "signature_delta": ((Thinking,), lambda delta: SealDelta(read_seal(SIGNATURE, delta.signature))),
    "citations_delta": ((Text,), lambda delta: CitationDelta(read_citation(delta.citation))),
}  # type: dict[str, tuple[tuple[type, ...], Callable[[WireDelta], StreamEvent]]]


@define(eq=False)
class _Block:
    """A block on the wire: ``held`` are its events while an earlier one is open."""

    wire_index: int | None
    block: ContentBlock
    held: list[StreamEvent] = field(factory=list)
    stopped: bool = False
    filled: bool = False  # deltas of a tool's input came


class _Illegal(Exception):  # noqa: N818  # never leaves this module
    """The reply is not legal."""


class AnthropicStreamDecoder:
    """:class:`ccr.application.ports.dialect.StreamDecoder` of the Messages API."""

    def __init__(self, framer: Framer) -> None:
        self._framer = framer
        self._events: list[StreamEvent] = []
        self._blocks: list[_Block] = []  # the open one first, then those that wait
        self._index = 0
        self._held = 0
        self._started = False
        self._ended = False
        self._calls = False
        self._stop: MessageStop | None = None

    @property
    def finishing(self) -> bool:
        """The provider has said why it stops."""
        return self._stop is not None and not self._blocks and not self._ended

    def feed(self, data: bytes) -> list[StreamEvent]:
        """Return the events that ``data`` completes."""
        if self._ended:
            return []
        try:
            frames = self._framer.feed(data)
        except GatewayError as error:
            return self._fail(error)
        return self._read(frames)

    def close(self) -> list[StreamEvent]:
        """End of input: an end is only what was said to be one."""
        if self._ended:
            return []
        try:
            # Half an event is no event: what was cut off is not junk.
            frames = [frame for frame in self._framer.close() if json.object_of(frame.data) is not None]
        except GatewayError as error:
            return self._fail(error)
        events = self._read(frames)
        if self._ended:
            return events
        if self._stop is not None and not self._blocks:
            # A stop reason and no open block is an end even without message_stop (user-pains P2).
            self._ended = True
            return [*events, self._stop]
        return [*events, *self._fail(UpstreamProtocolError("the reply ended before it was complete"))]

    def _read(self, frames: list[Frame]) -> list[StreamEvent]:
        for frame in frames:
            try:
                self._frame(frame)
            except _Illegal as error:
                self._fail(UpstreamProtocolError(f"the provider's stream is not legal: {error}"))
            except InvalidRequestError as error:
                self._fail(UpstreamProtocolError(f"the provider's stream is not legal: {error.message}"))
            if self._ended:
                break
        events, self._events = self._events, []
        return events

    def _fail(self, error: GatewayError) -> list[StreamEvent]:
        self._ended = True
        self._blocks.clear()
        self._events.append(StreamFailed(error))
        return self._events

    def _frame(self, frame: Frame) -> None:
        data = frame.data
        if b'"content_block_delta"' in data[:64]:
            self._content_delta(data)
            return
        if data.strip() in (b"", b"[DONE]"):
            return
        try:
            event = json.decode_tolerant(EVENT, data)
        except ValueError as error:
            raise _Illegal("an event is not JSON of the right shape") from error
        handler = self._HANDLERS.get(event.type or frame.event.decode("utf-8", "replace"))
        if handler is not None:  # events of a later day are not ours to judge
            handler(self, event, data)

    # ------------------------------------------------------------------------------------- the message

    def _message_start(self, event: WireEvent, _data: bytes) -> None:
        message = event.message or WireReply()
        usage = read_usage(message.usage)
        if not self._started:
            self._started = True
            self._events.append(MessageStart(message.id or "", message.model or "", usage))
        elif usage != NO_USAGE:
            self._events.append(UsageUpdate(usage))

    def _message_delta(self, event: WireEvent, data: bytes) -> None:
        self._must_have_started("message_delta")
        usage = read_usage(event.usage, later=True)
        delta = self._delta_of(event.delta) if event.delta else WireDelta()
        if delta.stop_reason is None:
            if usage != NO_USAGE and self._stop is None:
                self._events.append(UsageUpdate(usage))
            elif self._stop is not None:
                self._stop = evolve(self._stop, usage=self._stop.usage.merged(usage))
            return
        self._stop_all()
        before = self._stop.usage if self._stop is not None else NO_USAGE
        self._stop = MessageStop(
            stop_reason(delta.stop_reason, calls=self._calls),
            delta.stop_sequence,
            details_of(event.delta) or details_of(data),
            before.merged(usage),
        )

    def _message_stop(self, _event: WireEvent, _data: bytes) -> None:
        if self._stop is None:
            raise _Illegal("it ended without saying why")
        self._stop_all()
        self._ended = True
        self._events.append(self._stop)

    def _error(self, _event: WireEvent, data: bytes) -> None:
        self._fail(decode_error(200, {}, data, provider=""))

    def _must_have_started(self, what: str) -> None:
        if not self._started:
            raise _Illegal(f"{what} before message_start")

    # ----------------------------------------------------------------------------------------- blocks

    def _block_start(self, event: WireEvent, _data: bytes) -> None:
        self._must_have_started("content_block_start")
        given = read_block(event.content_block, "content_block")
        if self._blocks and event.index in (None, self._blocks[-1].wire_index):
            self._stopped(
                self._blocks[-1]
            )  # the same index again: the provider forgot to stop the one before
        empty, first = _emptied(given)
        block = _Block(event.index, given)
        self._calls = self._calls or isinstance(given, ToolCall)
        self._blocks.append(block)
        self._say(block, BlockStart(self._index + len(self._blocks) - 1, empty))
        for one in first:
            self._say(block, one)

    def _content_delta(self, data: bytes) -> None:
        self._must_have_started("content_block_delta")
        try:
            event = json.decode_tolerant(_CONTENT_DELTA, data)
        except ValueError as error:
            raise _Illegal("a delta is not JSON of the right shape") from error
        delta = event.delta
        block = self._at(event.index)
        entry = _DELTAS.get(delta.type)
        if entry is None:
            return  # a delta of a later day
        kinds, make = entry
        if not isinstance(block.block, kinds):
            raise _Illegal(f"{delta.type} for a {type(block.block).__name__} block")
        made = make(delta)
        if type(made) is ToolInputDelta:
            if not made.text:
                return
            block.filled = True
        self._say(block, made)

    def _block_stop(self, event: WireEvent, _data: bytes) -> None:
        self._must_have_started("content_block_stop")
        self._stopped(self._at(event.index))

    def _at(self, index: int | None) -> _Block:
        for block in self._blocks:
            if not block.stopped and (index is None or block.wire_index == index):
                return block
        raise _Illegal(f"block {index} is not open")

    def _say(self, block: _Block, event: StreamEvent) -> None:
        if block is self._blocks[0]:
            self._events.append(event)
            return
        block.held.append(event)
        self._held += len(getattr(event, "text", "")) + 100
        if self._held > _HELD:
            raise _Illegal("blocks that wait for their turn hold too much")

    def _stopped(self, block: _Block) -> None:
        """Stop a block; if it is the open one, those that waited have their turn."""
        given = block.block
        if isinstance(given, ToolCall | ServerToolCall) and not block.filled:
            text = given.input.data.decode() if isinstance(given.input, Json) else given.input
            if text != "{}":
                self._say(block, ToolInputDelta(text))
        block.stopped = True
        while self._blocks and self._blocks[0].stopped:
            self._blocks.pop(0)
            self._events.append(BlockStop(self._index))
            self._index += 1
            if self._blocks:
                self._events += self._blocks[0].held
                self._blocks[0].held.clear()

    def _stop_all(self) -> None:
        for block in list(self._blocks):
            if not block.stopped:
                self._stopped(block)

    def _delta_of(self, raw: Raw) -> WireDelta:
        try:
            return json.decode_tolerant(_DELTA, bytes(raw))
        except ValueError as error:
            raise _Illegal("message_delta is not of the right shape") from error

    _HANDLERS: ClassVar[dict[str, Callable[..., None]]] = {
        "message_start": _message_start,
        "message_delta": _message_delta,
        "message_stop": _message_stop,
        "content_block_start": _block_start,
        "content_block_stop": _block_stop,
        "error": _error,
    }


def _emptied(block: ContentBlock) -> tuple[ContentBlock, list[StreamEvent]]:
    """Return a block as a BlockStart has it, and what its start already held as deltas."""
    first: list[StreamEvent] = []
    match block:
        case Text(text=text, citations=citations):
            if text:
                first.append(TextDelta(text))
            first += map(CitationDelta, citations)
            return evolve(block, text="", citations=()), first
        case Thinking(text=text, seal=seal):
            if text:
                first.append(ThinkingDelta(text))
            if seal is not None:
                first.append(SealDelta(seal))
            return Thinking(""), first
        case ToolCall() | ServerToolCall():
            return evolve(block, input=""), first
        case _:
            return block, first
