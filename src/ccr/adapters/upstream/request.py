"""The head of a request as bytes, and nothing in it that could be read as a second request."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from ccr.domain.errors import InternalError

if TYPE_CHECKING:
    from ccr.application.ports.upstream import UpstreamRequest

__all__ = ["OWN_HEADERS", "Origin", "Place", "locate", "write_head"]

# Set by the transport, or hop-by-hop: whatever the caller gives for them is left out.
OWN_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "te",  # codespell:ignore te
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 5.6.2
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE", "TRACE"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Where connections lead; the key of the pool."""

    scheme: str
    host: str
    port: int

    @property
    def name(self) -> str:
        """``host:port`` for messages."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Place(NamedTuple):
    """A URL taken apart: where to connect, what ``Host`` says, and the request target."""

    origin: Origin
    host_header: str
    target: str


@lru_cache(maxsize=512)
def locate(url: str) -> Place:
    """Take an absolute http(s) URL apart; the fragment is dropped.

    Raises InternalError (the message never repeats the URL: it may hold a key) for anything that could smuggle a
    header or credentials: blanks, control or non-ASCII characters, user information.
    """
    # urlsplit() drops tabs and line ends silently, so look before it does.
    if not url.isascii() or any(char <= " " or char == "\x7f" for char in url):
        raise InternalError("A provider's URL holds a blank, a control character or one outside ASCII")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise InternalError("A provider's URL cannot be read") from exc
    if parts.scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc or "\\" in parts.netloc:
        raise InternalError("A provider's URL must be http(s)://host[:port]/path, without user information")
    default = _DEFAULT_PORTS[parts.scheme]
    literal = f"[{host}]" if ":" in host else host
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    number = default if port is None else port
    return Place(
        Origin(parts.scheme, host, number),
        literal if number == default else f"{literal}:{number}",
        target,
    )


def write_head(request: UpstreamRequest, place: Place) -> bytes:
    """Return request line and headers up to the blank line; one join, one check.

    Raises InternalError for a method or header name that is no token, and for CR, LF or NUL anywhere.
    """
    if not _is_token(request.method):
        raise InternalError(f"The request to {place.origin.name} has a malformed method")
    size = len(request.body)
    lines = [
        f"{request.method} {place.target} HTTP/1.1",
        f"host: {place.host_header}",
        "accept-encoding: identity",
    ]
    if size or request.method not in _BODILESS:
        lines.append(f"content-length: {size}")
    for name, value in request.headers:
        if name in OWN_HEADERS:
            continue
        if not _is_token(name):
            raise InternalError(f"The request to {place.origin.name} has a malformed header name")
        lines.append(f"{name}: {value}")
    ends = len(lines) + 1
    lines += ("", "")
    head = "\r\n".join(lines)
    # Every CR and LF must be one of ours: cheaper than looking into each value.
    if head.count("\n") != ends or head.count("\r") != ends or "\0" in head:
        raise InternalError(f"A header for {place.origin.name} holds a line end or NUL (look at the key)")
    try:
        return head.encode("latin-1")
    except UnicodeEncodeError as exc:
        raise InternalError(f"A header for {place.origin.name} holds characters HTTP cannot carry") from exc


@lru_cache(maxsize=512)
def _is_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None
