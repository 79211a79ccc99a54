"""The Messages API as a client speaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.anthropic import write_request
from ccr.adapters.dialects.anthropic.errors import decode_error
from ccr.adapters.dialects.anthropic.read_reply import read_reply
from ccr.adapters.dialects.anthropic.read_stream import AnthropicStreamDecoder
from ccr.adapters.dialects.anthropic.watch import AnthropicStreamWatch, AnthropicWholeWatch
from ccr.adapters.dialects.anthropic.wire import DIALECT
from ccr.adapters.wire.sse import DEFAULT_LIMIT
from ccr.adapters.wire.tool_changes import applied
from ccr.adapters.wire.tool_offers import restore_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ccr.application.call import Headers
    from ccr.application.ports.dialect import Framer, ReplyWatch
    from ccr.application.ports.payload import Encoded
    from ccr.application.ports.transformer import EventStage
    from ccr.domain.conversation import Conversation, Tool, Turn
    from ccr.domain.errors import GatewayError
    from ccr.domain.models import ModelProfile
    from ccr.domain.reply import Reply

__all__ = ["AnthropicProvider"]


class AnthropicProvider:
    """:class:`ccr.application.ports.dialect.ProviderDialect`.

    ``write_turn`` and ``write_tools`` are pure; a memo may be bound around them.
    """

    name = DIALECT
    default_headers = (("anthropic-version", "2023-06-01"),)
    """Sent unless the client brings its own; a request without it is refused."""

    def __init__(
        self,
        write_turn: Callable[[Turn, ModelProfile], bytes] = write_request.write_turn,
        write_tools: Callable[[Sequence[Tool]], bytes] = write_request.write_tools,
    ) -> None:
        self._write_turn = write_turn
        self._write_tools = write_tools

    def write_turn(self, turn: Turn, profile: ModelProfile) -> bytes:
        """Write one turn. Pure and context-free."""
        return self._write_turn(turn, profile)

    def write_request(
        self, conversation: Conversation, profile: ModelProfile, *, is_anthropic: bool
    ) -> Encoded:
        """Write the whole request; ``conversation.model`` is already the provider's name of the model."""
        return write_request.encoded_request(
            conversation,
            profile,
            is_anthropic=is_anthropic,
            write_turn=self._write_turn,
            write_tools=self._write_tools,
        )

    def read_reply(self, body: bytes) -> Reply:
        """Read a whole reply. Raises UpstreamProtocolError, or the error that a 200 hid."""
        return read_reply(body)

    def stream_decoder(self, framer: Framer) -> AnthropicStreamDecoder:
        """Return a reader for one streamed reply."""
        return AnthropicStreamDecoder(framer)

    def reply_watch(self, *, stream: bool, strict: bool = False, limit: int | None = None) -> ReplyWatch:
        """Return an observer for one relayed reply."""
        if not stream:
            return AnthropicWholeWatch()
        return AnthropicStreamWatch(limit or DEFAULT_LIMIT, strict=strict)

    def reply_stage(
        self,
        conversation: Conversation,
        profile: ModelProfile,  # noqa: ARG002  # the port's
    ) -> EventStage | None:
        """Return a stage that gives tools their names back; None if all of them are short."""
        return restore_names(applied(conversation))

    def decode_error(self, status: int, headers: Headers, body: bytes, *, provider: str) -> GatewayError:
        """Say what an error reply means; the reply itself is kept in ``error.upstream``."""
        return decode_error(status, headers, body, provider=provider)
