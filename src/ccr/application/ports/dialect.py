"""Wire formats, seen from both ends. Everything here is pure: bytes and values in, bytes and values out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ccr.domain.value import value

if TYPE_CHECKING:
    from ccr.application.call import Call, Headers
    from ccr.application.ports.payload import Encoded
    from ccr.domain.conversation import Conversation, Turn
    from ccr.domain.errors import GatewayError
    from ccr.domain.facts import RequestFacts
    from ccr.domain.models import ModelProfile
    from ccr.domain.reply import Reply
    from ccr.domain.stream import StreamEvent
    from ccr.domain.usage import Usage

__all__ = [
    "ClientDialect",
    "Frame",
    "Framer",
    "ParsedCall",
    "ProviderDialect",
    "ReplyWatch",
    "StreamDecoder",
    "StreamEncoder",
]


@value
class Frame:
    """One event of a stream's framing: its name (empty = none given) and its payload, undecoded."""

    event: bytes
    data: bytes


class Framer(Protocol):
    """Cuts a byte stream into frames; one instance reads one reply."""

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that ``data`` completes. Raises UpstreamProtocolError if one grows over its bound."""
        ...

    def close(self) -> list[Frame]:
        """Return what a stream without a last blank line still holds."""
        ...


class ParsedCall(Protocol):
    """A request parsed once."""

    @property
    def facts(self) -> RequestFacts: ...

    def conversation(self) -> Conversation:
        """Build the conversation, at most once; the relay path never asks. Raises InvalidRequestError with a param."""
        ...

    @property
    def foreign(self) -> bool:
        """It carries state that another provider sealed, which this dialect's own provider would refuse."""
        ...

    @property
    def plain(self) -> bool:
        """It holds nothing that a provider which merely speaks this dialect might refuse: it may be relayed there."""
        ...

    @property
    def echo(self) -> object:
        """What this dialect's own writers need of the request to write its reply (settings to repeat, framing); small,
        because it lives as long as the reply. Opaque to everybody else.
        """
        ...

    def retarget(self, model: str) -> bytes:
        """Return the body as it came but for another ``model``; as it came where the model stands in the path."""
        ...


class StreamDecoder(Protocol):
    """Bytes to meaning; one instance reads one reply."""

    def feed(self, data: bytes) -> list[StreamEvent]:
        """Take what the network gave, in pieces of any size; return the events it completes.

        Never raises: a reply that is not legal ends in StreamFailed, so the events do not depend on where the network
        cut. After MessageStop or StreamFailed everything is ignored.
        """
        ...

    @property
    def finishing(self) -> bool:
        """The provider has said why it stops; what may still come is its usage and its last word."""
        ...

    def close(self) -> list[StreamEvent]:
        """End of input; an end without a stop reason is StreamFailed(UpstreamProtocolError)."""
        ...


class StreamEncoder(Protocol):
    """Meaning to bytes; one instance writes one reply."""

    content_type: str
    """Of the streamed reply, SSE or the dialect's other framing."""

    def feed(self, events: Sequence[StreamEvent]) -> bytes:
        """Return the bytes of these events, StreamFailed included."""
        ...

    def keep_alive(self) -> bytes:
        """Return bytes that keep the client waiting; before the first event also what opens a message."""
        ...


class ReplyWatch(Protocol):
    """Looks at every event of a relayed reply, lets whole and sound ones pass, and changes no byte of them."""

    usage: Usage
    open_block: bool
    """A content block is open."""
    started: bool
    """Real content has been seen (the first content block has started, or the reply has ended)."""
    ended: bool
    """The reply has ended well."""
    error: GatewayError | None
    """Set when the reply itself says that it failed, or is junk."""
    progress: int
    """Grows with every event that brings the reply forward; pings and comments do not count."""

    @property
    def finishing(self) -> bool:
        """The provider has said why it stops; only the end itself is missing."""
        ...

    def feed(self, data: bytes) -> bytes:
        """Look at what goes by; return what may go on: whole events, up to the one that ends the reply or breaks it.

        Never raises.
        """
        ...

    def close(self, error: GatewayError | None = None) -> bytes:
        """End of input, or ``error`` cut it short. Returns what is still to be sent: a last event that was not closed, or one
        error event if the reply had not ended.
        """
        ...


class ClientDialect(Protocol):
    """We are the server."""

    name: str

    def read(self, call: Call) -> ParsedCall:
        """Parse a call whose body is loaded; headers and path count. Raises InvalidRequestError naming the JSON path."""
        ...

    def read_turn(self, raw: bytes) -> Turn:
        """Read one message or item. Pure and context-free: equal bytes, equal turn (it is memoised)."""
        ...

    def write_reply(self, reply: Reply, facts: RequestFacts, echo: object) -> bytes:
        """Write a whole reply; ``echo`` is the parsed call's."""
        ...

    def stream_encoder(self, facts: RequestFacts, echo: object, *, input_estimate: int = 0) -> StreamEncoder:
        """Return a writer for one streamed reply; ``echo`` is the parsed call's."""
        ...

    def encode_error(
        self, error: GatewayError, request_id: str
    ) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        """Return status, headers and body of an error that came before the first byte."""
        ...

    def write_count(self, tokens: int) -> bytes:
        """Write the answer of a token count."""
        ...


class ProviderDialect(Protocol):
    """We are the client.

    Optional abilities: ``default_headers`` (pairs sent with every request) and ``reply_stage(conversation, profile)``, a
    stage that undoes in the reply what had to be renamed in the request (``exchange/prepare.py``).
    """

    name: str

    def write_turn(self, turn: Turn, profile: ModelProfile) -> bytes:
        """Write one turn as the provider's messages, comma-separated JSON objects. Pure and context-free."""
        ...

    def write_request(
        self, conversation: Conversation, profile: ModelProfile, *, is_anthropic: bool
    ) -> Encoded:
        """Write the whole request; ``conversation.model`` is already the provider's name of the model."""
        ...

    def read_reply(self, body: bytes) -> Reply:
        """Read a whole reply. Raises UpstreamProtocolError, or the error that a 200 hid."""
        ...

    def stream_decoder(self, framer: Framer) -> StreamDecoder:
        """Return a reader for one streamed reply."""
        ...

    def reply_watch(self, *, stream: bool, strict: bool = False, limit: int | None = None) -> ReplyWatch:
        """Return an observer for one relayed reply.

        ``strict``: the order of its events is judged, too. ``limit`` bounds one event in bytes.
        """
        ...

    def decode_error(self, status: int, headers: Headers, body: bytes, *, provider: str) -> GatewayError:
        """Say what an error reply means; the reply itself is kept in ``error.upstream``."""
        ...
