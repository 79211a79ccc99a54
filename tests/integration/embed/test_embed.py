"""The gateway inside another program, as `from ccr import ...` promises it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from ccr import (
    ConfigError,
    Conversation,
    FunctionTool,
    GatewayError,
    Json,
    MessageStart,
    MessageStop,
    Role,
    Settings,
    Text,
    TextDelta,
    ToolCall,
    Turn,
    create_app,
    fold,
    open_gateway,
)

pytestmark = pytest.mark.anyio
CONFIG: dict[str, Any] = {"LOG": False, "Router": {"default": "demo,demo"}}
PROBE = """
import asyncio, sys
from ccr import Conversation, Role, Text, Turn, open_gateway

async def main():
    async with open_gateway({"LOG": False, "Router": {"default": "demo,demo"}}) as gateway:
        said = Conversation(model="demo,demo", turns=(Turn(Role.USER, (Text("Hello"),)),))
        return [event async for event in gateway.converse(said)]

assert asyncio.run(main())
unwanted = ("litestar", "granian", "rich_click", "ccr.entrypoints.http", "ccr.entrypoints.cli")
print([name for name in unwanted if name in sys.modules])
"""


def conversation(text: str, *tools: FunctionTool, model: str = "demo,demo") -> Conversation:
    return Conversation(model=model, turns=(Turn(Role.USER, (Text(text),)),), tools=tools)


def run(code: str, home: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=home,
        env={**os.environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_gateway_without_http_imports_no_server_and_no_command_line(tmp_path: Path) -> None:
    assert run(PROBE, tmp_path) == "[]"


def test_importing_the_package_imports_next_to_nothing(tmp_path: Path) -> None:
    code = "import sys, ccr; print([n for n in sys.modules if n.startswith('ccr.') or n in ('attrs', 'msgspec')])"

    assert run(code, tmp_path) == "[]"


async def test_events_begin_and_end_a_message() -> None:
    async with open_gateway(CONFIG) as gateway:
        events = [event async for event in gateway.converse(conversation("Hello"))]

    assert isinstance(events[0], MessageStart)
    assert isinstance(events[-1], MessageStop)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "You said: Hello"


async def test_a_tool_call_comes_back_as_a_value() -> None:
    schema = Json(b'{"type":"object","properties":{"file_path":{"type":"string"}}}')
    tool = FunctionTool("Read", "Reads a file.", schema)
    async with open_gateway(CONFIG) as gateway:
        told = conversation("demo: tool Read /etc/hostname", tool)
        reply = fold([event async for event in gateway.converse(told)])

    (call,) = (block for block in reply.blocks if isinstance(block, ToolCall))
    assert call.name == "Read"
    assert isinstance(call.input, Json)
    assert json.loads(call.input.data) == {"file_path": "/etc/hostname"}


async def test_what_fails_is_an_exception_with_a_kind() -> None:
    async with open_gateway(CONFIG) as gateway:
        with pytest.raises(GatewayError) as caught:
            async for _ in gateway.converse(conversation("Hello", model="nobody,nothing")):
                pass

    assert caught.value.kind == "unknown_model"


async def test_several_conversations_at_once_do_not_mix() -> None:
    async with open_gateway(CONFIG) as gateway:

        async def ask(number: int) -> str:
            events = gateway.converse(conversation(f"number {number}"))
            return "".join([event.text async for event in events if isinstance(event, TextDelta)])

        texts = await asyncio.gather(*(ask(number) for number in range(20)))

    assert texts == [f"You said: number {number}" for number in range(20)]


async def test_leaving_early_is_no_fault() -> None:
    async with open_gateway(CONFIG) as gateway:
        events = gateway.converse(conversation("Hello"))
        assert isinstance(await anext(events), MessageStart)
        await events.aclose()  # type: ignore[attr-defined]  # it is an async generator
        again = [event async for event in gateway.converse(conversation("Hello"))]

    assert isinstance(again[-1], MessageStop)


async def test_a_wrong_configuration_names_everything_that_is_wrong() -> None:
    wrong: Mapping[str, object] = {"PORT": "x", "Router": {"default": 3}}

    with pytest.raises(ConfigError) as caught:
        async with open_gateway(wrong):
            pass

    assert {"PORT", "Router.default"} <= {problem.path for problem in caught.value.problems}


async def test_settings_by_hand_will_do() -> None:
    async with open_gateway(Settings(), environ={"HOME": "/dev/null"}) as gateway:
        events = [event async for event in gateway.converse(conversation("Hello"))]

    assert isinstance(events[-1], MessageStop)


async def test_a_file_will_do(tmp_path: Path) -> None:
    path = tmp_path / "ccr.json"
    path.write_text('{ LOG: false, Router: { default: "demo,demo" } }  // JSON5')

    async with open_gateway(path) as gateway:
        events = [event async for event in gateway.converse(conversation("Hello"))]

    assert isinstance(events[-1], MessageStop)


@asynccontextmanager
async def served(config: Mapping[str, object], **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """Run the application's lifespan as a server would, and give a client for it."""
    app = create_app(config)
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    await inbox.put({"type": "lifespan.startup"})
    lifespan = asyncio.ensure_future(app({"type": "lifespan"}, inbox.get, outbox.put))
    assert (await outbox.get())["type"] == "lifespan.startup.complete"
    try:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", headers=headers
        ) as client:
            yield client
    finally:
        await inbox.put({"type": "lifespan.shutdown"})
        await lifespan


async def test_the_http_face_answers_and_streams_inside_another_program() -> None:
    body = {"model": "demo,demo", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}
    async with served(CONFIG) as client:
        whole = await client.post("/v1/messages", json=body)
        stream = await client.post("/v1/messages", json={**body, "stream": True})
        ready = await client.get("/ready")
        missing = await client.get("/nothing")

    assert whole.json()["content"] == [{"type": "text", "text": "You said: Hello"}]
    assert whole.headers["x-ccr-decision"].startswith("scenario=explicit")
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.text.endswith('data: {"type":"message_stop"}\n\n')
    assert ready.status_code == 200
    assert (missing.status_code, missing.json()["error"]["type"]) == (404, "not_found_error")


async def test_the_key_of_the_configuration_guards_it() -> None:
    config = {**CONFIG, "APIKEY": "canary-key-of-the-gateway"}
    async with served(config) as stranger:
        refused = await stranger.get("/v1/models")
    async with served(config, **{"x-api-key": "canary-key-of-the-gateway"}) as friend:
        listed = await friend.get("/v1/models")

    assert (refused.status_code, refused.json()["error"]["type"]) == (401, "authentication_error")
    assert listed.status_code == 200
