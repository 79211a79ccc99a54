"""An observer for replies that are relayed as they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from ccr.adapters.dialects.openai_responses.errors import failure
from ccr.adapters.dialects.openai_responses.read_stream import (
    ResponsesReader,
    ResponsesStreamDecoder,
    whole_reply,
)
from ccr.adapters.wire import json
from ccr.adapters.wire.broken_call import CUT_SHORT, broken_call
from ccr.adapters.wire.reply_watch import DecodingWatch
from ccr.adapters.wire.sse import write_event
from ccr.domain.stream import fold

if TYPE_CHECKING:
    from ccr.application.ports.dialect import Framer
    from ccr.domain.errors import GatewayError
    from ccr.domain.reply import Reply

__all__ = ["ResponsesReplyWatch"]


class ResponsesReplyWatch(DecodingWatch):
    """:class:`ccr.application.ports.dialect.ReplyWatch` of this dialect."""

    @override
    def decoder(self, framer: Framer) -> ResponsesStreamDecoder:
        return ResponsesStreamDecoder(framer)

    @override
    def whole(self, body: bytes) -> Reply:
        reader = ResponsesReader()
        reply = fold(whole_reply(reader, body))
        if reader.broken and reply.reason not in CUT_SHORT:
            raise broken_call(reader.broken)
        return reply

    @override
    def fault(self, error: GatewayError) -> bytes:
        said = {"type": "error", "param": None, "sequence_number": 0, **failure(error)}
        return write_event(b"error", json.encode_wire(said))
