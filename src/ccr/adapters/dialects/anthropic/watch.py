"""Looks at a relayed reply, lets sound events pass, and changes no byte of them.

Of those who merely speak Anthropic two things are mended that the official SDKs do not forgive: a byte order mark before
the first event, and events whose name stands in their data only.

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
from ccr.adapters.dialects.anthropic.write_reply import CUT_SHORT
from ccr.adapters.wire import json
from ccr.adapters.wire.broken_call import broken_call
from ccr.adapters.wire.passage import Passage
from ccr.adapters.wire.sse import DEFAULT_LIMIT, SseFramer, write_event
from ccr.application.ports.dialect import Frame
from ccr.domain.errors import GatewayError, UpstreamProtocolError
from ccr.domain.usage import NO_USAGE, Usage

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AnthropicStreamWatch", "AnthropicWholeWatch"]

_CUT_SHORT = frozenset(reason.value for reason in CUT_SHORT)
_TOOLS = frozenset({"tool_use", "server_tool_use"})
_ORDERED = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    }
)
_NAMED = _ORDERED | {"ping", "error"}
_DELTA = b"event: content_block_delta\ndata: {"
_DELTA_START = len(_DELTA) - 1
_DELTA_LINES = 3
_BOM = b"\xef\xbb\xbf"
_STOPPED = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
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
    index: int | None = None
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


class _Order:
    """The order of events (Messages API, streaming): a start, blocks that do not overlap, a delta, a stop."""

    __slots__ = ("_begun", "_next", "block")

    def __init__(self) -> None:
        self._begun = False
        self.block: int | None = None
        """The open one."""
        self._next = 0

    def take(self, kind: str, index: int | None) -> None:
        """Raises UpstreamProtocolError for an event that may not come now."""
        if kind not in _ORDERED:
            return
        if kind == "message_start":
            fits = not self._begun
            self._begun = True
        elif kind == "content_block_start":
            fits = self._begun and self.block is None and index == self._next
            self.block, self._next = index, self._next + 1
        elif kind in ("content_block_delta", "content_block_stop"):
            fits = self.block is not None and index == self.block
            if kind == "content_block_stop":
                self.block = None
        else:
            fits = self._begun and self.block is None
        if not fits:
            raise UpstreamProtocolError(f"the provider's stream has a {kind} where none may be")


class AnthropicStreamWatch:
    """:class:`ccr.application.ports.dialect.ReplyWatch` of a streamed reply.

    ``strict``: events out of order are a fault. Anthropic itself is not judged, but for half an event and broken input.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT, *, strict: bool = False) -> None:
        self.usage: Usage = NO_USAGE
        self.open_block = False
        self.started = False
        self.ended = False
        self.error: GatewayError | None = None
        self.progress = 0
        self._passage = Passage(limit)
        self._framer = SseFramer(limit)
        self._order = _Order() if strict else None
        self._closed = False
        self._reason: str | None = None
        self._tool: str | None = None
        self._input: list[str] = []
        self._broken: str | None = None
        self._held = bytearray()
        self._limit = limit
        self._flows = False
        """A block is open of which the deltas are only passed on."""
        self._nameless: str = ""

    def feed(self, data: bytes) -> bytes:
        """Look at what goes by."""
        if self._over:
            return b""
        try:
            events = self._passage.feed(data)
        except GatewayError as error:
            self.error = error
            return b""
        passed: list[bytes] = []
        for event in events:
            if self._flows and event.startswith(_DELTA) and self._is_more(event):
                passed.append(event)
                continue
            passed.append(self._passed(event))
            if self._over:
                break
        return passed[0] if len(passed) == 1 else b"".join(passed)

    def _is_more(self, event: bytes) -> bool:
        """Whether it is a delta of the open block and nothing else, as nine in ten are; what is not is looked at in full.

        JSON text has no line ends, so the third one is the end of the event.
        """
        if not event.endswith(b"}\n\n") or event.count(b"\n") != _DELTA_LINES or b"\r" in event:
            return False
        try:
            if not event.isascii():
                event.decode()
            if self._order is not None:
                read = _EVENT.decode(event[_DELTA_START:])
                if read.type != "content_block_delta" or read.index != self._order.block:
                    return False
        except (ValueError, RecursionError):
            return False
        self.progress += 1
        return True

    def _passed(self, event: bytes) -> bytes:
        """Return what of an event goes on: itself, with its name if it lacks one, or nothing.

        The end of a broken call waits for why the reply ends: a client may run a tool as soon as its block is closed.
        """
        self._nameless = ""
        if not self._sound(event):
            return b""
        event = self._named(event)
        if self._broken is not None:
            self._held += event
            if len(self._held) > self._limit:
                self._refuse_broken()
            return b""
        if self._held:
            event = bytes(self._held) + event
            self._held.clear()
        return event

    def _named(self, event: bytes) -> bytes:
        if self._order is not None and event.startswith(_BOM):
            event = event.removeprefix(_BOM)
        return f"event: {self._nameless}\n".encode() + event if self._nameless else event

    def close(self, error: GatewayError | None = None) -> bytes:
        """End of input, or a cut."""
        if self.ended or self._closed:
            return b""
        self._closed = True
        last = b""
        if error is None and self.error is None:
            last = self._last_event()
            if self.ended:
                return last
        if self._reason is not None and not self.open_block and self._broken is None and self.error is None:
            # A stop reason and no open block is an end even without message_stop (user-pains P2).
            self.ended = True
            return last + _STOPPED
        self.error = self.error or error or UpstreamProtocolError(_ENDED_EARLY)
        return last + write_event(b"error", error_event_data(self.error))

    @property
    def _over(self) -> bool:
        return self.ended or self.error is not None

    @property
    def finishing(self) -> bool:
        """The provider has said why it stops; only the end itself is missing."""
        return self._reason is not None and not self.open_block and not self.ended

    def _last_event(self) -> bytes:
        """Half an event is no event: what was cut off is dropped. A whole one that lacks its empty line is given it."""
        rest = self._passage.rest()
        if not rest.strip():
            return b""
        framer = SseFramer()
        frames = [*framer.feed(rest), *framer.close()]
        if not frames or not all(json.object_of(frame.data) is not None for frame in frames):
            return b""
        closed = rest.rstrip(b"\r\n") + b"\n\n"
        return self._passed(closed)

    def _sound(self, event: bytes) -> bool:
        """Look at one event; False if it must not go on."""
        try:
            if not event.isascii():
                event.decode()
            for frame in self._framer.feed(event):
                self._frame(frame)
        except GatewayError as error:
            self.error = error
        except ValueError:
            self.error = UpstreamProtocolError("the provider's stream holds an event that is not JSON")
        return self.error is None

    def _frame(self, frame: Frame) -> None:
        name, data = frame.event, frame.data
        if name == b"content_block_delta" and self._order is None:
            self.progress += 1
            self._delta(data)
            return
        if name == b"ping":
            return
        event = json.decode_tolerant(_EVENT, data)
        kind = event.type or name.decode("utf-8", "replace")
        if self._order is not None and not name and kind in _NAMED:
            self._nameless = kind
        if kind == "ping":
            return
        self.progress += 1
        if self._order is not None:
            self._order.take(kind, event.index)
            if name and name != kind.encode():
                raise UpstreamProtocolError("an event of the provider's stream has two names")
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
        self._flows = self._tool is None
        self._input.clear()

    def _finish(self, _event: _Event, _data: bytes) -> None:
        self.open_block = self._flows = False
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
        if self._order is not None and self._reason is None:
            raise UpstreamProtocolError("the provider's stream ends without a reason")
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
        self.finishing = False
        self._body: list[bytes] = []

    def feed(self, data: bytes) -> bytes:
        """Keep what goes by; whoever reads the body bounds it."""
        self._body.append(data)
        self.progress += 1
        return data

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
