"""OpenAI chat completions and the many who copied them, from both ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_chat.client import OpenAIChatClient
from ccr.adapters.dialects.openai_chat.errors import decode_error
from ccr.adapters.dialects.openai_chat.mend import mend
from ccr.adapters.dialects.openai_chat.read_reply import read_reply
from ccr.adapters.dialects.openai_chat.read_stream import ChatStreamDecoder
from ccr.adapters.dialects.openai_chat.watch import ChatReplyWatch
from ccr.adapters.dialects.openai_chat.wire import NAME
from ccr.adapters.dialects.openai_chat.write_request import Written, write_request, written_turn
from ccr.adapters.wire.tool_offers import restore_names

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

__all__ = ["OpenAIChatClient", "OpenAIChatProvider", "restore_names"]


class OpenAIChatProvider:
    """:class:`ccr.application.ports.dialect.ProviderDialect` of chat completions.

    ``write_turn`` is pure; a memo may be bound around it.
    """

    name = NAME

    def __init__(self, write_turn: Callable[[Turn, ModelProfile], Written] = written_turn) -> None:
        self._write_turn = write_turn

    def write_turn(self, turn: Turn, profile: ModelProfile) -> bytes:
        """Write one turn as messages, comma-separated; empty if nothing of it can be said here."""
        return self._write_turn(turn, profile)[0]

    def write_request(
        self,
        conversation: Conversation,
        profile: ModelProfile,
        *,
        is_anthropic: bool,  # noqa: ARG002  # the port's: nobody who speaks this dialect is
    ) -> Encoded:
        """Write the whole request."""
        return write_request(conversation, profile, self._write_turn)

    def read_reply(self, body: bytes) -> Reply:
        """Read a whole reply. Raises UpstreamProtocolError, or the error that a 200 hid."""
        return read_reply(body)

    def stream_decoder(self, framer: Framer) -> StreamDecoder:
        """Return a reader for one streamed reply."""
        return ChatStreamDecoder(framer)

    def reply_watch(self, *, stream: bool, strict: bool = False, limit: int | None = None) -> ReplyWatch:  # noqa: ARG002  # its decoder judges anyway
        """Return an observer for one relayed reply."""
        return ChatReplyWatch(stream=stream, limit=limit)

    def decode_error(self, status: int, headers: Headers, body: bytes, *, provider: str) -> GatewayError:
        """Say what an error reply means."""
        return decode_error(status, headers, body, provider=provider)

    def reply_stage(self, conversation: Conversation, profile: ModelProfile) -> EventStage | None:
        """Give tools their names back, mend what models do wrong with them, show searches; None if there is nothing to."""
        return mend(conversation, profile)
