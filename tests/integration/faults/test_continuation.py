"""Replies that go on, over real sockets: a provider that closes, resets or falls silent, and a client of each kind."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from anthropic import AsyncAnthropic
from typing_extensions import override

from tests.support.cut_replies import Block, Piece, Sequel, anthropic, chat, joined
from tests.support.faulty.check import Seen, read_stream
from tests.support.gateway_process import GatewayProcess
from tests.support.leaving import eventually, lines_of
from tests.support.loopback import Exchange, LoopbackServer

pytestmark = pytest.mark.anyio

TEXT = "First I look — at\n  the café file, then I read on to its end. "
BLOCKS = (
    Block("text", TEXT),
    Block("tool", '{"path":"a/b.md"}', "call_1"),
    Block("tool", '{"path":"c"}', "call_2"),
)
PIECES = {"/v1/messages": anthropic(BLOCKS), "/v1/chat/completions": chat(BLOCKS)}
SSE = {"content-type": "text/event-stream"}


class Provider(LoopbackServer):
    """Cuts the first reply to a model behind so many events, in a way; ``model`` says both. Then it goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: set[tuple[str, str]] = set()

    @override
    async def answer(self, exchange: Exchange) -> None:
        asked = exchange.recorded
        pieces, model = PIECES[asked.path], str(asked.json["model"])
        if (asked.path, model) in self.begun and model.startswith("dead"):
            await exchange.cut()
            return
        if (asked.path, model) in self.begun:
            await exchange.open(200, SSE)
            make = anthropic if asked.path == "/v1/messages" else chat
            rest = Sequel(BLOCKS, "anchor").rest(asked.json["messages"])
            await exchange.chunk(joined(make(rest, tokens=20)))
            await exchange.end()
            return
        self.begun.add((asked.path, model))
        await exchange.open(200, SSE)
        way, _, events = model.partition("-")
        await self._cut(exchange, way, pieces[: int(events)])

    async def _cut(self, exchange: Exchange, way: str, pieces: list[Piece]) -> None:
        for piece in pieces:
            await exchange.chunk(piece.data)
        if way == "silent":
            await exchange.sleep(20)
        if way in ("junk", "reset"):
            await asyncio.sleep(0.5)  # what was written is to arrive by itself
        if way == "junk":
            await exchange.chunk(b"data: <html>\n\n")
        if way == "reset":
            linger = struct.pack("ii", 1, 0)
            exchange.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        await exchange.cut()


MODELS = {
    "/v1/messages": {
        "close-3": True, "close-4": True, "close-8": True, "close-9": False, "close-12": False,
        "reset-3": True, "silent-3": True, "junk-3": True,
    },
    "/v1/chat/completions": {
        "close-1": True, "close-3": True, "close-4": True, "close-5": False, "close-6": False,
        "reset-3": True, "silent-1": True, "junk-1": True,
    },
}  # fmt: skip
"""By what is cut and where: whether somebody is asked to go on."""
BODY: dict[str, Any] = {"max_tokens": 99, "messages": [{"role": "user", "content": "hi"}]}
CALLS = [block.text for block in BLOCKS if block.kind == "tool"]


@asynccontextmanager
async def gateway(folder: Path, path: str) -> AsyncIterator[tuple[GatewayProcess, Provider]]:
    async with Provider() as provider:
        entry = {
            "name": "p",
            "api_base_url": provider.origin + path,
            "api_key": "sk-0",
            "models": [*MODELS[path], "dead-3"],
        }
        config = {
            "Providers": [entry],
            "Router": {"default": "p,close-3"},
            "Failover": {"continueStreams": True, "breakerFailures": 0},
            "Timeouts": {"idleMs": 1000},
        }
        process = GatewayProcess(folder, config)
        await asyncio.to_thread(process.start)
        try:
            yield process, provider
        finally:
            await asyncio.to_thread(process.stop)


@pytest.mark.parametrize("path", MODELS)
async def test_a_reply_goes_on_whatever_cuts_it(path: str, tmp_path: Path) -> None:
    async with (
        gateway(tmp_path, path) as (process, provider),
        httpx.AsyncClient(base_url=process.base_url, timeout=30, trust_env=False) as client,
    ):
        for model, goes_on in MODELS[path].items():
            asked = len(provider.requests)
            body = {**BODY, "model": f"p,{model}", "stream": True}
            reply = await client.post(
                "/v1/messages", json=body, headers={"x-claude-code-session-id": f"of-{model}"}
            )
            seen = Seen(reply.status_code)
            read_stream(seen, reply.content)

            assert (model, seen.problems, seen.ended, seen.text) == (model, [], "stop", TEXT)
            # With a call in hand it ends, and nobody is asked for more.
            assert seen.tools == (CALLS if goes_on else CALLS[:1])
            assert len(provider.requests) - asked == 1 + goes_on
            assert (b": ccr continued 1\n" in reply.content) is goes_on
            (line,) = await asyncio.to_thread(logged, process, f"of-{model}")
            assert [one.get("maybe_billed", False) for one in line["attempts"]] == [True, False][
                : 1 + goes_on
            ]
            assert [one.get("purpose", "") for one in line["attempts"]] == ["", "continuation"][: 1 + goes_on]
        status = (await client.get("/api/status")).json()
        assert (status["active_requests"], status["health"][0]["in_flight"]) == (0, 0)


async def test_if_nobody_goes_on_the_cut_is_told(tmp_path: Path) -> None:
    async with (
        gateway(tmp_path, "/v1/messages") as (process, provider),
        httpx.AsyncClient(base_url=process.base_url, timeout=30, trust_env=False) as client,
    ):
        reply = await client.post("/v1/messages", json={**BODY, "model": "p,dead-3", "stream": True})
        seen = Seen(reply.status_code)
        read_stream(seen, reply.content)

        assert (seen.problems, seen.ended, len(provider.requests)) == ([], "error", 2)
        assert TEXT.startswith(seen.text)
        assert "was cut short" in seen.message
        assert b"continued" not in reply.content
        status = (await client.get("/api/status")).json()
        assert (status["active_requests"], status["health"][0]["in_flight"]) == (0, 0)
        assert status["runtime"]["connections"] == status["runtime"]["idle_connections"]


def logged(process: GatewayProcess, session: str) -> list[dict[str, Any]]:
    assert eventually(lambda: bool(lines_of(process.home, session)))
    return lines_of(process.home, session)


@pytest.mark.parametrize("path", MODELS)
async def test_the_official_client_has_one_message(path: str, tmp_path: Path) -> None:
    async with (
        gateway(tmp_path, path) as (process, provider),
        AsyncAnthropic(base_url=process.base_url, api_key="none", max_retries=0) as client,
        client.messages.stream(**BODY, model="p,close-3") as stream,
    ):
        message = await stream.get_final_message()

        assert len(provider.requests) == 2
        assert [block.type for block in message.content] == ["text", "tool_use", "tool_use"]
        text, read, _ = message.content
        assert (text.type, getattr(text, "text", "")) == ("text", TEXT)
        assert getattr(read, "input", None) == {"path": "a/b.md"}
        assert message.stop_reason == "tool_use"
        reported = 10 if path == "/v1/messages" else 0  # chat completions say it at the end, which never came
        assert message.usage.input_tokens == reported + 20
