"""Targets, circuits and limits in a real process, as a client and `ccr status` see them."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.faulty.catalogue import FAULTS
from tests.support.faulty.server import FaultyProvider
from tests.support.gateway_process import GatewayProcess, gateway_command

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def gateway(
    folder: Path, default: Any, **more: Any
) -> AsyncIterator[tuple[GatewayProcess, httpx.AsyncClient]]:
    async with FaultyProvider() as provider:
        entry = {
            "name": "chat",
            "api_base_url": provider.url("openai_chat"),
            "api_key": "sk-canary-0123456789",
            "models": list(FAULTS),
            **more.pop("provider", {}),
        }
        config = {"Providers": [entry], "Router": {"default": default}, "Failover": {}, **more}
        process = GatewayProcess(folder, config)
        await asyncio.to_thread(process.start)
        try:
            async with httpx.AsyncClient(base_url=process.base_url, timeout=30, trust_env=False) as client:
                yield process, client
        finally:
            await asyncio.to_thread(process.stop)


async def ask(client: httpx.AsyncClient, session: str, **more: Any) -> httpx.Response:
    body = {"model": "claude-x", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], **more}
    return await client.post("/v1/messages", json=body, headers={"x-claude-code-session-id": session})


async def test_a_target_that_is_down_costs_five_requests_and_then_nothing(tmp_path: Path) -> None:
    async with gateway(tmp_path, ["chat,close-no-response", "chat,healthy"]) as (process, client):
        replies = [await ask(client, f"s{number}") for number in range(8)]

        assert [reply.status_code for reply in replies] == [200] * 8
        attempts = [reply.headers["x-ccr-attempts"] for reply in replies]
        assert attempts[0].startswith('"chat,close-no-response";status=0;error=upstream_unavailable;ms=')
        assert attempts[0].rpartition('"chat,healthy";status=200')[1]
        assert "maybe-billed" in attempts[0]
        assert [len(text.split('"chat,healthy"')[0]) > 0 for text in attempts] == [True] * 5 + [False] * 3
        told = await asyncio.to_thread(
            subprocess.run,
            [*gateway_command(), "status"],
            env={"HOME": str(tmp_path), "CCR_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "chat,close-no-response  open, asked again in " in told.stdout
        assert process.status_of("/ready") == 200


async def test_beyond_the_limit_is_a_clean_529_at_once_and_health_answers(tmp_path: Path) -> None:
    full = {"maxInFlight": 2, "queueMs": 0}
    async with gateway(tmp_path, "chat,slow-headers", Limits=full) as (process, client):
        busy = [asyncio.ensure_future(ask(client, f"s{number}")) for number in range(2)]
        await asyncio.sleep(0.3)
        refused = await ask(client, "one too many")

        assert refused.status_code == 529
        assert refused.json()["error"]["type"] == "overloaded_error"
        assert refused.headers["retry-after"] == "2"
        assert process.status_of("/health") == 200
        assert (await client.get("/api/status")).json()["active_requests"] == 2
        assert [(await one).status_code for one in busy] == [200, 200]
        assert (await client.get("/api/status")).json()["shed"] == 1


async def test_a_provider_with_one_place_serves_one_after_the_other(tmp_path: Path) -> None:
    one = {"maxInFlight": 1}
    async with gateway(tmp_path, "chat,slow-headers", provider=one) as (_, client):
        replies = await asyncio.gather(*(ask(client, f"s{number}", stream=True) for number in range(3)))

        assert [reply.status_code for reply in replies] == [200] * 3
        assert all("message_stop" in reply.text for reply in replies)


async def test_who_leaves_the_queue_of_a_provider_is_gone_within_a_second(tmp_path: Path) -> None:
    one = {"maxInFlight": 1}
    async with gateway(tmp_path, "chat,hang-headers", provider=one) as (_, client):
        first = asyncio.ensure_future(ask(client, "one"))
        await asyncio.sleep(0.3)
        second = asyncio.ensure_future(ask(client, "two"))
        await asyncio.sleep(0.3)
        assert (await client.get("/api/status")).json()["health"][0]["queued"] == 1
        for task in (first, second):
            task.cancel()
        await asyncio.wait({first, second})
        status: dict[str, Any] = {}
        for _ in range(20):
            status = (await client.get("/api/status")).json()
            if not status["active_requests"]:
                break
            await asyncio.sleep(0.05)

        assert status["active_requests"] == 0
        assert (status["health"][0]["queued"], status["health"][0]["provider_in_flight"]) == (0, 0)
        assert status["runtime"]["connections"] == status["runtime"]["idle_connections"]
