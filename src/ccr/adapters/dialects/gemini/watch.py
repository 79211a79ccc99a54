"""An observer for replies that are relayed as they came."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from ccr.adapters.dialects.gemini.errors import error_object
from ccr.adapters.dialects.gemini.read_reply import read_reply
from ccr.adapters.dialects.gemini.read_stream import GeminiStreamDecoder
from ccr.adapters.wire.reply_watch import DecodingWatch

if TYPE_CHECKING:
    from ccr.application.ports.dialect import Framer
    from ccr.domain.errors import GatewayError
    from ccr.domain.reply import Reply

__all__ = ["GeminiReplyWatch"]


class GeminiReplyWatch(DecodingWatch):
    """:class:`ccr.application.ports.dialect.ReplyWatch` of this dialect."""

    ends_with_bytes: ClassVar[bool] = True

    @override
    def decoder(self, framer: Framer) -> GeminiStreamDecoder:
        return GeminiStreamDecoder(framer)

    @override
    def whole(self, body: bytes) -> Reply:
        return read_reply(body)

    @override
    def fault(self, error: GatewayError) -> bytes:
        return b"data: " + error_object(error) + b"\n\n"
