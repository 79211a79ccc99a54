"""What a chat client keeps for us comes back as it was, whoever made it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.dialects.openai_chat import OpenAIChatClient
from ccr.adapters.dialects.openai_chat.carriers import (
    call_id,
    is_foreign,
    split_id,
    thoughts,
)
from ccr.adapters.dialects.openai_chat.details import detail_entries
from ccr.adapters.dialects.openai_chat.read_request import ChatEcho
from ccr.adapters.dialects.openai_chat.segments import SYNTHETIC_SEAL
from ccr.adapters.wire.envelope import wrap
from ccr.domain.conversation import ContentBlock, Text, Thinking, ToolCall
from ccr.domain.facts import Operation, RequestFacts
from ccr.domain.provenance import Origin, Seal
from ccr.domain.reply import Reply, StopReason
from ccr.domain.stream import unfold
from ccr.domain.verbatim import Json
from tests.support.chat_calls import accumulated, completion, request

FACTS = RequestFacts(Operation.GENERATE, "openai_chat", "asked")
GEMINI = Origin("gemini", "g", "gm")
SIGNED = Seal(GEMINI, "thought_signature", "a.b~c:1+/=")


def reply(*blocks: ContentBlock) -> Reply:
    return Reply("r", "m", blocks, StopReason.END_TURN)


def brought_back(*blocks: ContentBlock) -> tuple[ContentBlock, ...]:
    """What our client sends next, if it keeps the message that it was given."""
    client = OpenAIChatClient()
    whole = client.write_reply(reply(*blocks), FACTS, ChatEcho())
    completion(whole)
    message = json.loads(whole)["choices"][0]["message"]
    return client.read_turn(json.dumps(message).encode()).blocks


def streamed_back(*blocks: ContentBlock) -> tuple[ContentBlock, ...]:
    client = OpenAIChatClient()
    stream = client.stream_encoder(FACTS, ChatEcho()).feed(unfold(reply(*blocks)))
    message = accumulated(stream)["choices"][0]["message"]
    return client.read_turn(json.dumps(message).encode()).blocks


@pytest.mark.parametrize("back", [brought_back, streamed_back])
def test_seals_come_back_to_what_they_belong_to(back: Any) -> None:
    anthropic = Seal(Origin("anthropic"), "signature", "sig")
    blocks = (
        Thinking("first", SIGNED),
        Thinking("then", anthropic),
        Thinking("", Seal(GEMINI, "redacted", "x")),
        Thinking("unsigned"),
        Text("A"),
        ToolCall("t", "f", Json(b'{"a":1}'), seal=SIGNED),
        ToolCall("u", "f"),
    )
    assert back(*blocks) == blocks


_SEALS = st.builds(
    Seal, st.builds(Origin, st.sampled_from(["gemini", "anthropic"]), st.text(max_size=3)), st.text(max_size=5),
    st.text(max_size=9),
)  # fmt: skip


@given(st.lists(st.builds(Thinking, st.text("ab \n", min_size=1), _SEALS), max_size=4), st.none() | _SEALS)
def test_any_seals_come_back(sealed: list[Thinking], of_call: Seal | None) -> None:
    call = ToolCall("t", "f", Json(b"{}"), seal=of_call)
    assert brought_back(*sealed, call) == (*sealed, call)
    assert streamed_back(*sealed, call) == (*sealed, call)


def test_where_the_seals_stand() -> None:
    whole = OpenAIChatClient().write_reply(
        reply(Thinking("hm", SIGNED), ToolCall("t", "f", seal=SIGNED)), FACTS, ChatEcho()
    )
    message = json.loads(whole)["choices"][0]["message"]
    entry = {
        "type": "reasoning.encrypted",
        "data": wrap(Seal(GEMINI, "0:2:thought_signature", SIGNED.data)),
        "format": "ccr",
        "index": 0,
        "id": None,
    }
    assert message["reasoning_content"] == "hm"
    assert message["reasoning_details"] == [entry]
    assert message["tool_calls"][0]["id"] == f"t~{wrap(SIGNED)}"
    assert is_foreign(json.dumps(message).encode())


def test_a_made_up_seal_is_not_worth_carrying() -> None:
    whole = OpenAIChatClient().write_reply(reply(Thinking("hm", SYNTHETIC_SEAL)), FACTS, ChatEcho())
    assert "reasoning_details" not in json.loads(whole)["choices"][0]["message"]
    assert not is_foreign(whole)
    assert call_id(ToolCall("t", "f", seal=SYNTHETIC_SEAL)) == "t"


def test_what_openrouter_wrote_goes_back_as_it_is() -> None:
    details = [{"type": "reasoning.text", "text": "hm", "signature": "s", "index": 0}]
    bare = Seal(Origin("openai_chat"), "reasoning_details", json.dumps(details))
    whole = OpenAIChatClient().write_reply(reply(Thinking("hm", bare)), FACTS, ChatEcho())
    assert json.loads(whole)["choices"][0]["message"]["reasoning_details"] == details
    made = thoughts("hm", details)
    assert isinstance(made[0], Thinking)
    assert made[0].seal is not None
    assert (made[0].text, json.loads(made[0].seal.data)) == ("hm", details)
    assert made[0].seal.origin == Origin("openai_chat")
    (alone,) = thoughts("", [*details, {"type": "reasoning.summary", "summary": "s"}, "odd"])
    assert isinstance(alone, Thinking)
    assert alone.text == "hms"


def test_a_seal_without_its_text_is_left_out() -> None:
    entry = {"data": wrap(Seal(GEMINI, "0:20:sig", "x"))}
    assert thoughts("short", [entry]) == [Thinking("short")]
    assert thoughts("", [entry]) == []
    empty = {"data": wrap(Seal(GEMINI, "20:20:sig", "x"))}
    assert thoughts("", [empty]) == [Thinking("", Seal(GEMINI, "sig", "x"))]


def test_what_is_not_ours_to_read_is_nobodys() -> None:
    odd: list[object] = [{"data": "ccr1.junk"}, {"data": wrap(Seal(GEMINI, "nospan", "x"))}]
    assert thoughts("hm", odd) == [Thinking("hm")]
    overlapping: list[object] = [
        {"data": wrap(Seal(GEMINI, "0:4:sig", "x"))},
        {"data": wrap(Seal(GEMINI, "2:6:sig", "y"))},
        {"data": wrap(Seal(GEMINI, "9:7:sig", "z"))},
    ]
    assert thoughts("abcdefgh", overlapping) == [Thinking("abcd", Seal(GEMINI, "sig", "x")), Thinking("efgh")]
    mixed = thoughts("ab", [{"data": wrap(Seal(GEMINI, "0:2:s", "x"))}, {"type": "reasoning.text"}])
    assert len(mixed) == 2
    assert split_id("t~ccr1.junk") == ("t", None)
    assert split_id("a~b") == ("a~b", None)
    assert detail_entries("{") == detail_entries("{}") == []


def test_a_seal_is_found_wherever_it_stands_and_nothing_else_is_one() -> None:
    assert is_foreign(b'{"data":"ccr1.WyJd.x"}')
    assert is_foreign(b'{"id":"t~ccr1.WyJd.x"}')
    assert not is_foreign(request(messages=[{"role": "user", "content": "see ccr1. and ccr1.abc.d"}]))
