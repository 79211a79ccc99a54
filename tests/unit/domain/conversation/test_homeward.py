from __future__ import annotations

from ccr.domain.conversation import Conversation, Role, Text, Thinking, ToolCall, Turn
from ccr.domain.conversation.homeward import homeward, unsealed
from ccr.domain.provenance import Origin, Seal
from ccr.domain.verbatim import Verbatim

OURS = Seal(Origin("gemini", "google", "g"), "call", "ours")
THEIRS = Seal(Origin("openai_responses", "oai", "o"), "reasoning", "theirs")
SOURCE = Verbatim("gemini", b"{}")


def said(*blocks: object) -> Conversation:
    turns = (Turn(Role.USER, (Text("hi"),), SOURCE), Turn(Role.ASSISTANT, blocks, SOURCE))  # type: ignore[arg-type]
    return Conversation("m", turns)


def test_a_conversation_without_foreign_seals_stays_the_same_object() -> None:
    conversation = said(Thinking("t"), Thinking("u", OURS), ToolCall("c", "n", seal=OURS), Text("x"))

    assert homeward(conversation, "gemini", "google") is conversation


def test_what_others_sealed_is_taken_off_and_the_rest_of_the_turn_stays() -> None:
    conversation = said(
        Thinking("kept text", THEIRS),
        Thinking("", THEIRS),
        ToolCall("c", "n", seal=THEIRS),
        Thinking("u", OURS),
    )

    first, second = homeward(conversation, "gemini", "google").turns

    assert first is conversation.turns[0]
    assert second.blocks == (Thinking("kept text"), ToolCall("c", "n"), Thinking("u", OURS))
    assert second.source is None, "its own bytes hold the foreign seal"


def test_the_last_resort_takes_every_seal_off() -> None:
    conversation = unsealed(said(Thinking("t", OURS), ToolCall("c", "n", seal=THEIRS)))

    assert conversation.turns[1].blocks == (Thinking("t"), ToolCall("c", "n"))
