from __future__ import annotations

import json

import pytest
from attrs import evolve
from hypothesis import given

from ccr.adapters.dialects.anthropic.read_reply import read_reply
from ccr.adapters.dialects.anthropic.seals import UNSIGNED
from ccr.adapters.dialects.anthropic.write_reply import write_reply
from ccr.domain.conversation import Text, Thinking, ToolCall
from ccr.domain.errors import UpstreamProtocolError
from ccr.domain.reply import Reply, StopDetails, StopReason
from ccr.domain.usage import Usage
from ccr.domain.verbatim import Json
from tests.support.strategies import replies


@given(replies())
def test_what_is_written_reads_the_same(reply: Reply) -> None:
    known = evolve(
        reply.usage, cache_read=reply.usage.cache_read or 0, cache_write_5m=reply.usage.cache_write_5m or 0
    )

    found = read_reply(write_reply(reply, "x", "y"))
    blocks = tuple(
        evolve(block, seal=None) if isinstance(block, Thinking) and block.seal == UNSIGNED else block
        for block in found.blocks
    )
    assert evolve(found, blocks=blocks) == evolve(reply, usage=known)


def test_the_shape_of_a_message() -> None:
    details = StopDetails("anthropic", Json(b'{"container":{"id":"c"}}'))
    reply = Reply("", "", (Text("a"),), StopReason.STOP_SEQUENCE, "x", details, Usage(1, output=2))

    assert json.loads(write_reply(reply, "ccr_1", "mine")) == {
        "id": "ccr_1",
        "type": "message",
        "role": "assistant",
        "model": "mine",
        "content": [{"type": "text", "text": "a"}],
        "stop_reason": "stop_sequence",
        "stop_sequence": "x",
        "usage": {
            "input_tokens": 1,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 2,
        },
        "container": {"id": "c"},
    }


def test_another_dialects_details_stay_out() -> None:
    reply = Reply("i", "m", (), StopReason.END_TURN, details=StopDetails("gemini", Json(b'{"x":1}')))

    assert "x" not in json.loads(write_reply(reply, "", ""))


def test_a_broken_call_is_never_delivered() -> None:
    call = ToolCall("i", "Bash", Json(b'{"command":"rm -rf /tm'))
    reply = Reply("i", "m", (Text("a"), call), StopReason.TOOL_USE)

    with pytest.raises(UpstreamProtocolError, match="Bash"):
        write_reply(reply, "", "")
    cut = json.loads(write_reply(evolve(reply, reason=StopReason.MAX_TOKENS), "", ""))
    assert cut["content"] == [{"type": "text", "text": "a"}]
