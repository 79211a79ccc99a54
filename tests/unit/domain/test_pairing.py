from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ccr.domain.conversation import ContentBlock, Role, Text, ToolCall, ToolResult, Turn
from ccr.domain.pairing import INTERRUPTED, pair_tools


def user(*blocks: ContentBlock) -> Turn:
    return Turn(Role.USER, blocks)


def assistant(*blocks: ContentBlock) -> Turn:
    return Turn(Role.ASSISTANT, blocks)


def system(text: str) -> Turn:
    return Turn(Role.SYSTEM, (Text(text),))


def call(call_id: str) -> ToolCall:
    return ToolCall(call_id, "Read")


def result(call_id: str, text: str = "x") -> ToolResult:
    return ToolResult(call_id, (Text(text),))


def interrupted(call_id: str) -> ToolResult:
    return ToolResult(call_id, (Text(INTERRUPTED),), is_error=True, plain=True)


HI = user(Text("hi"))


def test_what_is_in_order_is_not_touched() -> None:
    turns = (
        HI,
        assistant(Text("a"), call("1"), call("2")),
        user(result("2"), Text("t"), result("1")),
        system("s"),
        assistant(Text("b")),
        HI,
    )
    assert pair_tools(turns) is turns
    assert pair_tools(()) == ()


def test_a_missing_result_is_made_up() -> None:
    turns = (HI, assistant(call("1"), call("2")), user(result("2"), Text("go on")))
    expected = (HI, turns[1], user(interrupted("1"), result("2"), Text("go on")))
    assert expected == pair_tools(turns)


def test_a_call_that_is_followed_by_nothing() -> None:
    expected = (HI, assistant(call("1")), user(interrupted("1")))
    assert expected == pair_tools(expected[:2])


def test_a_call_that_is_followed_by_the_assistant() -> None:
    turns = (assistant(call("1")), assistant(Text("b")))
    assert (turns[0], user(interrupted("1")), turns[1]) == pair_tools(turns)


def test_orphans_and_repetitions_are_dropped() -> None:
    turns = (HI, assistant(call("1")), user(result("1"), result("1", "again"), result("9"), Text("t")))
    assert (HI, turns[1], user(result("1"), Text("t"))) == pair_tools(turns)


def test_a_result_behind_the_systems_word_is_moved_up() -> None:
    turns = (assistant(call("1")), system("s"), user(result("1"), Text("t")))
    assert (turns[0], user(result("1")), turns[1], user(Text("t"))) == pair_tools(turns)


def test_results_in_two_turns_are_joined() -> None:
    turns = (assistant(call("1"), call("2")), user(result("1")), user(result("2")), HI)
    assert (turns[0], user(result("1"), result("2")), user(Text(INTERRUPTED)), HI)[:2] == pair_tools(turns)[
        :2
    ]
    assert pair_tools(turns)[-1] == HI


def test_the_turn_to_be_answered_does_not_vanish() -> None:
    assert (user(Text(INTERRUPTED)),) == pair_tools((user(result("9")),))


def test_an_orphan_turn_before_the_last_vanishes() -> None:
    assert pair_tools((user(result("9")), HI)) == (HI,)


def test_an_id_of_an_earlier_call_gets_a_number() -> None:
    """Models that count anew each turn: the same ids again and again."""
    turn = (assistant(call("1"), call("1_2")), user(result("1"), result("1_2")))
    again = pair_tools((*turn, assistant(call("1")), user(result("1", "y"))))
    assert again == (*turn, assistant(call("1_3")), user(result("1_3", "y")))
    assert pair_tools(again) is again


def test_calls_of_one_turn_with_the_same_id_have_a_result_each() -> None:
    turns = (assistant(Text("a"), call("1"), call("1")), user(result("1", "x"), result("1", "y")))
    paired = (assistant(Text("a"), call("1"), call("1_2")), user(result("1", "x"), result("1_2", "y")))
    assert pair_tools(turns) == paired
    assert pair_tools((turns[0], user(result("1")))) == (paired[0], user(result("1"), interrupted("1_2")))


BLOCKS = st.sampled_from([Text("t"), call("1"), call("2"), result("1"), result("2"), result("3")])


@given(
    st.lists(
        st.builds(Turn, st.sampled_from(Role), st.lists(BLOCKS, min_size=1, max_size=4).map(tuple)),
        max_size=6,
    ).map(tuple)
)
def test_every_call_has_its_result_in_the_turn_that_follows(turns: tuple[Turn, ...]) -> None:
    # Only the assistant calls.
    turns = tuple(
        Turn(
            turn.role,
            tuple(b for b in turn.blocks if turn.role is Role.ASSISTANT or not isinstance(b, ToolCall)),
        )
        for turn in turns
    )
    paired = pair_tools(turns)
    assert pair_tools(paired) == paired
    made = [block.id for turn in paired for block in turn.blocks if isinstance(block, ToolCall)]
    assert len(set(made)) == len(made)
    for index, turn in enumerate(paired):
        calls = {block.id for block in turn.blocks if isinstance(block, ToolCall)}
        following = paired[index + 1] if index + 1 < len(paired) else user()
        results = [block.call_id for block in following.blocks if isinstance(block, ToolResult)]
        assert sorted(calls) == sorted(results)
