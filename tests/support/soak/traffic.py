"""Clients of every kind, chosen by a seed: four dialects, streamed and not, well and badly served, patient and not."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

import httptools
import msgspec
from attrs import define, field, frozen

from tests.support.faulty import network, protocol
from tests.support.faulty.catalogue import FAULTS
from tests.support.faulty.scripts import SCRIPTS

__all__ = ["KEY", "LEFT", "Traffic"]

_ACTED = (network, protocol)
"""Imported for what they put into the catalogue."""
KEY = "sk-client-of-the-soak"
LEFT = "left"
LEAVING = 0.5
"""Who does not wait for ever; some have their reply before, so that three in ten leave without it (P19)."""
_HEAVY = frozenset(
    name for name in FAULTS if name.startswith(("endless", "huge", "gzip-bomb", "line-over", "many-tiny"))
)
"""Megabytes a request: asked for seldom, or they would be all that is measured."""
_HEAVY_SHARE = 0.01
_FRESH = 0.02
"""Requests of sessions that nobody has seen: ten thousand of them are remembered (``domain/affinity.py``), 1 kB each, and until
they are, memory grows as it should.
"""
_PATIENCE = 30.0
_HALF_SENT = 0.05
"""Of those who leave: they do while they send."""


@frozen
class Request:
    """Bytes to send. ``stays``: seconds until the client leaves, None = until it has its reply."""

    data: bytes
    kind: str
    stays: float | None


class _Reply:
    """Reads one reply off a connection; ``done`` when it is complete."""

    def __init__(self) -> None:
        self.done = False
        self._parser = httptools.HttpResponseParser(self)

    def on_message_complete(self) -> None:
        self.done = True

    def feed(self, data: bytes) -> None:
        self._parser.feed_data(data)

    @property
    def status(self) -> int:
        return self._parser.get_status_code()

    @property
    def keeps(self) -> bool:
        return bool(self._parser.should_keep_alive())


@define(eq=False)
class Traffic:
    """``clients`` at once, each with one request after the other. ``counts`` says what came of them."""

    port: int
    seed: int
    clients: int = 40
    counts: Counter[str] = field(factory=Counter)
    requests: int = 0
    _random: random.Random = field(init=False)
    _light: list[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._light = sorted(set(FAULTS) - _HEAVY)

    async def run(self, seconds: float) -> None:
        """Send for so long, then wait for the replies under way."""
        until = asyncio.get_running_loop().time() + seconds
        await asyncio.gather(*(self._client(until) for _ in range(self.clients)))

    async def _client(self, until: float) -> None:
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            request = self._next()
            self.requests += 1
            try:
                if streams is None:
                    streams = await asyncio.open_connection("127.0.0.1", self.port)
                async with asyncio.timeout(request.stays or _PATIENCE):
                    kept = await self._ask(request, *streams)
            except TimeoutError:
                self.counts[LEFT if request.stays is not None else "HUNG"] += 1
                kept = False
            except (OSError, httptools.HttpParserError):
                # The gateway closes what it refuses unread; anything else is a connection that it broke.
                self.counts["closed" if request.kind == "bad" else "BROKEN"] += 1
                kept = False
            if not kept and streams is not None:
                streams[1].transport.abort() if self._random.random() < 0.5 else streams[1].close()
                streams = None
        if streams is not None:
            streams[1].close()

    async def _ask(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        half = request.stays is not None and self._random.random() < _HALF_SENT
        writer.write(request.data[: len(request.data) // 2] if half else request.data)
        reply = _Reply()
        while not reply.done:
            data = await reader.read(65_536)
            if not data:
                raise ConnectionResetError
            reply.feed(data)
        self.counts[f"{reply.status // 100}xx" if reply.status != 529 else "529"] += 1
        return reply.keeps

    # ------------------------------------------------------------------------------------------- what is sent

    def _next(self) -> Request:
        chance = self._random
        leaves = chance.random() < LEAVING
        stays = (
            10 ** chance.uniform(-4, -0.3) if leaves else None
        )  # as many within 1 ms as between 100 ms and 1 s
        if chance.random() < 0.06:
            return self._bad(stays)
        if chance.random() < 0.03:
            body = {"model": "at-anthropic,healthy", "messages": [{"role": "user", "content": self._text()}]}
            return Request(self._post("/v1/messages/count_tokens", msgspec.json.encode(body)), "count", stays)
        stream = chance.random() < 0.7
        path, body = self._call(chance.choice(list(SCRIPTS)), self._model(), stream)
        return Request(self._post(path, msgspec.json.encode(body)), "call", stays)

    def _model(self) -> str:
        chance = self._random
        if chance.random() < 0.25:
            return "claude-x"  # by the routes: several targets, several keys
        if chance.random() < _HEAVY_SHARE:
            name = chance.choice(sorted(_HEAVY))
        else:
            name = chance.choice(self._light) if chance.random() < 0.5 else "healthy"
        spoken = chance.choice(FAULTS[name].dialects)
        return f"at-{spoken},{name}"

    def _call(self, dialect: str, model: str, stream: bool) -> tuple[str, dict[str, Any]]:
        text = self._text()
        messages = [{"role": "user", "content": text}]
        if dialect == "anthropic":
            return "/v1/messages", {"model": model, "max_tokens": 64, "stream": stream, "messages": messages}
        if dialect == "openai_chat":
            return "/v1/chat/completions", {"model": model, "stream": stream, "messages": messages}
        if dialect == "openai_responses":
            return "/v1/responses", {"model": model, "stream": stream, "input": text}
        call = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return f"/v1beta/models/{model}:{call}", {"contents": [{"role": "user", "parts": [{"text": text}]}]}

    def _text(self) -> str:
        return f"say hello {self._random.random()} " + "word " * self._random.randrange(400)

    def _bad(self, stays: float | None) -> Request:
        chance = self._random
        body = msgspec.json.encode({"model": "at-anthropic,healthy", "max_tokens": 9, "messages": []})
        data = chance.choice(
            [
                self._post("/v1/messages", b'{"model": "x", "messages": ['),
                self._post("/v1/messages", b"[]"),
                self._post("/v1/messages", body),
                self._post("/v1/messages", body, key="sk-wrong"),
                self._post("/v1/nowhere", body),
                self._post("/v1/messages", b"x" * 300_000),
                self._post("/v1/messages", body, more={"content-encoding": "gzip"}),
                self._post("/v1/messages", body, more={"host": "elsewhere.example"}),
                b"NOT HTTP AT ALL\r\n\r\n",
            ]
        )
        return Request(data, "bad", stays)

    def _post(
        self, path: str, body: bytes, *, key: str = KEY, more: Mapping[str, str] | None = None
    ) -> bytes:
        chance = self._random
        session = (
            f"fresh-{chance.getrandbits(48)}" if chance.random() < 0.2 else f"session-{chance.randrange(40)}"
        )
        headers = {
            "host": "localhost",
            "content-type": "application/json",
            "authorization": f"Bearer {key}",
            "x-claude-code-session-id": session,
            "content-length": str(len(body)),
            **(more or {}),
        }
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        return "\r\n".join(lines).encode() + body
