"""A streamed reply for our client: ``chat.completion.chunk`` after chunk, then ``[DONE]``.

What cannot be delivered whole ends in an error chunk, and without ``[DONE]``, so that no client takes it for complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ccr.adapters.dialects.openai_chat.reply_deltas import CUT_SHORT, ReplyDeltas, finish_reason
from ccr.adapters.dialects.openai_chat.usage import write_usage
from ccr.adapters.dialects.openai_chat.write_errors import error_data
from ccr.adapters.wire import json
from ccr.adapters.wire.broken_call import broken_call
from ccr.adapters.wire.sse import CONTENT_TYPE
from ccr.domain.stream import (
    MessageStart,
    MessageStop,
    StreamFailed,
    TextDelta,
    ThinkingDelta,
    ToolInputDelta,
    UsageUpdate,
)
from ccr.domain.usage import NO_USAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ccr.adapters.dialects.openai_chat.read_request import ChatEcho
    from ccr.adapters.dialects.openai_chat.reply_deltas import Delta
    from ccr.domain.errors import GatewayError
    from ccr.domain.stream import StreamEvent

__all__ = ["KEEP_ALIVE", "ChatStreamEncoder"]

KEEP_ALIVE = b": keep-alive\n\n"
_DONE = b"data: [DONE]\n\n"
_EVENT = b"data: %s\n\n"
_ARGUMENTS = b'%s{"tool_calls":[{"index":%d,"function":{"arguments":%s}}]}%s'


class ChatStreamEncoder:
    """:class:`ccr.application.ports.dialect.StreamEncoder`. ``new_id`` and ``model`` are used where nobody says them;
    ``created`` is in seconds since 1970.
    """

    content_type = CONTENT_TYPE

    def __init__(self, new_id: str, model: str, created: int, echo: ChatEcho, input_estimate: int) -> None:
        self._new_id = new_id
        self._model = model
        self._created = created
        self._echo = echo
        self._estimate = input_estimate
        self._usage = NO_USAGE
        self._head = self._before = b""
        self._tail = b',"usage":null' if echo.include_usage else b""
        self._after = b',"logprobs":null,"finish_reason":null}]%s}\n\n' % self._tail
        self._deltas = ReplyDeltas(echo)
        self._ended = False

    def feed(self, events: Sequence[StreamEvent]) -> bytes:
        """Return the bytes of these events; nothing more once the reply has ended."""
        written: list[bytes] = []
        for event in events:
            if self._ended:
                break
            written.append(self._one(event))
        return b"".join(written)

    def keep_alive(self) -> bytes:
        """Return a comment, which every client skips."""
        return b"" if self._ended else KEEP_ALIVE

    def _one(self, event: StreamEvent) -> bytes:
        if self._deltas.broken and not _may_follow(event):
            return self._failed(broken_call(self._deltas.broken))
        writer = self._WRITERS.get(type(event))
        if writer is not None:
            return writer(self, event)
        return b"".join(map(self._chunk, self._deltas.take(event)))

    def _begin(self, event: MessageStart) -> bytes:
        self._usage = self._usage.merged(event.usage)
        head = {
            "id": event.id or self._new_id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": event.model or self._model,
        }
        self._head = json.encode_wire(head)[1:-1]
        self._before = b'data: {%s,"choices":[{"index":0,"delta":' % self._head
        return self._chunk({"role": "assistant", "content": ""})

    def _text(self, event: TextDelta) -> bytes:
        return b'%s{"content":%s}%s' % (self._before, _encoded(self._deltas.text(event.text)), self._after)

    def _thinking(self, event: ThinkingDelta) -> bytes:
        thought = _encoded(self._deltas.thinking(event.text))
        return b'%s{"reasoning_content":%s}%s' % (self._before, thought, self._after)

    def _input(self, event: ToolInputDelta) -> bytes:
        index = self._deltas.input(event.text)
        if index is None:
            return b"".join(map(self._chunk, self._deltas.take(event)))
        return _ARGUMENTS % (self._before, index, _encoded(event.text), self._after)

    def _update(self, event: UsageUpdate) -> bytes:
        self._usage = self._usage.merged(event.usage)
        return b""

    def _chunk(self, delta: Delta) -> bytes:
        return self._before + _encoded(delta) + self._after

    def _end(self, event: MessageStop) -> bytes:
        self._ended = True
        written = [self._chunk(delta) for delta in self._deltas.last(event.reason)]
        finish = json.encode_wire(finish_reason(event.reason, self._echo))
        written.append(
            b'%s{},"logprobs":null,"finish_reason":%s}]%s}\n\n' % (self._before, finish, self._tail)
        )
        if self._echo.include_usage:
            usage = write_usage(self._usage.merged(event.usage), input_estimate=self._estimate)
            written.append(b'data: {%s,"choices":[],"usage":%s}\n\n' % (self._head, json.encode_wire(usage)))
        return b"".join((*written, _DONE))

    def _fault(self, event: StreamFailed) -> bytes:
        return self._failed(event.error)

    def _failed(self, error: GatewayError) -> bytes:
        self._ended = True
        return _EVENT % error_data(error)

    _WRITERS: ClassVar[dict[type, Callable[..., bytes]]] = {
        TextDelta: _text,
        ThinkingDelta: _thinking,
        ToolInputDelta: _input,
        MessageStart: _begin,
        UsageUpdate: _update,
        MessageStop: _end,
        StreamFailed: _fault,
    }


def _may_follow(event: StreamEvent) -> bool:
    """Whether something may come after a broken call: what says that it was cut short, or that it failed."""
    if isinstance(event, MessageStop):
        return event.reason in CUT_SHORT
    return isinstance(event, UsageUpdate | StreamFailed)


def _encoded(value: object) -> bytes:
    try:
        return json.encode_wire(value)
    except UnicodeEncodeError:  # half a surrogate pair: it has no UTF-8
        return json.encode_wire(_mended(value))


def _mended(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {key: _mended(inner) for key, inner in value.items()}
    return [_mended(inner) for inner in value] if isinstance(value, list) else value
