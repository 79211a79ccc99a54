from __future__ import annotations

from ccr.adapters.dialects.openai_responses.provider import ResponsesProvider
from ccr.adapters.wire import json
from ccr.adapters.wire.sse import SseFramer
from ccr.domain.stream import MessageStart, TextDelta

ITEM = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}
EVENTS = [
    {"type": "response.output_item.added", "output_index": 0, "item": ITEM},
    {
        "type": "response.output_text.delta",
        "output_index": 0,
        "content_index": 0,
        "item_id": "msg_1",
        "delta": "Hi",
    },
]


def test_content_without_an_announcement_opens_the_message() -> None:
    decoder = ResponsesProvider().stream_decoder(SseFramer())
    data = b"".join(b"event: %s\ndata: %s\n\n" % (str(e["type"]).encode(), json.encode(e)) for e in EVENTS)
    events = decoder.feed(data)

    assert events[0] == MessageStart("", "")
    assert TextDelta("Hi") in events
