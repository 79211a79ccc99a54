"""Calls of chat completions for tests of the client's end, and what the official SDK makes of what we write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from ccr.adapters.dialects.openai_chat import OpenAIChatClient
from ccr.adapters.dialects.openai_chat.read_request import ChatCall
from ccr.adapters.wire.sse import SseFramer
from ccr.application.call import Call, Disconnect
from ccr.domain.access import LOCAL
from ccr.domain.conversation import Conversation
from ccr.domain.facts import Operation

__all__ = ["accumulated", "call", "chunks", "completion", "conversation", "parsed", "request"]


async def _never() -> bytes:
    raise AssertionError("the body is already there")


def call(body: bytes, headers: Mapping[str, str] | None = None) -> Call:
    """Return a call whose body is loaded."""
    return Call(
        operation=Operation.GENERATE,
        dialect="openai_chat",
        path="/v1/chat/completions",
        headers=headers or {},
        principal=LOCAL,
        request_id="req_1",
        load=_never,
        disconnect=Disconnect(),
        received=0.0,
        body=body,
    )


def request(**fields: object) -> bytes:
    """Return a body with one user message and these fields."""
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}
    return json.dumps(body, ensure_ascii=False).encode()


def parsed(headers: Mapping[str, str] | None = None, **fields: object) -> ChatCall:
    """Return a request as the client's dialect parses it."""
    return OpenAIChatClient().read(call(request(**fields), headers))


def conversation(**fields: object) -> Conversation:
    """Return what a request means."""
    return OpenAIChatClient().read(call(request(**fields))).conversation()


def completion(body: bytes) -> ChatCompletion:
    """Return a whole reply as the official SDK reads it, strictly."""
    return ChatCompletion.model_validate_json(body, strict=True)


def chunks(stream: bytes) -> list[dict[str, Any]]:
    """Return the payloads of a stream; ``[DONE]``, if it is there, is the last."""
    frames = [frame.data for frame in SseFramer().feed(stream)]
    assert b"[DONE]" not in frames[:-1]
    return [json.loads(data) for data in frames if data != b"[DONE]"]


def accumulated(stream: bytes) -> dict[str, Any]:
    """Return the completion that the official SDK's streaming helper gathers from a stream, as plain values."""
    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    for payload in chunks(stream):
        state.handle_chunk(ChatCompletionChunk.model_validate(payload))
    return json.loads(state.current_completion_snapshot.model_dump_json())  # type: ignore[no-any-return]
