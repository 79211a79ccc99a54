"""The HTTP face mounted under a path of another ASGI program, here a plain one without a framework."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx

from ccr import create_app

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PREFIX = "/llm"


class Host:
    """Serves its own pages, and the gateway under /llm."""

    def __init__(self) -> None:
        self.gateway = create_app({"LOG": False, "Router": {"default": "demo,demo"}})

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Hand on what belongs to the gateway; its lifespan too, which loads the configuration."""
        if scope["type"] == "lifespan":
            await self.gateway(scope, receive, send)
        elif scope["path"].startswith(PREFIX + "/"):
            inner = {**scope, "path": scope["path"].removeprefix(PREFIX), "root_path": ""}
            await self.gateway(inner, receive, send)
        else:
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
            )
            await send({"type": "http.response.body", "body": b"the host's own page"})


async def main() -> None:
    """Call it, as a server such as Granian or Uvicorn would: lifespan first, then requests."""
    host = Host()
    inbox: asyncio.Queue[Message] = asyncio.Queue()
    outbox: asyncio.Queue[Message] = asyncio.Queue()
    await inbox.put({"type": "lifespan.startup"})
    lifespan = asyncio.create_task(host({"type": "lifespan"}, inbox.get, outbox.put))
    print((await outbox.get())["type"])

    transport = httpx.ASGITransport(app=host)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        print((await client.get("/")).text)
        asked = {"model": "demo,demo", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}
        reply = await client.post(PREFIX + "/v1/messages", json=asked)
        print(reply.status_code, reply.json()["content"][0]["text"])

    await inbox.put({"type": "lifespan.shutdown"})
    await lifespan


if __name__ == "__main__":
    asyncio.run(main())
