"""Looks at a relayed reply and changes no byte.

Text goes by with a byte comparison an event; only what begins or ends something, reports usage or builds up a tool's
input is decoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec
from msgspec import Raw, Struct

from ccr.adapters.dialects.anthropic.errors import decode_error, error_event_data
from ccr.adapters.dialects.anthropic.read_reply import WireReply, decode_reply
from ccr.adapters.dialects.anthropic.usage import read_usage
from ccr.adapters.dialects.anthropic.write_reply import CUT_SHORT, broken_call
from ccr.adapters.wire import json
from ccr.adapters.wire.sse import DEFAULT_LIMIT, SseFramer, write_event
from ccr.application.ports.dialect import Frame
from ccr.domain.errors import GatewayError, UpstreamProtocolError
from ccr.domain.usage import NO_USAGE, Usage

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AnthropicStreamWatch", "AnthropicWholeWatch"]

_CUT_SHORT = frozenset(reason.value for reason in CUT_SHORT)
_TOOLS = frozenset({"tool_use", "server_tool_use"})
_ENDED_EARLY = "the reply ended before it was complete"


class _Start(Struct, gc=False):
    type: str = ""
    name: str = ""


class _Input(Struct, gc=False):
    partial_json: str = ""


class _Stop(Struct, gc=False):
    stop_reason: str | None = None


class _Event(Struct, gc=False):
    type: str = ""
    message: WireReply | None = None
    content_block: _Start | None = None
    usage: Raw = Raw()


class _InputEvent(Struct, gc=False):
    delta: _Input


class _StopEvent(Struct, gc=False):
    delta: _Stop | None = None


_EVENT = msgspec.json.Decoder(_Event)
_INPUT = msgspec.json.Decoder(_InputEvent)
_STOP = msgspec.json.Decoder(_StopEvent)


class AnthropicStreamWatch:
    """:class:`ccr.application.ports.dialect.ReplyWatch` of a streamed reply."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.usage: Usage = NO_USAGE
        self.open_block = False
        self.started = False
        self.ended = False
        self.error: GatewayError | None = None
        self.progress = 0
        self._framer = SseFramer(limit)
        self._reason: str | None = None
        self._tool: str | None = None
        self._input: list[str] = []
        self._broken: str | None = None

    def feed(self, data: bytes) -> None:
        """Look at what goes by."""
        if self.error is not None or self.ended:
            return
        try:
            frames = self._framer.feed(data)
        except GatewayError as error:
            self.error = error
            return
        self._look(frames)

    def close(self, error: GatewayError | None = None) -> bytes:
        """Return one error event if the reply had not ended; first it closes an event that was cut in the middle."""
        if self.ended:
            return b""
        cut = b"\n\n" if self._framer.pending else b""
        if error is None and self.error is None:
            self._last_frames()
            if self.ended:
                return b""
        if self._reason is not None and not self.open_block and self._broken is None and self.error is None:
            # A stop reason and no open block is an end even without message_stop (user-pains P2).
            self.ended = True
            return b""
        self.error = self.error or error or UpstreamProtocolError(_ENDED_EARLY)
        return cut + write_event(b"error", error_event_data(self.error))

    def _last_frames(self) -> None:
        try:
            # Half an event is no event: what was cut off is not junk.
            self._look([frame for frame in self._framer.close() if json.object_of(frame.data) is not None])
        except GatewayError as error:
            self.error = error

    def _look(self, frames: list[Frame]) -> None:
        for frame in frames:
            try:
                self._frame(frame)
            except ValueError:
                self.error = UpstreamProtocolError("the provider's stream holds an event that is not JSON")
            if self.ended or self.error is not None:
                return

    def _frame(self, frame: Frame) -> None:
        name, data = frame.event, frame.data
        if name == b"content_block_delta":
            self.progress += 1
            self._delta(data)
            return
        if name == b"ping":
            return
        event = json.decode_tolerant(_EVENT, data)
        kind = event.type or name.decode("utf-8", "replace")
        if kind == "ping":
            return
        self.progress += 1
        handler = self._HANDLERS.get(kind)
        if handler is not None:  # events of a later day are not ours to judge
            handler(self, event, data)

    def _unnamed_delta(self, _event: _Event, data: bytes) -> None:
        self._delta(data)

    def _delta(self, data: bytes) -> None:
        if self._tool is not None:
            self._input.append(json.decode_tolerant(_INPUT, data).delta.partial_json)
        elif not (data.startswith(b"{") and data.endswith(b"}")):
            json.decode(data)

    def _message_start(self, event: _Event, _data: bytes) -> None:
        self.usage = self.usage.merged(read_usage(event.message.usage if event.message else Raw()))

    def _begin(self, event: _Event, _data: bytes) -> None:
        block = event.content_block or _Start()
        self._refuse_broken()
        self.started = self.open_block = True
        self._tool = block.name if block.type in _TOOLS else None
        self._input.clear()

    def _finish(self, _event: _Event, _data: bytes) -> None:
        self.open_block = False
        text = "".join(self._input)
        if self._tool is not None and text and not json.is_object(text):
            self._broken = self._tool
        self._tool = None
        self._input.clear()

    def _message_delta(self, event: _Event, data: bytes) -> None:
        self.usage = self.usage.merged(read_usage(event.usage, later=True))
        delta = json.decode_tolerant(_STOP, data).delta
        reason = delta.stop_reason if delta else None
        if reason is not None:
            self._reason = reason
            if reason in _CUT_SHORT:
                self._broken = None
            self._refuse_broken()

    def _message_stop(self, _event: _Event, _data: bytes) -> None:
        self._refuse_broken()
        if self.error is None:
            self.started = self.ended = True

    def _refuse_broken(self) -> None:
        """A tool call that ended broken is a fault, unless the reply turns out to be cut short."""
        if self._broken is not None:
            self.error = broken_call(self._broken)

    def _failed(self, _event: _Event, data: bytes) -> None:
        self.error = decode_error(200, {}, data, provider="")

    _HANDLERS: ClassVar[dict[str, Callable[..., None]]] = {
        "message_start": _message_start,
        "content_block_start": _begin,
        "content_block_delta": _unnamed_delta,
        "content_block_stop": _finish,
        "message_delta": _message_delta,
        "message_stop": _message_stop,
        "error": _failed,
    }


class AnthropicWholeWatch:
    """:class:`ccr.application.ports.dialect.ReplyWatch` of a reply that comes whole: judged at its end."""

    def __init__(self) -> None:
        self.usage: Usage = NO_USAGE
        self.open_block = False
        self.started = False
        self.ended = False
        self.error: GatewayError | None = None
        self.progress = 0
        self._body: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Keep what goes by; whoever reads the body bounds it."""
        self._body.append(data)
        self.progress += 1

    def close(self, error: GatewayError | None = None) -> bytes:
        """Judge the reply. Returns nothing: there is no event in a whole reply."""
        body, self._body = b"".join(self._body), []
        if self.ended or self.error is not None:
            return b""
        self.error = error
        if error is None:
            try:
                reply = decode_reply(body)
            except GatewayError as fault:
                self.error = fault
            else:
                self.usage = read_usage(reply.usage)
                self.started = self.ended = True
        return b""
