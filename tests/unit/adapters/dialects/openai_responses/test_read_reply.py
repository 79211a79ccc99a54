from __future__ import annotations

import msgspec
import pytest

from ccr.adapters.dialects.openai_responses import ResponsesProvider
from ccr.domain.conversation import Text, ToolCall
from ccr.domain.errors import UpstreamLimitedError, UpstreamProtocolError, UpstreamUnavailableError
from ccr.domain.reply import Reply, StopReason
from ccr.domain.usage import NO_USAGE, Usage
from ccr.domain.verbatim import Json
from tests.support.responses import USAGE, response

OUTPUT = [
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A"}]},
    {"type": "function_call", "call_id": "c", "name": "Read", "arguments": '{"a":1}'},
]


def read(status: str = "completed", **fields: object) -> Reply:
    return ResponsesProvider().read_reply(
        msgspec.json.encode(response(status, **{"output": OUTPUT, **fields}))
    )


def test_a_whole_reply() -> None:
    assert read(usage=USAGE) == Reply(
        "resp_1",
        "m",
        (Text("A"), ToolCall("c", "Read", Json(b'{"a":1}'))),
        StopReason.TOOL_USE,
        usage=Usage(input_uncached=60, cache_read=40, output=7, reasoning=3),
    )


def test_a_reply_cut_short() -> None:
    assert (
        read("incomplete", incomplete_details={"reason": "max_output_tokens"}).reason is StopReason.MAX_TOKENS
    )


def test_an_error_hidden_in_a_200() -> None:
    with pytest.raises(UpstreamLimitedError, match="slow"):
        read("failed", error={"code": "rate_limit_exceeded", "message": "slow"})
    with pytest.raises(UpstreamUnavailableError, match="cancelled"):
        read("cancelled", error=None)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[]", b'{"output":null}', b'{"output":3}'])
def test_what_is_no_reply(body: bytes) -> None:
    with pytest.raises(UpstreamProtocolError):
        ResponsesProvider().read_reply(body)


@pytest.mark.parametrize(
    "raw, used",
    [
        (None, NO_USAGE),
        ({}, NO_USAGE),
        ({"input_tokens": True, "output_tokens": "x", "input_tokens_details": 3}, NO_USAGE),
        (
            {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2}},
            Usage(input_uncached=5, cache_read=3, cache_write_5m=2),
        ),
        # xAI does not count what was thought as output.
        (
            {
                "input_tokens": 10,
                "output_tokens": 2,
                "output_tokens_details": {"reasoning_tokens": 5},
                "total_tokens": 17,
            },
            Usage(input_uncached=10, output=7, reasoning=5),
        ),
    ],
)
def test_usage(raw: object, used: Usage) -> None:
    assert read(usage=raw).usage == used
