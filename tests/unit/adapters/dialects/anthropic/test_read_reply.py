from __future__ import annotations

import pytest

from ccr.adapters.dialects.anthropic.read_reply import details_of, read_reply, stop_reason
from ccr.domain.conversation import Text, Thinking, ToolCall
from ccr.domain.errors import (
    ContextOverflowError,
    UpstreamAuthError,
    UpstreamError,
    UpstreamLimitedError,
    UpstreamProtocolError,
)
from ccr.domain.provenance import Origin, Seal
from ccr.domain.reply import Reply, StopDetails, StopReason
from ccr.domain.usage import Usage
from ccr.domain.verbatim import Json


def test_a_reply() -> None:
    body = rb"""{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[
        {"type":"thinking","thinking":"h","signature":"s"},{"type":"text","text":"a\ud83d"},
        {"type":"tool_use","id":"i","name":"n","input":{"a":1}}],
        "stop_reason":"tool_use","stop_sequence":null,"container":null,"stop_details":{"x":1},
        "usage":{"input_tokens":1,"output_tokens":2}}"""

    assert read_reply(body.replace(rb"\ud83d", b"")) == Reply(
        "msg_1",
        "m",
        (
            Thinking("h", Seal(Origin("anthropic"), "signature", "s")),
            Text("a"),
            ToolCall("i", "n", Json(b'{"a":1}')),
        ),
        StopReason.TOOL_USE,
        details=StopDetails("anthropic", Json(b'{"stop_details":{"x":1}}')),
        usage=Usage(1, output=2),
    )


def test_a_reply_that_says_little() -> None:
    assert read_reply(b'{"content":[],"stop_reason":"end_turn"}') == Reply("", "", (), StopReason.END_TURN)


@pytest.mark.parametrize(
    "body, kind, words",
    [
        (b"", UpstreamProtocolError, "not a JSON message"),
        (b"<html>", UpstreamProtocolError, "not a JSON message"),
        (b"[]", UpstreamProtocolError, "not a JSON message"),
        (b'{"type":"message","stop_reason":"end_turn"}', UpstreamProtocolError, "no content"),
        (b'{"content":[]}', UpstreamProtocolError, "why it ended"),
        (b'{"content":[{"type":"tool_use"}],"stop_reason":"end_turn"}', UpstreamProtocolError, "content[0].id"),
        (b'{"type":"error","error":{"type":"overloaded_error","message":"busy"}}', UpstreamLimitedError, "busy"),
        (b'{"error":{"type":"authentication_error","message":"key"}}', UpstreamAuthError, "key"),
        (b'{"error":"boom","id":7}', UpstreamError, "boom"),
        (b'{"error":{"type":"invalid_request_error","message":"prompt is too long"}}', ContextOverflowError, "long"),
    ],
)  # fmt: skip
def test_what_is_no_reply(body: bytes, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind) as caught:
        read_reply(body)

    assert words in str(caught.value)


def test_reasons() -> None:
    assert stop_reason("pause_turn", calls=True) is StopReason.PAUSE_TURN
    assert stop_reason("novel", calls=True) is StopReason.TOOL_USE
    assert stop_reason("novel", calls=False) is StopReason.END_TURN
    assert details_of(b"[]") is None
    assert details_of(b"{}") is None
