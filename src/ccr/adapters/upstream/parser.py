"""One response as a machine: bytes and ends of connection in, head and body out. Does no I/O."""

from __future__ import annotations

import httptools

from ccr.domain.errors import UpstreamError, UpstreamProtocolError, UpstreamUnavailableError

__all__ = ["MAX_HEADERS", "MAX_HEAD_BYTES", "ResponseParser"]

MAX_HEAD_BYTES = 64 * 1024  # four times what the strictest servers take; no provider sends 8 KB
MAX_HEADERS = 100  # as Granian and Go's HTTP/2; Cloudflare adds about 15


class ResponseParser:
    """Parses exactly one final response; 1xx are skipped.

    After each ``feed``/``end``/``lost`` the owner looks at the attributes:

    * ``head_done``: ``status`` and ``headers`` are valid.
    * ``size``: bytes of body that ``take()`` would return.
    * ``ended``: the body is complete; ``keep_alive`` and ``surplus`` say whether the connection may live on.
    * ``failure``: an error to raise once what came before it has been taken.

    Failures name ``where`` (``host:port``) and never what was received.
    """

    __slots__ = (
        "_fields",
        "_head_only",
        "_machine",
        "_parts",
        "_silent",
        "_until_close",
        "_weight",
        "_where",
        "ended",
        "failure",
        "head_done",
        "headers",
        "keep_alive",
        "received",
        "size",
        "status",
        "surplus",
    )

    def __init__(self, where: str, *, head_only: bool = False) -> None:
        """``head_only``: the request was HEAD, so no body follows whatever the headers say."""
        self._where = where
        self._head_only = head_only
        self._machine: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._fields: list[tuple[str, str]] = []
        self._parts: list[bytes] = []
        self._silent = (
            0  # bytes since there was last any progress: bounds headers, trailers, chunk extensions
        )
        self._weight = 0
        self._until_close = False
        self.status = 0
        self.headers: dict[str, str] = {}
        self.head_done = False
        self.size = 0
        self.ended = False
        self.keep_alive = False
        self.surplus = False
        self.received = False
        self.failure: UpstreamError | None = None

    # -- inputs

    def feed(self, data: bytes | memoryview) -> None:
        """Take what the network gave; what is kept of it is copied."""
        machine = self._machine
        if machine is None:
            self.surplus = True
            return
        self.received = True
        self._silent += len(data)
        try:
            machine.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(UpstreamProtocolError(f"{self._where} switches to another protocol"))
        except httptools.HttpParserError as exc:
            if self.ended:
                self.surplus = True
            elif self.failure is None:
                self._fail(UpstreamProtocolError(f"{self._where} did not answer in proper HTTP: {exc}"))
        else:
            if self._silent > MAX_HEAD_BYTES and not self.ended:
                self._fail(self._too_big())
        if self.ended:
            self._machine = None  # it refers back to us

    def end(self) -> None:
        """The peer closed its side in order (FIN); also the proper end of a body without a length."""
        if self.ended or self.failure is not None:
            self.keep_alive = False
        elif not self.head_done:
            # In the middle of the head is still before the answer.
            self._fail(UpstreamUnavailableError(f"{self._where} closed the connection before it answered"))
        elif self._until_close:
            # Over TLS this may lack the close_notify that proves the end; too many servers leave it out, and the
            # dialects have an end of their own.
            self.ended = True
            self._machine = None
        else:
            self._fail(UpstreamProtocolError(f"The answer of {self._where} was cut short"))

    def lost(self) -> None:
        """The connection broke (reset, or the network gave up)."""
        if not self.ended and self.failure is None:
            when = "in the middle of its answer" if self.head_done else "before it answered"
            self._fail(UpstreamUnavailableError(f"{self._where} broke the connection {when}"))
        self.keep_alive = False

    def close(self) -> None:
        """Nobody wants the rest: reading on is an error."""
        if not self.ended and self.failure is None:
            self._fail(UpstreamUnavailableError(f"The connection to {self._where} was closed by us"))

    # -- output

    def take(self) -> bytes:
        """Return all body bytes that have come, as one piece."""
        parts = self._parts
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        self.size = 0
        return data

    # -- callbacks of httptools

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header line, or a trailer, which nobody asked for and nobody gets."""
        if self.head_done:
            return
        self._weight += len(name) + len(value)
        if self._weight > MAX_HEAD_BYTES or len(self._fields) >= MAX_HEADERS:
            self._fail(self._too_big())
            raise ValueError
        self._fields.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """The head of a 1xx, which is forgotten, or of the response."""
        machine = self._machine
        assert machine is not None
        status = machine.get_status_code()
        fields, self._fields = self._fields, []
        if status < 200:
            return
        headers = self.headers
        for name, value in fields:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        coding = headers.get("transfer-encoding")
        if coding is not None and coding.lower() != "chunked":
            self._fail(UpstreamProtocolError(f"{self._where} uses a transfer coding that we did not ask for"))
            raise ValueError
        self.status = status
        self.head_done = True
        self._silent = 0
        self.keep_alive = machine.should_keep_alive()
        if self._head_only:
            self.ended = True
        else:
            self._until_close = (
                coding is None and "content-length" not in headers and status not in {204, 304}
            )

    def on_body(self, data: bytes) -> None:
        """A piece of body."""
        if self.ended:
            self.surplus = True
            return
        self._parts.append(data)
        self.size += len(data)
        self._silent = 0

    def on_message_begin(self) -> None:
        """A second response after the end of ours: not asked for."""
        if self.ended:
            self.surplus = True

    def on_message_complete(self) -> None:
        """The end of a 1xx or of the response."""
        if self.head_done:
            self.ended = True

    def _too_big(self) -> UpstreamProtocolError:
        return UpstreamProtocolError(
            f"{self._where} sent more than {MAX_HEADERS} headers or {MAX_HEAD_BYTES // 1024} KB of them"
        )

    def _fail(self, failure: UpstreamError) -> None:
        self.failure = failure
        self._machine = None
