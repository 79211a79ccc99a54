"""A whole gateway with everything that answers for a model, and the replies of chat completion models by script."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from ccr.adapters.search import SearchEngines
from ccr.adapters.upstream.fake import Reply
from ccr.adapters.wire import json
from ccr.adapters.wire.json import CODEC
from ccr.application.assist.describe_images import ImageDescriber
from ccr.application.assist.native_search import NativeSearchInterceptor
from ccr.application.assist.side_call import SideCall
from ccr.application.assist.web_search import SearchInterceptor
from ccr.application.flow.reserve import reserve
from tests.support.assembly import NOWHERE, Bench, assembled, streamed, whole

__all__ = ["assisted", "body_of", "chat", "chat_chunks", "events_of", "found", "said"]


@asynccontextmanager
async def assisted(
    *scripts: Any, config: Mapping[str, Any] | None = None, home: Path = NOWHERE, **top: Any
) -> AsyncIterator[Bench]:
    """Open a gateway by script whose attempts have the adapter for images and the interceptor for searches."""
    async with assembled(*scripts, config=config, home=home, **top) as bench:
        attempts = bench.made.container.attempts()
        ids = iter(range(1, 1000))
        engines = SearchEngines(bench.upstream)
        attempts.adapters = (ImageDescriber(SideCall(bench.upstream, reserve)),)

        def new_id() -> str:
            return f"{next(ids)}"

        attempts.interceptors = (
            NativeSearchInterceptor(CODEC, new_id),
            SearchInterceptor(engines, CODEC, new_id),
        )
        yield bench


def chat(text: str = "", *calls: tuple[str, str, str], finish: str = "", tokens: int = 10) -> dict[str, Any]:
    """Return a whole chat completion; calls are id, name and arguments."""
    message: dict[str, Any] = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = [
            {"id": one, "type": "function", "function": {"name": name, "arguments": arguments}}
            for one, name, arguments in calls
        ]
    reason = finish or ("tool_calls" if calls else "stop")
    return {
        "id": "c1",
        "object": "chat.completion",
        "model": "m1",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": tokens, "completion_tokens": 2},
    }


def chat_chunks(
    text: str = "", *calls: tuple[str, str, str], finish: str = "", tokens: int = 10
) -> list[bytes]:
    """Return the same as chunks of a stream, one network read each."""
    deltas: list[dict[str, Any]] = [{"role": "assistant"}]
    if text:
        deltas += [{"content": text[: len(text) // 2]}, {"content": text[len(text) // 2 :]}]
    for index, (one, name, arguments) in enumerate(calls):
        head = {"index": index, "id": one, "type": "function"}
        deltas.append({"tool_calls": [{**head, "function": {"name": name, "arguments": ""}}]})
        deltas.append({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]})
    reason = finish or ("tool_calls" if calls else "stop")
    chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    chunks.append({"choices": [], "usage": {"prompt_tokens": tokens, "completion_tokens": 2}})
    lines = [b"data: " + json.encode({"id": "c1", "model": "m1", **chunk}) + b"\n\n" for chunk in chunks]
    return [*lines, b"data: [DONE]\n\n"]


def said(text: str = "", *calls: tuple[str, str, str], **options: Any) -> Reply:
    """Return a streamed reply by script."""
    return streamed(*chat_chunks(text, *calls, **options))


def found(*hits: tuple[str, str, str], status: int = 200) -> Reply:
    """Return a reply of Tavily by script; hits are address, title and text."""
    results = [{"url": url, "title": title, "content": text, "score": 0.9} for url, title, text in hits]
    return whole({"query": "q", "results": results}, status=status)


def body_of(bench: Bench, number: int) -> dict[str, Any]:
    """Return the body of the n-th request that went out."""
    body: dict[str, Any] = msgspec.json.decode(bench.upstream.requests[number].body)
    return body


def events_of(stream: bytes) -> list[dict[str, Any]]:
    """Return the payloads of an Anthropic stream; starts, stops and indices must be in order."""
    events: list[dict[str, Any]] = [
        msgspec.json.decode(line[6:]) for line in stream.split(b"\n") if line.startswith(b"data: ")
    ]
    assert events[0]["type"] == "message_start"
    assert [event["type"] for event in events].count("message_start") == 1
    indices = [event["index"] for event in events if event["type"] == "content_block_start"]
    stops = [event["index"] for event in events if event["type"] == "content_block_stop"]
    assert indices == list(range(len(indices)))
    assert stops == indices[: len(stops)]
    return events
