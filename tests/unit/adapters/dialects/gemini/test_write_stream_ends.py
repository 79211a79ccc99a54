"""The edges of a streamed reply: what keeps it alive, whose tokens it tells, and its last bytes."""

from __future__ import annotations

import pytest

from ccr.adapters.dialects.gemini import GeminiClient
from ccr.adapters.dialects.gemini.read_request import Echo
from ccr.adapters.dialects.gemini.write_stream import GeminiStreamEncoder
from ccr.domain.conversation import Text
from ccr.domain.errors import LimitedError
from ccr.domain.reply import StopDetails, StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    MessageStart,
    MessageStop,
    StreamEvent,
    StreamFailed,
    TextDelta,
    UsageUpdate,
)
from ccr.domain.usage import Usage
from ccr.domain.verbatim import Json
from tests.support.gemini import FACTS, frames

BEGIN = MessageStart("r", "m")
END = MessageStop(StopReason.END_TURN)


def encoder(*, sse: bool = True) -> GeminiStreamEncoder:
    return GeminiClient(new_id=lambda: "new").stream_encoder(FACTS, Echo(sse=sse))


@pytest.mark.parametrize("sse", [True, False])
def test_what_keeps_a_stream_alive_is_one_line_end(sse: bool) -> None:
    writer = encoder(sse=sse)
    assert writer.keep_alive() == b"\n"
    writer.feed([BEGIN])
    assert writer.keep_alive() == b"\n"


@pytest.mark.parametrize("sse", [True, False])
def test_nothing_comes_after_the_end(sse: bool) -> None:
    writer = encoder(sse=sse)
    assert writer.feed([BEGIN, END, END, TextDelta("late")]).count(b"finishReason") == 1
    assert writer.feed([TextDelta("late"), END]) == b""
    assert writer.keep_alive() == b""


@pytest.mark.parametrize("last", [END, StreamFailed(LimitedError("x"))])
def test_events_end_with_a_blank_line_and_an_array_with_its_bracket(last: StreamEvent) -> None:
    assert encoder().feed([BEGIN, last]).endswith(b"}\r\n\r\n")
    assert encoder(sse=False).feed([BEGIN, last]).endswith(b"}\n]")


def test_usage_is_what_start_updates_and_stop_say_together() -> None:
    (last,) = frames(
        encoder().feed(
            [
                MessageStart("r", "m", usage=Usage(cache_read=10)),
                UsageUpdate(Usage(input_uncached=5, output=1)),
                UsageUpdate(Usage(output=2)),
                MessageStop(StopReason.END_TURN, usage=Usage(reasoning=1)),
            ]
        )
    )
    assert last["usageMetadata"] == {
        "promptTokenCount": 15,
        "candidatesTokenCount": 1,
        "cachedContentTokenCount": 10,
        "thoughtsTokenCount": 1,
        "totalTokenCount": 17,
    }
    (ended,) = frames(
        encoder().feed([BEGIN, MessageStop(StopReason.END_TURN, usage=Usage(input_uncached=3, output=4))])
    )
    assert ended["usageMetadata"]["totalTokenCount"] == 7


def test_a_refusal_after_content_is_the_end_of_a_candidate() -> None:
    """Only a prompt that was refused before anything came has no candidate."""
    blocked = StopDetails("gemini", Json(b'{"promptFeedback":{"blockReason":"SAFETY"}}'))
    refused = MessageStop(StopReason.REFUSAL, details=blocked)
    said: list[StreamEvent] = [BEGIN, BlockStart(0, Text("")), TextDelta("a"), BlockStop(0), refused]
    candidate = {
        "content": {"parts": [{"text": ""}], "role": "model"},
        "finishReason": "SAFETY",
        "index": 0,
    }
    assert frames(encoder().feed(said))[-1]["candidates"] == [candidate]
    assert "candidates" not in frames(encoder().feed([BEGIN, refused]))[-1]
