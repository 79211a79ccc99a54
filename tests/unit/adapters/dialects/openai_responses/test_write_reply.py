from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from openai.types.responses import Response

from ccr.adapters.dialects.openai_responses import ResponsesProvider
from ccr.adapters.dialects.openai_responses.echo import Echo
from ccr.domain.conversation import Image, Inline, Text, Thinking, ToolCall
from ccr.domain.errors import UpstreamProtocolError
from ccr.domain.provenance import Origin, Seal
from ccr.domain.reply import Reply, StopReason
from ccr.domain.stream import unfold
from ccr.domain.verbatim import Json
from tests.support.responses import FACTS, client, frames
from tests.support.strategies import replies
from tests.unit.adapters.dialects.openai_responses.test_write_stream import FOUND, SEARCH


def test_a_whole_reply_is_what_its_stream_ends_with() -> None:
    seal = Seal(Origin("gemini", "g"), "signature", "s")
    blocks = (
        Thinking("hm", seal),
        Text("A"),
        SEARCH,
        FOUND,
        Image(Inline("image/png", "AAAA")),
        ToolCall("c", "Read", Json(b'{"a":1}')),
        ToolCall("d", "apply_patch", Json(b"***")),
    )
    reply = Reply("r", "m", blocks, StopReason.TOOL_USE)
    echo = Echo({"temperature": b"1.0"}, frozenset({"apply_patch"}))

    whole = msgspec.json.decode(client().write_reply(reply, FACTS, echo))
    stream = frames(client().stream_encoder(FACTS, echo).feed(unfold(reply)))[-1]["response"]

    assert whole == stream
    Response.model_validate(whole, strict=True)
    assert [item["type"] for item in whole["output"]] == [
        "reasoning",
        "message",
        "web_search_call",
        "image_generation_call",
        "function_call",
        "custom_tool_call",
    ]


def test_a_seal_of_a_call_stands_before_it_and_blocks_that_say_nothing_are_left_out() -> None:
    seal = Seal(Origin("gemini", "g"), "signature", "s")
    blocks = (Text(""), Thinking(""), FOUND, ToolCall("c", "Read", seal=seal))
    whole = msgspec.json.decode(client().write_reply(Reply("", "", blocks, StopReason.TOOL_USE), FACTS, None))

    assert [item["type"] for item in whole["output"]] == ["reasoning", "function_call"]
    assert (whole["id"], whole["model"]) == ("resp_ccr_t", "asked")


@given(replies())
def test_a_whole_reply_is_read_back(reply: Reply) -> None:
    data = client().write_reply(reply, FACTS, None)
    back = ResponsesProvider().read_reply(data)
    said = [block for block in reply.blocks if isinstance(block, Text | ToolCall) and block != Text("")]

    assert [block for block in back.blocks if not isinstance(block, Thinking)] == said
    assert (back.id, back.model, back.reason) == (reply.id, reply.model, reply.reason)
    assert back.usage.input_total == reply.usage.input_total
    Response.model_validate_json(data, strict=True)


def test_a_call_with_broken_input_is_no_reply() -> None:
    def reply(reason: StopReason) -> Reply:
        return Reply("r", "m", (ToolCall("c", "Bash", Json(b'{"command":"rm')),), reason)

    with pytest.raises(UpstreamProtocolError, match="broken JSON"):
        client().write_reply(reply(StopReason.TOOL_USE), FACTS, Echo())

    cut = msgspec.json.decode(client().write_reply(reply(StopReason.MAX_TOKENS), FACTS, Echo()))
    assert (cut["status"], cut["output"][0]["status"]) == ("incomplete", "incomplete")
