"""generateContent as a server speaks it."""

from __future__ import annotations

from secrets import token_urlsafe
from typing import TYPE_CHECKING

from ccr.adapters.dialects.gemini import read_contents, read_tools
from ccr.adapters.dialects.gemini.errors import encode_error
from ccr.adapters.dialects.gemini.read_request import NO_ECHO, Echo, GeminiCall, read_call
from ccr.adapters.dialects.gemini.wire import NAME
from ccr.adapters.dialects.gemini.write_reply import write_reply
from ccr.adapters.dialects.gemini.write_stream import GeminiStreamEncoder
from ccr.adapters.wire import json

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.application.call import Call
    from ccr.domain.conversation import Tool, Turn
    from ccr.domain.errors import GatewayError
    from ccr.domain.facts import RequestFacts
    from ccr.domain.reply import Reply

__all__ = ["GeminiClient"]


def _reply_id() -> str:
    return f"ccr_{token_urlsafe(16)}"


class GeminiClient:
    """:class:`ccr.application.ports.dialect.ClientDialect`.

    ``read_turn`` (one content) and ``read_tools`` are pure; a memo may be bound around them. ``new_id`` names replies that
    have no name of their own.
    """

    name = NAME

    def __init__(
        self,
        read_turn: Callable[[bytes], Turn] = read_contents.read_turn,
        read_tools: Callable[[bytes], tuple[Tool, ...]] = read_tools.read_tools,
        new_id: Callable[[], str] = _reply_id,
    ) -> None:
        self._read_turn = read_turn
        self._read_tools = read_tools
        self._new_id = new_id

    def read(self, call: Call) -> GeminiCall:
        """Parse a call whose body is loaded. Raises InvalidRequestError naming the JSON path."""
        return read_call(call, self._read_turn, self._read_tools)

    def read_turn(self, raw: bytes) -> Turn:
        """Read one content. Pure and context-free."""
        return self._read_turn(raw)

    def write_reply(self, reply: Reply, facts: RequestFacts, echo: object) -> bytes:
        """Write a whole reply. Raises UpstreamProtocolError if a call in it is broken."""
        told = echo if isinstance(echo, Echo) else NO_ECHO
        return write_reply(reply, self._new_id(), facts.model, thoughts=told.thoughts)

    def stream_encoder(
        self, facts: RequestFacts, echo: object, *, input_estimate: int = 0
    ) -> GeminiStreamEncoder:
        """Return a writer for one streamed reply."""
        told = echo if isinstance(echo, Echo) else NO_ECHO
        return GeminiStreamEncoder(
            self._new_id(), facts.model, input_estimate, sse=told.sse, thoughts=told.thoughts
        )

    def encode_error(
        self, error: GatewayError, request_id: str
    ) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        """Return status, headers and body of an error."""
        return encode_error(error, request_id)

    def write_count(self, tokens: int) -> bytes:
        """Write the answer of a token count."""
        return json.encode_wire({"totalTokens": tokens})
