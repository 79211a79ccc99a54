"""The real gateway in this process, with everything on, and a client that calls it as the HTTP server does."""

from __future__ import annotations

import asyncio
import gc
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from bench import bodies
from bench.perf.network import Network
from bench.perf.workloads import Exchange, Workload

from ccr.entrypoints import lifecycle
from ccr.entrypoints.asgi import GatewayApp

KEY = "sk-the-key-of-the-clients-0123456789"
READ = 65_536
"""Bytes of a body that the HTTP server hands over at once."""
LOG_SECONDS = 0.12
"""The log's thread gathers lines for 50 ms before it writes them."""


class Client:
    """Sends requests one after another, each in a task of its own, and looks at every reply."""

    def __init__(self, app: Any, network: Network) -> None:
        self._app = app
        self._network = network
        self._sent = 0
        head = [line.split(b": ", 1) for line in bodies.headers().splitlines()]
        shown = {b"authorization", b"x-api-key"}
        self._headers = [(name.lower(), value) for name, value in head if name.lower() not in shown]
        self._headers += [(b"host", b"127.0.0.1:3456"), (b"x-api-key", KEY.encode())]

    def prepare(self, exchange: Exchange, count: int) -> list[Call]:
        """Everything of so many requests that is not the gateway's work."""
        self._network.reply = exchange.reply
        first, self._sent = self._sent, self._sent + count
        return [Call(self._scope(exchange.path, len(one)), one) for one in exchange.bodies(count, first)]

    async def run(self, calls: list[Call], *, to_first_event: bool = False) -> None:
        """One after another, each to its end or until its first bytes have left; ``finish`` must follow."""
        self._network.holding = to_first_event
        loop = asyncio.get_running_loop()
        for call in calls:
            call.task = loop.create_task(self._app(call.scope, call.receive, call.send))
            if to_first_event:
                call.began = loop.create_future()
                await call.began
            else:
                await call.task

    async def finish(self, calls: list[Call]) -> None:
        """Let every reply end."""
        self._network.release()
        for call in calls:
            assert call.task is not None
            await call.task

    def _scope(self, path: str, size: int) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": ("127.0.0.1", 3456),
            "client": ("127.0.0.1", 50_000),
            "scheme": "http",
            "method": "POST",
            "root_path": "",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"beta=true",
            "headers": [*self._headers, (b"content-length", str(size).encode())],
            "extensions": {},
            "state": {},
        }


class Call:
    """``receive`` and ``send`` of one request: the body in the pieces that the server reads, then silence."""

    def __init__(self, scope: dict[str, Any], body: bytes) -> None:
        self.scope = scope
        self.status = 0
        self.parts: list[bytes] = []
        self.began: asyncio.Future[None] | None = None
        self.task: asyncio.Task[None] | None = None
        self._pieces = [body[at : at + READ] for at in range(0, len(body), READ)][::-1]

    async def receive(self) -> dict[str, Any]:
        if self._pieces:
            piece = self._pieces.pop()
            return {"type": "http.request", "body": piece, "more_body": bool(self._pieces)}
        await asyncio.get_running_loop().create_future()  # the client never leaves
        raise AssertionError

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        if data := message.get("body"):
            self.parts.append(data)
            if self.began is not None and not self.began.done():
                self.began.set_result(None)

    def check(self, exchange: Exchange) -> None:
        """Raise RuntimeError unless the reply is the whole of what the upstream gave."""
        body = b"".join(self.parts)
        if self.status != 200 or exchange.ends not in body[-100:] or exchange.holds not in body:
            raise RuntimeError(f"{exchange.path}: {self.status} {body[:300]!r} ... {body[-300:]!r}")


def settings() -> dict[str, Any]:
    """Two providers, a key, a route by rules that needs a count, the log to a file."""

    def provider(name: str, path: str, **more: Any) -> dict[str, Any]:
        return {
            "name": name,
            "api_base_url": f"http://127.0.0.1:9{path}",
            "api_key": "k" * 40,
            "models": ["m1"],
            **more,
        }

    return {
        "APIKEY": KEY,
        "LOG": True,
        "Providers": [
            provider("oai", "/v1/chat/completions"),
            provider("ant", "/v1/messages", transformer={"use": ["Anthropic"]}),
        ],
        "Router": {"default": "oai,m1", "longContext": "oai,m1", "longContextThreshold": 60_000},
    }


@contextmanager
def own_process(folder: Path) -> Iterator[None]:
    """Point the environment to ``folder``; put it back at the end, and the garbage collector, which the gateway tunes."""
    before, threshold = dict(os.environ), gc.get_threshold()
    os.environ |= {"HOME": str(folder.parent), "CCR_HOME": str(folder), "NO_PROXY": "*"}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before
        gc.unfreeze()
        gc.set_threshold(*threshold)


@asynccontextmanager
async def gateway(home: Path) -> AsyncIterator[Client]:
    """Open it as a worker does, from a configuration in ``home``.

    Without the two things that work by the clock and not by the request, the watch on the configuration file and the one on
    the loop: under valgrind a second has fifty times fewer requests, and their share would be chance.
    """
    folder = home / "ccr"
    folder.mkdir(mode=0o700)
    (folder / "config.json").write_text(json.dumps(settings()))
    network = Network()
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "lifespan.startup.complete":
            opened.set_result(None)

    with own_process(folder), network.in_use(), mock.patch.object(lifecycle, "LoopWatchdog"):
        app = GatewayApp(lifecycle.running(), follow=False, own_process=True)
        lifespan = asyncio.create_task(app({"type": "lifespan"}, messages.get, send))
        messages.put_nowait({"type": "lifespan.startup"})
        await asyncio.wait([opened, lifespan], return_when=asyncio.FIRST_COMPLETED)
        try:
            if not lifespan.done():  # else it has failed, and says why below
                yield Client(app, network)
        finally:
            messages.put_nowait({"type": "lifespan.shutdown"})
            await lifespan


async def round_of(
    client: Client,
    workload: Workload,
    exchange: Exchange,
    count: int,
    begin: Callable[[], object] = lambda: None,
    end: Callable[[], object] = lambda: None,
) -> None:
    """So many requests between ``begin`` and ``end``, and their replies looked at afterwards. Raises RuntimeError.

    What a request leaves behind is its own work too: within that time the log is written and the garbage collected.
    """
    calls = client.prepare(exchange, count)
    gc.collect()
    begin()
    await client.run(calls, to_first_event=workload.to_first_event)
    await asyncio.sleep(LOG_SECONDS)
    gc.collect(0)
    end()
    await client.finish(calls)
    for call in calls:
        call.check(exchange)
