"""The provider that fails: one port, four dialects, the fault chosen by the model's name."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import msgspec

from tests.support.faulty import network, protocol
from tests.support.faulty.catalogue import FAULTS
from tests.support.faulty.scripts import SCRIPTS
from tests.support.faulty.wire import Asked, GoneError, Wire

__all__ = ["FaultyProvider", "in_a_process"]

_ACTED = (network, protocol)
"""Imported for what they put into the catalogue."""
_PATHS = {
    "/v1/chat/completions": "openai_chat",
    "/v1/messages": "anthropic",
    "/v1/responses": "openai_responses",
}
_GEMINI = re.compile(r"/v1beta/models/(?P<model>[^:]+):(?P<call>\w+)")


class FaultyProvider:
    """Listens on loopback. ``hits`` counts requests by path (``/canary`` is where redirects lead)."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        self.open = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(network.bomb)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    def url(self, dialect: str) -> str:
        """Return the ``api_base_url`` of a dialect."""
        if dialect == "gemini":
            return f"{self.origin}/v1beta/models/"
        return self.origin + next(path for path, spoken in _PATHS.items() if spoken == dialect)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.open += 1
        try:
            with contextlib.suppress(
                GoneError, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError
            ):
                keep = True
                while keep:
                    wire = Wire(reader, writer)
                    asked = await wire.asked()
                    if asked is None:
                        break
                    await self._answer(wire, asked)
                    keep = wire.keep
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    async def _answer(self, wire: Wire, asked: Asked) -> None:
        path = asked.path.partition("?")[0]
        self.hits[path] += 1
        found = _GEMINI.fullmatch(path)
        if found is not None:
            dialect, model, stream = "gemini", found["model"], found["call"].startswith("stream")
        elif path in _PATHS:
            body = msgspec.json.decode(asked.body)
            dialect, model, stream = _PATHS[path], body["model"], bool(body.get("stream"))
        else:
            await wire.whole(b"{}", 404)
            return
        await FAULTS[model].act(wire, asked, SCRIPTS[dialect], stream)


async def _until_told() -> None:
    async with FaultyProvider() as provider:
        sys.stdout.write(f"{provider.port}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


@contextlib.contextmanager
def in_a_process() -> Iterator[FaultyProvider]:
    """Run a provider whose time is its own; what is yielded knows only where it is."""
    command = [sys.executable, "-m", "tests.support.faulty.server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        there = FaultyProvider()
        there.port = int(process.stdout.readline())
        try:
            yield there
        finally:
            process.communicate()


if __name__ == "__main__":
    asyncio.run(_until_told())
