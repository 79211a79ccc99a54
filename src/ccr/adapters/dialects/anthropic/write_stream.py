"""A streamed reply for our client, as strict as the strictest of them (claude-code-client.md 6 and 7.3).

One message_start, blocks strictly one after the other, content in deltas only, every block stopped, the full usage in
message_delta, ``event:`` lines. What cannot be delivered whole ends in ``event: error``, never in a bare cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ccr.adapters.dialects.anthropic.errors import error_event_data
from ccr.adapters.dialects.anthropic.seals import REDACTED, UNSIGNED, carrier, is_home, write_seal
from ccr.adapters.dialects.anthropic.usage import write_usage
from ccr.adapters.dialects.anthropic.write_blocks import server_id, write_block, write_citation
from ccr.adapters.dialects.anthropic.write_reply import CUT_SHORT, details_fields
from ccr.adapters.wire import json
from ccr.adapters.wire.broken_call import broken_call
from ccr.adapters.wire.sse import CONTENT_TYPE, write_event
from ccr.domain.conversation import ServerToolCall, Text, Thinking, ToolCall
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
from ccr.domain.usage import NO_USAGE, Usage
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ccr.domain.conversation import ContentBlock
    from ccr.domain.stream import StreamEvent

__all__ = ["PING", "AnthropicStreamEncoder"]

PING = write_event(b"ping", b'{"type":"ping"}')

_DELTA = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%s":%s}}\n\n'
_TEXT_HEAD = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"text_delta","text":'
_TAIL = b"}}\n\n"
_STOP = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
_MESSAGE_STOP = write_event(b"message_stop", b'{"type":"message_stop"}')
_THINKING, _INPUT = b'thinking_delta","thinking', b'input_json_delta","partial_json'
_SIGNATURE, _CITATION = b'signature_delta","signature', b'citations_delta","citation'


class AnthropicStreamEncoder:
    """:class:`ccr.application.ports.dialect.StreamEncoder`. ``new_id`` and ``model`` are used where nobody says them."""

    content_type = CONTENT_TYPE

    def __init__(self, new_id: str, model: str, input_estimate: int = 0) -> None:
        self._new_id = new_id
        self._model = model
        self._estimate = input_estimate
        self._usage = NO_USAGE
        self._started = False
        self._ended = False
        self._index = -1
        self._open: ContentBlock | None = None
        self._pending = False  # a Thinking block whose first delta will say how it opens
        self._sealed = False  # the open Thinking block has its signature
        self._pieces: list[str] = []
        self._text_head = b""  # what a delta of the open Text block begins with
        self._broken = ""  # name of a tool call that ended broken: its stop is held back

    def feed(self, events: Sequence[StreamEvent]) -> bytes:
        """Return the bytes of these events; nothing more once the reply has ended."""
        written: list[bytes] = []
        writers, encode = self._WRITERS, json.encode_wire
        for event in events:
            if self._ended:
                break
            if type(event) is TextDelta:  # nine events in ten
                try:
                    text = encode(event.text)
                except UnicodeEncodeError:
                    text = _string(event.text)
                written.append(self._text_head + text + _TAIL)
                continue
            if self._broken and self._is_stuck(event):
                failed = StreamFailed(broken_call(self._broken))
                written.append(self._failed(failed))
                break
            written.append(writers[type(event)](self, event))
        return b"".join(written)

    def keep_alive(self) -> bytes:
        """Return a ping; before the first event also the opening of the message."""
        if self._ended:
            return b""
        return PING if self._started else self._message_start("", "") + PING

    def _is_stuck(self, event: StreamEvent) -> bool:
        """Whether a broken call is now known to have been meant as complete."""
        if isinstance(event, UsageUpdate | StreamFailed):
            return False
        return not (isinstance(event, MessageStop) and event.reason in CUT_SHORT)

    # ------------------------------------------------------------------------------------- the message

    def _message_start(self, reply_id: str, model: str) -> bytes:
        self._started = True
        message: dict[str, object] = {
            "id": reply_id or self._new_id,
            "type": "message",
            "role": "assistant",
            "model": model or self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": write_usage(self._usage, input_estimate=self._estimate),
        }
        return write_event(b"message_start", json.encode_wire({"type": "message_start", "message": message}))

    def _begin(self, event: MessageStart) -> bytes:
        self._usage = self._usage.merged(event.usage)
        # After a keep-alive the client has its message_start; a second one would end 1.0 clients' streams.
        return b"" if self._started else self._message_start(event.id, event.model)

    def _usage_update(self, event: UsageUpdate) -> bytes:
        self._usage = self._usage.merged(event.usage)
        return b""

    def _end(self, event: MessageStop) -> bytes:
        self._ended = True
        held = _STOP % self._index if self._broken else b""
        usage: Usage = self._usage.merged(event.usage)
        delta = {
            "stop_reason": event.reason.value,
            "stop_sequence": event.stop_sequence,
            **details_fields(event.details),
        }
        data = {
            "type": "message_delta",
            "delta": delta,
            "usage": write_usage(usage, input_estimate=self._estimate),
        }
        return held + write_event(b"message_delta", json.encode_wire(data)) + _MESSAGE_STOP

    def _failed(self, event: StreamFailed) -> bytes:
        self._ended = True
        return write_event(b"error", error_event_data(event.error))

    # ---------------------------------------------------------------------------------------- a block

    def _open_block(self, event: BlockStart) -> bytes:
        block = event.block
        self._open, self._pieces = block, []
        if isinstance(block, Thinking):
            self._pending, self._sealed = True, False
            return b""
        if isinstance(block, Text):
            opened = self._block_start({"type": "text", "text": ""})
            self._text_head = _TEXT_HEAD % self._index
            return opened
        if isinstance(block, ToolCall):
            carried = self._carried(block)
            start = {"type": "tool_use", "id": block.id, "name": block.name, "input": {}}
            return carried + self._block_start(start)
        if isinstance(block, ServerToolCall):
            start = {"type": "server_tool_use", "id": server_id(block.id), "name": block.name, "input": {}}
            return self._block_start(start)
        written = write_block(block)
        if written is None:  # another dialect's block: there is nothing that this client could read
            self._open = None
            return b""
        return self._block_start(written)

    def _block_start(self, block: object) -> bytes:
        self._index += 1
        data = {"type": "content_block_start", "index": self._index, "content_block": block}
        return write_event(b"content_block_start", json.encode_wire(data))

    def _carried(self, call: ToolCall) -> bytes:
        """A block of its own for the seal of a call: the client keeps it and brings it back."""
        block = carrier(call)
        if block is None or block.seal is None:
            return b""
        start = self._block_start({"type": "thinking", "thinking": "", "signature": ""})
        return start + self._delta(_SIGNATURE, _string(write_seal(block.seal))) + _STOP % self._index

    def _opened(self) -> bytes:
        """Open a thinking block that waited for its first delta."""
        if not self._pending:
            return b""
        self._pending = False
        return self._block_start({"type": "thinking", "thinking": "", "signature": ""})

    def _delta(self, kind: bytes, value: bytes) -> bytes:
        return _DELTA % (self._index, kind, value)

    def _thinking(self, event: ThinkingDelta) -> bytes:
        return self._opened() + self._delta(_THINKING, _string(event.text))

    def _input(self, event: ToolInputDelta) -> bytes:
        self._pieces.append(event.text)
        return self._delta(_INPUT, _string(event.text))

    def _seal(self, event: SealDelta) -> bytes:
        seal = event.seal
        if isinstance(self._open, ToolCall):
            return b""  # too late: its block has begun
        if self._pending and seal.form == REDACTED and is_home(seal):
            self._pending = False
            self._sealed = True
            return self._block_start({"type": "redacted_thinking", "data": seal.data})
        self._sealed = True
        return self._opened() + self._delta(_SIGNATURE, _string(write_seal(seal)))

    def _citation(self, event: CitationDelta) -> bytes:
        written = write_citation(event.citation)
        return b"" if written is None else self._delta(_CITATION, json.encode_wire(written))

    def _close_block(self, _event: BlockStop) -> bytes:
        block, opened = self._open, self._opened()
        self._open = None
        if block is None:
            return b""
        if isinstance(block, Thinking) and not self._sealed:
            opened += self._delta(_SIGNATURE, _string(write_seal(block.seal or UNSIGNED)))
        elif isinstance(block, ToolCall | ServerToolCall):
            opened += self._whole_input(block)
            text = "".join(self._pieces)
            if text and not json.is_object(text):
                self._broken = block.name
                return opened
        return opened + _STOP % self._index

    def _whole_input(self, block: ToolCall | ServerToolCall) -> bytes:
        """An input that came with the start of its block goes out as one delta."""
        given = block.input.data.decode() if isinstance(block.input, Json) else block.input
        if self._pieces or given in ("", "{}"):
            return b""
        return self._input(ToolInputDelta(given))

    _WRITERS: ClassVar[dict[type, Callable[..., bytes]]] = {
        MessageStart: _begin,
        BlockStart: _open_block,
        ThinkingDelta: _thinking,
        SealDelta: _seal,
        ToolInputDelta: _input,
        CitationDelta: _citation,
        BlockStop: _close_block,
        UsageUpdate: _usage_update,
        MessageStop: _end,
        StreamFailed: _failed,
    }


def _string(text: str) -> bytes:
    try:
        return json.encode_wire(text)
    except UnicodeEncodeError:  # half a surrogate pair: it has no UTF-8
        return json.encode_wire(text.encode("utf-8", "replace").decode())
