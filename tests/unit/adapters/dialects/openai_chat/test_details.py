"""``reasoning_details`` (OpenRouter): kept as a seal, given back verbatim to whoever made them."""

from __future__ import annotations

import json
from typing import Any

from ccr.adapters.dialects.openai_chat import OpenAIChatProvider
from ccr.adapters.dialects.openai_chat.messages import turn_messages
from ccr.adapters.dialects.openai_chat.segments import SYNTHETIC_SEAL
from ccr.domain.conversation import ContentBlock, Role, Text, Thinking, ToolCall, Turn
from ccr.domain.models import ModelProfile, ReasoningStyle
from ccr.domain.provenance import Origin, Seal
from ccr.domain.stream import fold
from tests.support.chat import DONE, chunk, decode, finish, text, tool

OPENROUTER = ModelProfile(reasoning=ReasoningStyle.OPENROUTER, reasoning_field="reasoning")


def details(*entries: Any, **delta: Any) -> bytes:
    return chunk({"reasoning_details": list(entries), **delta})


def part(**fields: Any) -> dict[str, Any]:
    return {"type": "reasoning.text", "index": 0, "format": "anthropic-claude-v1", **fields}


def read(*pieces: bytes) -> list[tuple[str, Any]]:
    """Kind and text of the blocks; of thinking the details in its seal."""
    made: list[tuple[str, Any]] = []
    for block in fold(decode([*pieces, DONE])).blocks:
        if isinstance(block, Thinking):
            assert block.seal is not None
            assert block.seal.origin == Origin("openai_chat")
            made.append((block.text, json.loads(block.seal.data)))
        else:
            made.append((type(block).__name__, None))
    return made


def test_pieces_are_joined_to_the_list_that_a_whole_reply_has() -> None:
    signed = {"type": "reasoning.encrypted", "data": "x", "index": 1, "id": "r1"}
    made = read(
        details(part(text="I "), reasoning="I "),
        details(part(text="see"), reasoning="see"),
        details(part(signature="sig", text=None)),
        details(signed, signed, "odd"),
        text("A"),
        finish(),
    )
    assert made == [("I see", [part(text="I see", signature="sig"), signed, signed]), ("Text", None)]


def test_the_text_is_taken_from_the_details_where_it_stands_nowhere_else() -> None:
    summary = {"type": "reasoning.summary", "summary": "so", "index": 0}
    assert read(details(summary), details({**summary, "summary": "!"}), finish()) == [
        ("so!", [{**summary, "summary": "so!"}])
    ]


def test_details_without_a_text_are_thinking_without_a_text() -> None:
    sealed = {"type": "reasoning.encrypted", "data": "x"}
    made = read(details(sealed), details(), tool("{}", call="t", name="f"), finish("tool_calls"))
    assert made == [("", [sealed]), ("ToolCall", None)]
    late = read(text("A"), details(sealed), text("B"), finish())
    assert late == [("Text", None), ("", [sealed]), ("Text", None)]


def test_a_whole_reply_keeps_the_list_as_it_is() -> None:
    entries = [part(text="a"), part(text="b")]
    message = {"content": "A", "reasoning": "ab", "reasoning_details": entries}
    body = {"choices": [{"message": message, "finish_reason": "stop"}]}
    thinking = OpenAIChatProvider().read_reply(json.dumps(body).encode()).blocks[0]
    assert isinstance(thinking, Thinking)
    assert thinking.seal is not None
    assert (thinking.seal.form, json.loads(thinking.seal.data)) == ("reasoning_details", entries)


def test_without_details_the_seal_is_made_up() -> None:
    (thinking,) = fold(decode([chunk({"reasoning": "hm", "reasoning_details": []}), finish(), DONE])).blocks
    assert thinking == Thinking("hm", SYNTHETIC_SEAL)


def sealed(*entries: Any, provider: str = "openrouter") -> Seal:
    return Seal(Origin("openai_chat", provider), "reasoning_details", json.dumps(entries))


def assistant(*blocks: ContentBlock, profile: ModelProfile = OPENROUTER) -> tuple[Any, list[str]]:
    losses: Any = {}
    made = turn_messages(Turn(Role.ASSISTANT, blocks), profile, losses)
    return made[0], list(map(str, losses))


def test_they_are_given_back_to_whoever_made_them() -> None:
    first, second = part(text="a"), {"type": "reasoning.encrypted", "data": "x"}
    made, losses = assistant(
        Thinking("a", sealed(first)), Text("A"), Thinking("", sealed(second)), ToolCall("t", "f")
    )
    assert made["reasoning_details"] == [first, second]
    assert "reasoning" not in made
    assert losses == []
    assert assistant(Thinking("a", sealed(first)), Text("A"), profile=ModelProfile())[0]["reasoning_details"]


def test_without_a_maker_only_who_has_such_details_is_given_them() -> None:
    bare = Thinking("a", sealed(part(text="a"), provider=""))
    assert assistant(bare, Text("A"))[0]["reasoning_details"] == [part(text="a")]
    made, losses = assistant(bare, Text("A"), profile=ModelProfile())
    assert (made, losses) == ({"role": "assistant", "content": "A"}, ["thinking=dropped"])
    kimi = ModelProfile(reasoning_field="reasoning_content")
    assert assistant(bare, Text("A"), profile=kimi)[0]["reasoning_content"] == "a"


def test_details_are_reasoning_enough_where_it_is_required() -> None:
    profile = ModelProfile(reasoning_field="reasoning", reasoning_required=True)
    made, _ = assistant(Thinking("", sealed(part())), ToolCall("t", "f"), profile=profile)
    assert "reasoning" not in made
