"""The Responses API by hand: calls as a client makes them, events as a provider sends them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ccr.adapters.dialects.openai_responses import ResponsesClient, ResponsesProvider
from ccr.adapters.wire.sse import SseFramer
from ccr.application.call import Call, Disconnect
from ccr.domain.access import LOCAL
from ccr.domain.conversation import Conversation
from ccr.domain.facts import Operation, RequestFacts
from ccr.domain.stream import StreamEvent, StreamGrammar

FACTS = RequestFacts(Operation.GENERATE, "openai_responses", "asked")


async def _never() -> bytes:
    raise AssertionError("the body is already there")


def call(
    body: bytes, headers: Mapping[str, str] | None = None, operation: Operation = Operation.GENERATE
) -> Call:
    """Return a call whose body is loaded."""
    return Call(
        operation=operation,
        dialect="openai_responses",
        path="/v1/responses",
        headers=headers or {},
        principal=LOCAL,
        request_id="req_1",
        load=_never,
        disconnect=Disconnect(),
        received=0.0,
        body=body,
    )


def request(headers: Mapping[str, str] | None = None, /, **fields: object) -> Call:
    """Return a call with one user message and these fields."""
    return call(msgspec.json.encode({"model": "m", "input": "hi", **fields}), headers)


def conversation(*items: object, **fields: object) -> Conversation:
    """Return what a request with these items means."""
    return ResponsesClient().read(request(None, input=list(items), **fields)).conversation()


def client(now: float = 1700000000.9) -> ResponsesClient:
    """Return a client dialect whose ids and time are known."""
    return ResponsesClient(now=lambda: now, new_id=lambda: "t")


def event(kind: str, **fields: object) -> bytes:
    """Return one event."""
    return f"event: {kind}\n".encode() + b"data: " + msgspec.json.encode({"type": kind, **fields}) + b"\n\n"


def added(index: int, kind: str, **fields: object) -> bytes:
    return event("response.output_item.added", output_index=index, item={"type": kind, **fields})


def done(index: int, kind: str, **fields: object) -> bytes:
    return event("response.output_item.done", output_index=index, item={"type": kind, **fields})


def about(kind: str, index: int = 0, **fields: object) -> bytes:
    return event(f"response.{kind}", output_index=index, **fields)


def text(words: str, index: int = 0, part: int = 0) -> bytes:
    return about("output_text.delta", index, content_index=part, delta=words)


def thought(words: str, index: int = 0, part: int = 0) -> bytes:
    return about("reasoning_summary_text.delta", index, summary_index=part, delta=words)


def arguments(words: str, index: int = 0) -> bytes:
    return about("function_call_arguments.delta", index, delta=words)


USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 40},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 107,
}


def response(status: str = "in_progress", **fields: object) -> dict[str, object]:
    return {"id": "resp_1", "object": "response", "model": "m", "status": status, "output": [], **fields}


def created() -> bytes:
    return event("response.created", response=response())


def completed(status: str = "completed", **fields: object) -> bytes:
    return event(f"response.{status}", response=response(status, **{"usage": USAGE, **fields}))


def decode(data: Iterable[bytes], *, close: bool = True) -> list[StreamEvent]:
    """Feed each piece as its own network read; the events are checked against the grammar."""
    decoder = ResponsesProvider().stream_decoder(SseFramer())
    events: list[StreamEvent] = []
    for read in data:
        events.extend(decoder.feed(read))
    if close:
        events.extend(decoder.close())
    grammar = StreamGrammar()
    grammar.check(events)
    assert grammar.ended or not close
    return events


def frames(data: bytes) -> list[dict[str, Any]]:
    """Return the payloads of a stream, names checked against types and numbers against their order."""
    found: list[dict[str, Any]] = []
    for frame in SseFramer().feed(data):
        payload = msgspec.json.decode(frame.data)
        assert payload["type"] == frame.event.decode()
        assert payload["sequence_number"] == len(found)
        found.append(payload)
    return found
