"""The outermost ASGI layer: what may not come in never reaches a framework, a parser or a body.

Order: Host, Origin, framing, content type, declared size, credential. Litestar's own checks do not run for 404 and 405,
and its typed handlers take JSON sent as ``text/plain``, which any web page may send (measured, reliability.md 0.10).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ccr.application.call import Headers
from ccr.domain.access import ANONYMOUS
from ccr.domain.errors import (
    BodyTooLargeError,
    ClientGoneError,
    ForbiddenError,
    GatewayError,
    InternalError,
    InvalidRequestError,
    LimitedError,
    UnauthenticatedError,
)
from ccr.domain.value import value
from ccr.entrypoints.http.disconnect import Body
from ccr.entrypoints.http.presented import present
from ccr.entrypoints.http.wrong_keys import WrongKeys

if TYPE_CHECKING:
    from collections.abc import Callable

    from litestar.types import ASGIApp, Receive, Scope, Send

    from ccr.application.catalog.holder import CatalogHolder
    from ccr.application.ports.identity import Identity
    from ccr.application.ports.system import Clock, NewId
    from ccr.application.settings import Settings
    from ccr.domain.access import Principal
    from ccr.entrypoints.http.errors import ErrorWriter
    from ccr.entrypoints.http.refusals import Refusals

__all__ = ["Admitted", "Guard", "MisdirectedError", "UnsupportedMediaError"]

_OPEN = frozenset({"/", "/api/hello", "/health", "/ready"})
_SHOWN = frozenset({"authorization", "x-api-key", "x-goog-api-key"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
_JSON = "application/json"
_MOST_HEADERS = 65_536
"""Bytes of names and values."""
_IDENTITY = ("", "identity")
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_FOREIGN_SITES = frozenset({"cross-site", "same-site"})
_ALWAYS = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
_HOST = re.compile(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?)(?::[0-9]*)?")
"""RFC 3986 3.2.2 without percent-encoding, in lower case."""


class MisdirectedError(InvalidRequestError):
    """The Host is not one of ours (421): somebody else's name leads here, as in DNS rebinding."""

    http_status = 421


class UnsupportedMediaError(InvalidRequestError):
    """Neither JSON nor uncompressed (415)."""

    http_status = 415


class HeadersTooLargeError(InvalidRequestError):
    """More than anybody needs (431); the server's own limit depends on how they happen to arrive."""

    http_status = 431


@value
class Admitted:
    """What the guard knows of a request; stands in the scope under ``ccr``. ``path`` is as it came, percent-decoded:
    the framework folds slashes.
    """

    principal: Principal
    request_id: str
    headers: Headers
    path: str


@frozen
class _Rules:
    """The guard's part of one configuration. ``hosts`` None = any well-formed name."""

    hosts: frozenset[str] | None
    origins: frozenset[str]
    max_body: int

    @classmethod
    def of(cls, settings: Settings) -> _Rules:
        server = settings.server
        named = {host.lower() for host in server.hosts}
        local = server.host in _LOOPBACK or server.host.startswith("127.")
        hosts = frozenset(named | _LOOPBACK | {server.host.lower()}) if local or named else None
        mine = {f"http://{name}:{server.port}" for name in ("127.0.0.1", "localhost", "[::1]")}
        return cls(hosts, frozenset({*mine, *server.origins}), settings.limits.max_body)


class _Outgoing:
    """``send`` of one request. ``entered``: the guard has let it in; ``begun``: its reply has begun."""

    __slots__ = ("_body", "_send", "begun", "entered", "request_id")

    def __init__(self, send: Send, request_id: str, body: Body | None) -> None:
        self._send = send
        self._body = body
        self.request_id = request_id
        self.begun = self.entered = False

    async def __call__(self, message: Any) -> None:
        """Send it, the head with what every reply carries."""
        if not self.begun:
            self.begun = True
            _complete(message["headers"], self.request_id)
            if self._body is not None and not self.entered and not self._body.over:
                # What comes next on this connection would be read as a request, and may be this one's body.
                message["headers"].append((b"connection", b"close"))
        await self._send(message)


class Guard:
    """Wraps the whole application; the last edge too: what escapes from inside becomes a bland 500 with an id."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        catalog: CatalogHolder,
        identity: Identity,
        new_id: NewId,
        errors: ErrorWriter,
        fault: Callable[[str, BaseException], None],
        clock: Clock,
        refusals: Refusals,
    ) -> None:
        self._app = app
        self._catalog = catalog
        self._identity = identity
        self._new_id = new_id
        self._errors = errors
        self._fault = fault
        self._wrong_keys = WrongKeys(clock.monotonic)
        self._refusals = refusals
        self._seen: Settings | None = None
        self._rules = _Rules(frozenset(_LOOPBACK), frozenset(), 0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it in, or answer why not."""
        if str(scope["type"]) != "http":
            await self._app(scope, receive, send)
            return
        method = str(scope["method"])  # type: ignore[typeddict-item]  # http it is
        body = Body(receive) if method in _BODY_METHODS else None
        out = _Outgoing(send, self._new_id(), body)
        try:
            await self._let_in(scope, body or receive, out)
        except GatewayError as error:
            if not out.entered:
                status = self._errors.render(error, out.request_id, str(scope["path"]))[0]
                self._refusals(out.request_id, error, status, _address(scope))
            if not isinstance(error, ClientGoneError):
                await self._answer(scope, out, error)
        except Exception as error:  # noqa: BLE001  # the outermost edge
            if body is None or not body.broken:
                self._fault(out.request_id, error)
                bland = InternalError(f"an internal error; the log has it under {out.request_id}")
                await self._answer(scope, out, bland)
        if body is None:
            return
        if body.broken:
            await self._answer(scope, out, InvalidRequestError("the request body has no proper end"))
        elif not body.over:
            await body.read_away()

    async def _answer(self, scope: Scope, out: _Outgoing, error: GatewayError) -> None:
        if not out.begun:
            await self._errors.send(scope, out, error, out.request_id)

    async def _let_in(self, scope: Scope, receive: Receive, out: _Outgoing) -> None:
        headers = _headers(scope["headers"])
        principal = await self._checked(scope, headers)
        out.entered = True
        scope["ccr"] = Admitted(  # type: ignore[typeddict-unknown-key]
            principal, out.request_id, headers, str(scope["path"])
        )
        await self._app(scope, receive, out)

    async def _checked(self, scope: Any, headers: Headers) -> Principal:
        rules = self._current()
        _check_host(scope["headers"], rules)
        _check_origin(scope["method"], headers, rules)
        _check_framing(headers)
        if scope["method"] in _BODY_METHODS:
            _check_body(headers, rules)
        if scope["path"] in _OPEN:
            return ANONYMOUS
        principal = await self._identity.verify(present(headers, scope["query_string"]))
        if principal is None:
            raise self._unknown(scope, headers)
        return principal

    def _unknown(self, scope: Any, headers: Headers) -> GatewayError:
        if _SHOWN.isdisjoint(headers) and b"key=" not in scope["query_string"]:
            return UnauthenticatedError("a key is needed: send it as x-api-key or as Authorization: Bearer")
        wait = self._wrong_keys.came(_address(scope))
        if wait is not None:
            return LimitedError("too many wrong keys came from this address", retry_after=wait)
        return UnauthenticatedError("this key is not known here")

    def _current(self) -> _Rules:
        """Rules change with the catalog, by identity: nothing is computed per request."""
        if self._catalog.loaded:
            settings = self._catalog.current.settings
            if settings is not self._seen:
                self._seen, self._rules = settings, _Rules.of(settings)
        return self._rules


def _address(scope: Any) -> str:
    """The peer of the connection. What ``X-Forwarded-For`` says is anybody's word."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _headers(raw: Any) -> dict[str, str]:
    """Lower-case names (ASGI promises them); a repeated header is joined with a comma."""
    headers: dict[str, str] = {}
    size = 0
    for name, said in raw:
        size += len(name) + len(said)
        key, text = name.decode("latin-1"), said.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    if size > _MOST_HEADERS:
        raise HeadersTooLargeError(f"the headers have more than {_MOST_HEADERS} bytes")
    return headers


def _complete(headers: Any, request_id: str) -> None:
    """What every reply carries, and a handler need not think of."""
    names = {name for name, _ in headers}
    headers.extend(pair for pair in ((b"request-id", request_id.encode()), *_ALWAYS) if pair[0] not in names)


def _check_origin(method: str, headers: Headers, rules: _Rules) -> None:
    """A page of another site may not call us; a person may follow its link to us (a navigation, which it cannot read)."""
    origin = headers.get("origin")
    if origin is not None and origin not in rules.origins:
        raise ForbiddenError("requests from web pages of this origin are not allowed")
    if origin is None and headers.get("sec-fetch-site", "") in _FOREIGN_SITES:
        navigates = method in _SAFE_METHODS and headers.get("sec-fetch-mode") == "navigate"
        if not navigates:
            raise ForbiddenError("requests from web pages of other sites are not allowed")


def _check_host(raw: Any, rules: _Rules) -> None:
    hosts = [value for name, value in raw if name == b"host"]
    if len(hosts) != 1 or not hosts[0]:
        raise InvalidRequestError("exactly one Host header is needed")
    name = _host_name(hosts[0])
    if name is None or (rules.hosts is not None and name not in rules.hosts):
        raise MisdirectedError(
            "this Host is not served here; if it should be, add it to Admin.hosts in the configuration"
        )


@lru_cache(maxsize=64)
def _host_name(host: bytes) -> str | None:
    """Return the name without its port and without the dot of a fully qualified name; None if it is no host at all."""
    found = _HOST.fullmatch(host.decode("latin-1").lower())
    return (found["address"] or found["name"]) if found else None


def _check_framing(headers: Headers) -> None:
    """What two readers could read in two ways is read by nobody. (Granian takes a Content-Length beside chunks away before we
    see it, and closes the connection after that request.)
    """
    coding = headers.get("transfer-encoding")
    if coding is not None and "content-length" in headers:
        raise InvalidRequestError("a request has either a Content-Length or a Transfer-Encoding")
    if coding is not None and coding.strip().lower() != "chunked":
        raise InvalidRequestError("the only Transfer-Encoding taken is chunked, once")


def _check_body(headers: Headers, rules: _Rules) -> None:
    length = headers.get("content-length", "")
    empty = length in {"", "0"} and "transfer-encoding" not in headers
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != _JSON and not (empty and not media):
        raise UnsupportedMediaError("the body must be sent as application/json")
    if headers.get("content-encoding", "").strip().lower() not in _IDENTITY:
        raise UnsupportedMediaError("a compressed request body is not taken; send it as it is")
    if length.isdigit() and int(length) > rules.max_body > 0:
        raise BodyTooLargeError(f"the request body is larger than {rules.max_body} bytes")
