"""An observer for replies that are relayed as they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from ccr.adapters.dialects.openai_chat.read_reply import read_reply
from ccr.adapters.dialects.openai_chat.read_stream import ChatStreamDecoder
from ccr.adapters.wire import json
from ccr.adapters.wire.reply_watch import DecodingWatch

if TYPE_CHECKING:
    from ccr.application.ports.dialect import Framer
    from ccr.domain.errors import GatewayError
    from ccr.domain.reply import Reply

__all__ = ["ChatReplyWatch"]


class ChatReplyWatch(DecodingWatch):
    """:class:`ccr.application.ports.dialect.ReplyWatch` of this dialect."""

    @override
    def decoder(self, framer: Framer) -> ChatStreamDecoder:
        return ChatStreamDecoder(framer)

    @override
    def whole(self, body: bytes) -> Reply:
        return read_reply(body)

    @override
    def fault(self, error: GatewayError) -> bytes:
        said = {"message": error.message, "type": "server_error", "param": None, "code": error.kind}
        return b"data: " + json.encode({"error": said}) + b"\n\n"
