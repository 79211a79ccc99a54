"""generateContent by hand: calls as a client makes them, chunks as a provider sends them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ccr.adapters.dialects.gemini import GeminiClient, GeminiProvider
from ccr.adapters.wire.sse import SseFramer
from ccr.application.call import Call, Disconnect
from ccr.domain.access import LOCAL
from ccr.domain.conversation import Conversation
from ccr.domain.facts import Operation, RequestFacts
from ccr.domain.models import ModelProfile, ReasoningStyle
from ccr.domain.stream import StreamEvent, StreamGrammar

FACTS = RequestFacts(Operation.GENERATE, "gemini", "asked")
NEW = ModelProfile(reasoning=ReasoningStyle.GEMINI_LEVEL, documents=True, image_results=True)
"""A model like Gemini 3."""
OLD = ModelProfile(reasoning=ReasoningStyle.GEMINI_BUDGET, documents=True, max_budget=24576)
"""A model like Gemini 2.5."""


async def _never() -> bytes:
    raise AssertionError("the body is already there")


def call(
    body: bytes,
    headers: Mapping[str, str] | None = None,
    *,
    path: str = "/v1beta/models/m:generateContent",
    query: str = "",
    operation: Operation = Operation.GENERATE,
) -> Call:
    """Return a call whose body is loaded."""
    return Call(
        operation=operation,
        dialect="gemini",
        path=path,
        query=query,
        headers=headers or {},
        principal=LOCAL,
        request_id="req_1",
        load=_never,
        disconnect=Disconnect(),
        received=0.0,
        body=body,
    )


def user(*parts: object) -> dict[str, object]:
    return {"role": "user", "parts": [{"text": part} if isinstance(part, str) else part for part in parts]}


def model(*parts: object) -> dict[str, object]:
    return {**user(*parts), "role": "model"}


def request(**fields: object) -> Call:
    """Return a call with one user content and these fields."""
    return call(msgspec.json.encode({"contents": [user("hi")], **fields}))


def conversation(*contents: object, **fields: object) -> Conversation:
    """Return what a request with these contents means."""
    return GeminiClient().read(request(contents=list(contents) or [user("hi")], **fields)).conversation()


def written(asked: Conversation, profile: ModelProfile = NEW) -> dict[str, Any]:
    """Return what is sent to a provider."""
    encoded = GeminiProvider().write_request(asked, profile, is_anthropic=False)
    sent: dict[str, Any] = msgspec.json.decode(encoded.payload.encode())
    return sent


def losses(asked: Conversation, profile: ModelProfile = NEW) -> list[str]:
    encoded = GeminiProvider().write_request(asked, profile, is_anthropic=False)
    return [str(loss) for loss in encoded.losses]


def reply(*parts: object, usage: object = None, **candidate: object) -> dict[str, object]:
    """Return a chunk, or a whole reply."""
    given = [{"text": part} if isinstance(part, str) else part for part in parts]
    made: dict[str, object] = {
        "candidates": [{"content": {"parts": given, "role": "model"}, "index": 0, **candidate}],
        "modelVersion": "gemini-x",
        "responseId": "r1",
    }
    return {**made, "usageMetadata": usage} if usage is not None else made


def sse(*chunks: object) -> bytes:
    return b"".join(b"data: " + msgspec.json.encode(chunk) + b"\r\n\r\n" for chunk in chunks)


def decode(data: Iterable[bytes]) -> list[StreamEvent]:
    """Feed each piece as its own network read; the events are checked against the grammar."""
    decoder = GeminiProvider().stream_decoder(SseFramer())
    events: list[StreamEvent] = []
    for read in data:
        events.extend(decoder.feed(read))
    events.extend(decoder.close())
    grammar = StreamGrammar()
    grammar.check(events)
    assert grammar.ended
    return events


def frames(data: bytes) -> list[dict[str, Any]]:
    """Return the payloads of a stream of server-sent events."""
    return [msgspec.json.decode(frame.data) for frame in SseFramer().feed(data)]
