"""A client for ASGI applications without a server: one request in, everything that was sent out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, field

from ccr.adapters.wire import json

__all__ = ["Told", "Wire", "ask", "scope_of"]


@define
class Told:
    """What an application answered."""

    status: int = 0
    pairs: list[tuple[bytes, bytes]] = field(factory=list)
    body: bytes = b""
    starts: int = 0
    ended: bool = False

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.pairs}

    @property
    def json(self) -> Any:
        return json.decode(self.body)

    @property
    def error(self) -> tuple[int, str]:
        """Status and Anthropic error type; fails when the body is not that envelope."""
        assert self.json["type"] == "error"
        assert self.json["error"]["message"]
        assert self.headers["request-id"] == self.json["request_id"]
        return self.status, self.json["error"]["type"]


class Wire:
    """``receive`` and ``send`` of one request; pieces of the body are handed out one by one.

    A piece that is a number waits so many seconds; None says that the client has left.
    """

    def __init__(self, *pieces: bytes | float | None) -> None:
        self.told = Told()
        self.taken = 0
        self._pieces = list(pieces)
        self.gone = asyncio.Event()

    async def receive(self) -> Any:
        while self._pieces:
            piece = self._pieces.pop(0)
            if piece is None:
                self._pieces.clear()
                self.gone.set()
                break
            if isinstance(piece, int | float):
                await asyncio.sleep(piece)
                continue
            self.taken += 1
            return {"type": "http.request", "body": piece, "more_body": bool(self._pieces)}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.told.starts += 1
            self.told.status, self.told.pairs = message["status"], list(message["headers"])
        else:
            self.told.body += message.get("body", b"")
            self.told.ended = not message.get("more_body", False)


def scope_of(
    method: str = "GET",
    path: str = "/",
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    *,
    host: str | None = "127.0.0.1:3456",
) -> dict[str, Any]:
    """Return the scope of a request; ``host`` None leaves the header out."""
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    if host is not None:
        pairs.insert(0, ("host", host))
    route, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": route,
        "raw_path": route.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 3456),
    }


async def ask(
    app: Any,
    method: str = "GET",
    path: str = "/",
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    body: bytes = b"",
    *,
    host: str | None = "127.0.0.1:3456",
) -> Told:
    """Ask; a body is announced by its length and as JSON unless the headers say otherwise."""
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    named = {name for name, _ in pairs}
    if method == "POST" and not named & {"content-length", "transfer-encoding"}:
        pairs.append(("content-length", str(len(body))))
    if body and "content-type" not in named:
        pairs.append(("content-type", "application/json"))
    wire = Wire(body)
    await app(scope_of(method, path, pairs, host=host), wire.receive, wire.send)
    return wire.told
