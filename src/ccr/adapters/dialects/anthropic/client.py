"""The Messages API as a server speaks it."""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING

from ccr.adapters.dialects.anthropic import read_request
from ccr.adapters.dialects.anthropic.errors import encode_error
from ccr.adapters.dialects.anthropic.wire import DIALECT
from ccr.adapters.dialects.anthropic.write_reply import write_reply
from ccr.adapters.dialects.anthropic.write_stream import AnthropicStreamEncoder
from ccr.adapters.wire import json

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.application.call import Call
    from ccr.domain.conversation import Tool, Turn
    from ccr.domain.errors import GatewayError
    from ccr.domain.facts import RequestFacts
    from ccr.domain.reply import Reply

__all__ = ["AnthropicClient"]


def _reply_id() -> str:
    # Not `msg_...`: a client may take such an id for one that api.anthropic.com knows (user-pains 2, row 11).
    return f"ccr_{token_hex(12)}"


class AnthropicClient:
    """:class:`ccr.application.ports.dialect.ClientDialect`.

    ``read_turn`` and ``read_tools`` are pure; a memo may be bound around them. ``new_id`` names replies that have no
    name of their own.
    """

    name = DIALECT

    def __init__(
        self,
        read_turn: Callable[[bytes], Turn] = read_request.read_turn,
        read_tools: Callable[[bytes], tuple[Tool, ...]] = read_request.read_tools,
        new_id: Callable[[], str] = _reply_id,
    ) -> None:
        self._read_turn = read_turn
        self._read_tools = read_tools
        self._new_id = new_id

    def read(self, call: Call) -> read_request.AnthropicCall:
        """Parse a call whose body is loaded. Raises InvalidRequestError naming the JSON path."""
        return read_request.read_call(call, self._read_turn, self._read_tools)

    def read_turn(self, raw: bytes) -> Turn:
        """Read one message. Pure and context-free."""
        return self._read_turn(raw)

    def write_reply(self, reply: Reply, facts: RequestFacts, echo: object) -> bytes:
        """Write a whole reply. Raises UpstreamProtocolError if a tool call in it is broken."""
        del echo
        return write_reply(reply, self._new_id(), facts.model)

    def stream_encoder(
        self, facts: RequestFacts, echo: object, *, input_estimate: int = 0
    ) -> AnthropicStreamEncoder:
        """Return a writer for one streamed reply."""
        del echo
        return AnthropicStreamEncoder(self._new_id(), facts.model, input_estimate)

    def encode_error(
        self, error: GatewayError, request_id: str
    ) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        """Return status, headers and body of an error."""
        return encode_error(error, request_id)

    def write_count(self, tokens: int) -> bytes:
        """Write the answer of a token count."""
        return json.encode_wire({"input_tokens": tokens})
