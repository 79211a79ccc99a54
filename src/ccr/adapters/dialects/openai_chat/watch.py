"""An observer for replies that are relayed as they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from ccr.adapters.dialects.openai_chat.read_stream import ChatStreamDecoder, whole_reply
from ccr.adapters.dialects.openai_chat.reader import ChatReader
from ccr.adapters.dialects.openai_chat.write_errors import error_data
from ccr.adapters.wire.reply_watch import DecodingWatch
from ccr.domain.stream import fold

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
        reader = ChatReader(stream=False)
        reply = fold(whole_reply(reader, body))
        self.mended = reader.mended
        return reply

    @override
    def fault(self, error: GatewayError) -> bytes:
        return b"data: " + error_data(error) + b"\n\n"
