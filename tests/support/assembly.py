"""A whole gateway around a transport by script: real dialects, real catalog, real walk, no network and no server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from attrs import define, field

from ccr.adapters.config.fixed_store import FixedStore, loaded_from
from ccr.adapters.upstream.fake import FakeUpstream, Reply
from ccr.adapters.wire import json
from ccr.application.call import Answer, Call, Disconnect, Operation
from ccr.domain.access import LOCAL, Principal
from ccr.domain.record import RequestRecord
from ccr.entrypoints.lifecycle import Running, opened, running

__all__ = ["BODY", "CONFIG", "Bench", "assembled", "openai_chunks", "sse", "streamed", "text_events", "whole"]

CONFIG: dict[str, Any] = {
    "LOG": False,
    "Providers": [
        {
            "name": "ant",
            "api_base_url": "http://ant.test/v1/messages",
            "api_key": "sk-ant-canary-0123456789",
            "models": ["claude-sonnet-5-5"],
            "transformer": {"use": ["Anthropic"]},
        },
        {
            "name": "oai",
            "api_base_url": "http://oai.test/v1/chat/completions",
            "api_key": "sk-oai-canary-0123456789",
            "models": ["m1", "m2"],
        },
    ],
    "Router": {"default": "ant,claude-sonnet-5-5"},
    # Waiting for a better moment is for those tests that say so.
    "Failover": {"retries": 0},
}

BODY: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 100,
    "stream": True,
    "messages": [{"role": "user", "content": "Hello"}],
}


class _Records:
    """A Sink that keeps."""

    def __init__(self) -> None:
        self.kept: list[RequestRecord] = []

    def accept(self, record: RequestRecord) -> None:
        self.kept.append(record)


@define(eq=False)
class Bench:
    """What a test holds."""

    made: Running
    upstream: FakeUpstream
    records: _Records
    disconnect: Disconnect = field(factory=Disconnect)

    def call(self, body: Mapping[str, Any] | bytes | None = None, **changes: Any) -> Call:
        """Return a call; keywords change the body, but ``headers``, ``principal``, ``dialect``, ``path`` and ``query``."""
        dialect, path = changes.pop("dialect", "anthropic"), changes.pop("path", "/v1/messages")
        query = changes.pop("query", "")
        headers = changes.pop("headers", {})
        principal: Principal = changes.pop("principal", LOCAL)
        raw = body if isinstance(body, bytes) else json.encode({**(body or BODY), **changes})
        self.disconnect = Disconnect()

        async def load() -> bytes:
            return raw

        return Call(
            operation=Operation.GENERATE,
            dialect=dialect,
            path=path,
            query=query,
            headers=headers,
            principal=principal,
            request_id="req_test",
            load=load,
            disconnect=self.disconnect,
            received=asyncio.get_running_loop().time(),
        )

    async def answer(self, body: Mapping[str, Any] | bytes | None = None, **changes: Any) -> Answer:
        """Walk, without relaying."""
        return await self.made.container.gateway().handle_call(self.call(body, **changes))

    async def ask(
        self, body: Mapping[str, Any] | bytes | None = None, **changes: Any
    ) -> tuple[Answer, bytes]:
        """Walk and relay; return the answer and all its bytes."""
        answer = await self.answer(body, **changes)
        return answer, await self.read(answer)

    async def read(self, answer: Answer) -> bytes:
        """Relay an answer to memory."""
        if answer.relay is None:
            return answer.body
        pieces: list[bytes] = []

        async def write(data: bytes) -> None:
            pieces.append(data)

        await answer.relay(write)
        return b"".join(pieces)

    @property
    def record(self) -> RequestRecord:
        """The newest record."""
        return self.records.kept[-1]


NOWHERE = Path("/dev/null")
"""A home in which nothing can be written, whoever runs the tests."""


@asynccontextmanager
async def assembled(
    *scripts: Any, config: Mapping[str, Any] | None = None, home: Path = NOWHERE, **top: Any
) -> AsyncIterator[Bench]:
    """Open a gateway whose providers answer by script; keywords replace top-level keys of the configuration."""
    upstream = FakeUpstream(*scripts)
    records = _Records()
    loaded = loaded_from({**(config or CONFIG), **top}, {})
    made = running(environ={"HOME": str(home)}, store=FixedStore(loaded))
    made.container.egress.upstream.override(upstream)
    made.container.insight.request_log.override(records)
    try:
        async with opened(made, follow=False):
            yield Bench(made, upstream, records)
    finally:
        made.container.reset_singletons()


def sse(*events: Mapping[str, Any]) -> bytes:
    """Return Anthropic SSE."""
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (str(event["type"]).encode(), json.encode(dict(event)))
        for event in events
    )


def text_events(text: str = "Hi there", *, stop: str = "end_turn") -> list[dict[str, Any]]:
    """Return the events of a short reply."""
    usage = {"input_tokens": 3, "output_tokens": 1}
    return [
        {
            "type": "message_start",
            "message": {
                "id": "msg_up",
                "type": "message",
                "role": "assistant",
                "model": "claude-sonnet-5-5",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": usage,
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": stop, "stop_sequence": None},
            "usage": {"output_tokens": 5},
        },
        {"type": "message_stop"},
    ]


def openai_chunks(*texts: str, finish: str | None = "stop", usage: bool = True) -> bytes:
    """Return chat completion chunks."""
    chunks: list[dict[str, Any]] = [
        {
            "id": "c1",
            "model": "m1",
            "choices": [{"index": 0, "delta": {"role": "assistant", "content": text}}],
        }
        for text in texts
    ]
    if finish:
        chunks.append(
            {"id": "c1", "model": "m1", "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
        )
    if usage:
        chunks.append(
            {"id": "c1", "model": "m1", "choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 2}}
        )
    done = b"data: [DONE]\n\n" if finish else b""
    return b"".join(b"data: " + json.encode(chunk) + b"\n\n" for chunk in chunks) + done


def streamed(*chunks: Any, status: int = 200) -> Reply:
    """Return a streamed reply by script."""
    return Reply(status, {"content-type": "text/event-stream"}, chunks)


def whole(body: Mapping[str, Any], status: int = 200, **headers: str) -> Reply:
    """Return a JSON reply by script."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"content-type": "application/json", **named}, [json.encode(dict(body))])
