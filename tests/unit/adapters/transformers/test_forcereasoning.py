from __future__ import annotations

from ccr.adapters.transformers.forcereasoning import ForceReasoning
from ccr.domain.conversation import ContentBlock, Conversation, Role, Text, Thinking, Turn
from ccr.domain.stream import BlockStart, BlockStop, MessageStart, StreamEvent, TextDelta
from tests.support.chat import outline
from tests.support.destinations import destination

USER = Turn(Role.USER, (Text("u"),))


def asked(*turns: Turn) -> tuple[Turn, ...]:
    return ForceReasoning().request(Conversation("m", turns), destination()).turns


def assistant(*blocks: ContentBlock) -> Turn:
    return Turn(Role.ASSISTANT, blocks)


def test_the_prompt_is_added_to_the_last_turn_of_the_user() -> None:
    (turn,) = asked(USER)
    assert turn.blocks[0] == Text("u")
    assert "<reasoning_content>" in str(turn.blocks[1])


def test_without_a_turn_of_the_user_there_is_one_more() -> None:
    assert [turn.role for turn in asked(assistant(Text("a")))] == [Role.ASSISTANT, Role.USER]


def test_the_latest_reasoning_is_shown_again() -> None:
    thought = assistant(Thinking("hm"), Text("a"))
    turns = asked(*[thought, USER] * 11)
    assert turns[0] == assistant(Text("a"))
    assert turns[2] == assistant(Text("<reasoning_content>hm</reasoning_content>"), Text("a"))
    assert asked(assistant(Thinking("hm")), *[thought, USER] * 10)[0] == assistant(
        Text("<reasoning_content>hm</reasoning_content>")
    )


def test_tags_become_thinking() -> None:
    stage = ForceReasoning().stage(destination())
    text = "<reasoning_content>hm</reasoning_content>\nA"
    events: list[StreamEvent] = [
        MessageStart("i", "m"),
        BlockStart(0, Text("")),
        TextDelta(text),
        BlockStop(0),
    ]
    assert outline(stage.feed(events)) == ["thinking:hm", "text:A"]
