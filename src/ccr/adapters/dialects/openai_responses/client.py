"""The Responses API as a server speaks it."""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_responses import read_items, read_tools
from ccr.adapters.dialects.openai_responses.echo import NO_ECHO, Echo
from ccr.adapters.dialects.openai_responses.errors import encode_error
from ccr.adapters.dialects.openai_responses.read_request import ResponsesCall, read_call
from ccr.adapters.dialects.openai_responses.wire import NAME
from ccr.adapters.dialects.openai_responses.write_reply import Sheet, write_reply
from ccr.adapters.dialects.openai_responses.write_stream import ResponsesStreamEncoder
from ccr.adapters.wire import json

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.application.call import Call
    from ccr.domain.conversation import Tool, Turn
    from ccr.domain.errors import GatewayError
    from ccr.domain.facts import RequestFacts
    from ccr.domain.reply import Reply

__all__ = ["ResponsesClient"]


def _token() -> str:
    return token_hex(12)


def _no_clock() -> float:
    return 0.0


class ResponsesClient:
    """:class:`ccr.application.ports.dialect.ClientDialect`.

    ``read_turn`` (one item) and ``tools`` are pure; a memo may be bound around them. ``now`` gives the seconds since 1970
    for ``created_at``; ``new_id`` gives what the ids of a reply and its items are made of.
    """

    name = NAME

    def __init__(
        self,
        read_turn: Callable[[bytes], Turn] = read_items.read_turn,
        tools: Callable[[bytes], tuple[Tool, ...]] = read_tools.read_tools,
        now: Callable[[], float] = _no_clock,
        new_id: Callable[[], str] = _token,
    ) -> None:
        self._read_turn = read_turn
        self._read_tools = tools
        self._now = now
        self._new_id = new_id

    def read(self, call: Call) -> ResponsesCall:
        """Parse a call whose body is loaded. Raises InvalidRequestError naming the parameter."""
        return read_call(call, self._read_turn, self._read_tools)

    def read_turn(self, raw: bytes) -> Turn:
        """Read one item. Pure and context-free."""
        return self._read_turn(raw)

    def write_reply(self, reply: Reply, facts: RequestFacts, echo: object) -> bytes:
        """Write a whole response."""
        return write_reply(reply, self._sheet(facts, echo))

    def stream_encoder(
        self, facts: RequestFacts, echo: object, *, input_estimate: int = 0
    ) -> ResponsesStreamEncoder:
        """Return a writer for one streamed response."""
        return ResponsesStreamEncoder(self._sheet(facts, echo), input_estimate)

    def encode_error(
        self, error: GatewayError, request_id: str
    ) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        """Return status, headers and body of an error."""
        return encode_error(error, request_id)

    def write_count(self, tokens: int) -> bytes:
        """Write the answer of a token count."""
        return json.encode_wire({"object": "response.input_tokens", "input_tokens": tokens})

    def _sheet(self, facts: RequestFacts, echo: object) -> Sheet:
        told = echo if isinstance(echo, Echo) else NO_ECHO
        return Sheet(self._new_id(), facts.model, int(self._now()), told)
