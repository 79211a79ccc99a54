"""Chat completions as a server speaks them."""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_chat import read_request, read_tools
from ccr.adapters.dialects.openai_chat.read_request import ChatEcho
from ccr.adapters.dialects.openai_chat.wire import NAME
from ccr.adapters.dialects.openai_chat.write_errors import encode_error
from ccr.adapters.dialects.openai_chat.write_reply import write_reply
from ccr.adapters.dialects.openai_chat.write_stream import ChatStreamEncoder
from ccr.adapters.wire import json

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.application.call import Call
    from ccr.domain.conversation import Tool, Turn
    from ccr.domain.errors import GatewayError
    from ccr.domain.facts import RequestFacts
    from ccr.domain.reply import Reply

__all__ = ["OpenAIChatClient"]


def _reply_id() -> str:
    return f"chatcmpl-ccr{token_hex(12)}"


def _no_clock() -> float:
    return 0.0


class OpenAIChatClient:
    """:class:`ccr.application.ports.dialect.ClientDialect`.

    ``read_turn`` and ``read_tools`` are pure; a memo may be bound around them. ``new_id`` names replies that have no
    name of their own; ``now`` gives seconds since 1970, for ``created``.
    """

    name = NAME

    def __init__(
        self,
        read_turn: Callable[[bytes], Turn] = read_request.read_turn,
        read_tools: Callable[[bytes], tuple[Tool, ...]] = read_tools.read_tools,
        new_id: Callable[[], str] = _reply_id,
        now: Callable[[], float] = _no_clock,
    ) -> None:
        self._read_turn = read_turn
        self._read_tools = read_tools
        self._new_id = new_id
        self._now = now

    def read(self, call: Call) -> read_request.ChatCall:
        """Parse a call whose body is loaded. Raises InvalidRequestError naming the JSON path."""
        return read_request.read_call(call, self._read_turn, self._read_tools)

    def read_turn(self, raw: bytes) -> Turn:
        """Read one message. Pure and context-free."""
        return self._read_turn(raw)

    def write_reply(self, reply: Reply, facts: RequestFacts, echo: object) -> bytes:
        """Write a whole reply. Raises UpstreamProtocolError if a tool call in it is broken."""
        return write_reply(reply, self._new_id(), facts.model, int(self._now()), _echoed(echo))

    def stream_encoder(
        self, facts: RequestFacts, echo: object, *, input_estimate: int = 0
    ) -> ChatStreamEncoder:
        """Return a writer for one streamed reply."""
        return ChatStreamEncoder(self._new_id(), facts.model, int(self._now()), _echoed(echo), input_estimate)

    def encode_error(
        self, error: GatewayError, request_id: str
    ) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        """Return status, headers and body of an error."""
        return encode_error(error, request_id)

    def write_count(self, tokens: int) -> bytes:
        """Write the answer of a token count."""
        return json.encode_wire({"input_tokens": tokens})


def _echoed(echo: object) -> ChatEcho:
    """A reply that nobody asked for in this dialect (embedding) has nothing to repeat."""
    return echo if isinstance(echo, ChatEcho) else ChatEcho()
