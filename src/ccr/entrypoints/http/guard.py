"""The outermost ASGI layer: what may not come in never reaches a framework, a parser or a body.

Order: Host, Origin, framing, content type, declared size, credential. Litestar's own checks do not run for 404 and 405,
and its typed handlers take JSON sent as ``text/plain``, which any web page may send (measured, reliability.md 0.10).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ccr.application.call import Headers
from ccr.domain.access import ANONYMOUS
from ccr.domain.errors import (
    BodyTooLargeError,
    ForbiddenError,
    GatewayError,
    InternalError,
    InvalidRequestError,
    UnauthenticatedError,
)
from ccr.entrypoints.http.disconnect import Body
from ccr.entrypoints.http.presented import present

if TYPE_CHECKING:
    from collections.abc import Callable

    from litestar.types import ASGIApp, Receive, Scope, Send

    from ccr.application.catalog.holder import CatalogHolder
    from ccr.application.ports.identity import Identity
    from ccr.application.ports.system import NewId
    from ccr.application.settings import Settings
    from ccr.domain.access import Principal
    from ccr.entrypoints.http.errors import ErrorWriter

__all__ = ["Admitted", "Guard", "MisdirectedError", "UnsupportedMediaError"]

_OPEN = frozenset({"/", "/api/hello", "/health", "/ready"})
_SHOWN = frozenset({"authorization", "x-api-key", "x-goog-api-key"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
_JSON = "application/json"
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


@frozen
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
    ) -> None:
        self._app = app
        self._catalog = catalog
        self._identity = identity
        self._new_id = new_id
        self._errors = errors
        self._fault = fault
        self._seen: Settings | None = None
        self._rules = _Rules(frozenset(_LOOPBACK), frozenset(), 0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it in, or answer why not."""
        if str(scope["type"]) != "http":
            await self._app(scope, receive, send)
            return
        method = str(scope["method"])  # type: ignore[typeddict-item]  # http it is
        request_id = self._new_id()
        begun = False

        async def watched(message: Any) -> None:
            nonlocal begun
            if not begun:
                begun = True
                _complete(message["headers"], request_id)
            await send(message)

        incoming: Receive = receive
        body = Body(receive) if method in _BODY_METHODS else None
        if body is not None:
            incoming = body
        try:
            headers = _headers(scope["headers"])
            principal = await self._checked(scope, headers)
            scope["ccr"] = Admitted(  # type: ignore[typeddict-unknown-key]
                principal, request_id, headers, scope["path"]
            )
            await self._app(scope, incoming, watched)
        except GatewayError as error:
            if not begun:
                await self._errors.send(scope, watched, error, request_id)
        except Exception as error:  # noqa: BLE001  # the outermost edge
            self._fault(request_id, error)
            if not begun:
                bland = InternalError(f"an internal error; the log has it under {request_id}")
                await self._errors.send(scope, watched, bland, request_id)
        if body is not None and not body.over:
            await body.read_away()

    async def _checked(self, scope: Any, headers: Headers) -> Principal:
        rules = self._current()
        _check_host(scope["headers"], rules)
        _check_origin(scope["method"], headers, rules)
        if scope["method"] in _BODY_METHODS:
            _check_body(headers, rules)
        if scope["path"] in _OPEN:
            return ANONYMOUS
        principal = await self._identity.verify(present(headers, scope["query_string"]))
        if principal is None:
            shown = not _SHOWN.isdisjoint(headers) or b"key=" in scope["query_string"]
            raise UnauthenticatedError(
                "this key is not known here"
                if shown
                else "a key is needed: send it as x-api-key or as Authorization: Bearer"
            )
        return principal

    def _current(self) -> _Rules:
        """Rules change with the catalog, by identity: nothing is computed per request."""
        if self._catalog.loaded:
            settings = self._catalog.current.settings
            if settings is not self._seen:
                self._seen, self._rules = settings, _Rules.of(settings)
        return self._rules


def _headers(raw: Any) -> dict[str, str]:
    """Lower-case names (ASGI promises them); a repeated header is joined with a comma."""
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
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
    name = _host_name(hosts[0].decode("latin-1").lower())
    if name is None or (rules.hosts is not None and name not in rules.hosts):
        raise MisdirectedError(
            "this Host is not served here; if it should be, add it to Admin.hosts in the configuration"
        )


def _host_name(host: str) -> str | None:
    """Return the name without its port and without the dot of a fully qualified name; None if it is no host at all."""
    found = _HOST.fullmatch(host)
    return (found["address"] or found["name"]) if found else None


def _check_body(headers: Headers, rules: _Rules) -> None:
    if "transfer-encoding" in headers and "content-length" in headers:
        raise InvalidRequestError("a request has either a Content-Length or a Transfer-Encoding")
    length = headers.get("content-length", "")
    empty = length in {"", "0"} and "transfer-encoding" not in headers
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != _JSON and not (empty and not media):
        raise UnsupportedMediaError("the body must be sent as application/json")
    if headers.get("content-encoding", "").strip().lower() not in _IDENTITY:
        raise UnsupportedMediaError("a compressed request body is not taken; send it as it is")
    if length.isdigit() and int(length) > rules.max_body > 0:
        raise BodyTooLargeError(f"the request body is larger than {rules.max_body} bytes")
