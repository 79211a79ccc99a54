from __future__ import annotations

from ccr.adapters.dialects.openai_chat.read_stream import ChatStreamDecoder
from ccr.adapters.wire import json
from ccr.adapters.wire.sse import SseFramer
from ccr.domain.stream import MessageStop, StreamFailed, ToolInputDelta

CALL = {"index": 0, "id": "c", "function": {"name": "f", "arguments": "not json at all"}}
WAITING = {"index": 1, "id": "d", "function": {"name": "g", "arguments": "nor is this"}}
CHUNKS = [
    {"id": "r", "model": "m", "choices": [{"index": 0, "delta": {"tool_calls": [CALL, WAITING]}}]},
    {"id": "r", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
]
REPLY = b"".join(b"data: " + json.encode(chunk) + b"\n\n" for chunk in CHUNKS) + b"data: [DONE]\n\n"


def test_a_broken_call_fails_the_reply_unless_somebody_behind_mends_it() -> None:
    strict, lenient = ChatStreamDecoder(SseFramer()), ChatStreamDecoder(SseFramer())
    lenient.be_lenient()
    failed = [*strict.feed(REPLY), *strict.close()]
    passed = [*lenient.feed(REPLY), *lenient.close()]

    assert isinstance(failed[-1], StreamFailed)
    assert isinstance(passed[-1], MessageStop)
    assert ToolInputDelta("not json at all") in passed
    assert ToolInputDelta("nor is this") in passed, "one that had to wait for its turn too"
