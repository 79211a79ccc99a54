"""generateContent as a client speaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.gemini.errors import decode_error
from ccr.adapters.dialects.gemini.names import restore_names
from ccr.adapters.dialects.gemini.read_reply import read_reply
from ccr.adapters.dialects.gemini.read_stream import GeminiStreamDecoder
from ccr.adapters.dialects.gemini.watch import GeminiReplyWatch
from ccr.adapters.dialects.gemini.wire import NAME
from ccr.adapters.dialects.gemini.write_contents import openapi_json
from ccr.adapters.dialects.gemini.write_request import write_request, write_turn
from ccr.adapters.wire.tool_changes import applied

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.application.call import Headers
    from ccr.application.ports.dialect import Framer, ReplyWatch, StreamDecoder
    from ccr.application.ports.payload import Encoded
    from ccr.application.ports.transformer import EventStage
    from ccr.domain.conversation import Conversation, Turn
    from ccr.domain.errors import GatewayError
    from ccr.domain.models import ModelProfile
    from ccr.domain.reply import Reply

__all__ = ["GeminiProvider"]


class GeminiProvider:
    """:class:`ccr.application.ports.dialect.ProviderDialect` of generateContent.

    ``openapi`` is pure; a memo may be bound around it, for the tools of a session are the same in every request.
    """

    name = NAME

    def __init__(self, openapi: Callable[[bytes], bytes] = openapi_json) -> None:
        self._openapi = openapi

    def write_turn(self, turn: Turn, profile: ModelProfile) -> bytes:
        """Write one turn as a content; empty if nothing of it can be said here."""
        return write_turn(turn, profile)

    def write_request(
        self,
        conversation: Conversation,
        profile: ModelProfile,
        *,
        is_anthropic: bool,  # noqa: ARG002  # the port's: nobody who speaks this dialect is
    ) -> Encoded:
        """Write the whole request; the door takes ``model`` and ``stream`` out of it, for they stand in the address."""
        return write_request(conversation, profile, self._openapi)

    def read_reply(self, body: bytes) -> Reply:
        """Read a whole reply. Raises UpstreamProtocolError, or the error that a 200 hid."""
        return read_reply(body)

    def stream_decoder(self, framer: Framer) -> StreamDecoder:
        """Return a reader for one streamed reply."""
        return GeminiStreamDecoder(framer)

    def reply_watch(self, *, stream: bool, strict: bool = False, limit: int | None = None) -> ReplyWatch:  # noqa: ARG002  # its decoder judges anyway
        """Return an observer for one relayed reply."""
        return GeminiReplyWatch(stream=stream, limit=limit)

    def decode_error(self, status: int, headers: Headers, body: bytes, *, provider: str) -> GatewayError:
        """Say what an error reply means."""
        return decode_error(status, headers, body, provider=provider)

    def reply_stage(
        self,
        conversation: Conversation,
        profile: ModelProfile,  # noqa: ARG002  # the optional port's: other dialects ask it
    ) -> EventStage | None:
        """Give tools the names back by which the caller knows them; None if all went out as they are."""
        return restore_names(applied(conversation))
