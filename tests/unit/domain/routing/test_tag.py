from __future__ import annotations

from ccr.domain.conversation import Conversation, Image, Role, Text, ToolResult, Turn, Url
from ccr.domain.routing.tag import read_tag, strip_tag
from ccr.domain.verbatim import Verbatim

TAG = "<CCR-SUBAGENT-MODEL> main,deep </CCR-SUBAGENT-MODEL>"
SOURCE = Verbatim("anthropic", b"{}")


def test_reads_the_first_tag_trimmed() -> None:
    assert read_tag(f"You are {TAG} helpful {TAG.replace('deep', 'fast')}") == "main,deep"


def test_no_tag_or_half_a_tag_is_none() -> None:
    assert read_tag("nothing") == ""
    assert read_tag("<CCR-SUBAGENT-MODEL>main,deep") == ""


def test_a_conversation_without_a_tag_is_the_same() -> None:
    plain = Conversation("m", (Turn(Role.USER, (Text("hi"),), SOURCE),), system=(Text("be"), Text("")))
    stripped = strip_tag(plain)
    assert stripped == plain
    assert stripped.turns[0] is plain.turns[0]


def test_removes_the_tag_from_any_system_text_and_drops_what_is_empty_then() -> None:
    given = Conversation("m", (), system=(Text("one"), Text(TAG), Text(f"{TAG}\ntwo")))
    assert strip_tag(given).system == (Text("one"), Text("two"))


def test_a_turn_that_changes_loses_its_source_and_the_others_keep_it() -> None:
    first = Turn(Role.USER, (Text(f"{TAG} go"), Image(Url("u")), Text(TAG)), SOURCE)
    later = Turn(Role.USER, (Text(TAG),), SOURCE)
    system = Turn(Role.SYSTEM, (Text(f"x{TAG}"),), SOURCE)
    turns = strip_tag(Conversation("m", (first, system, later))).turns
    assert turns[0] == Turn(Role.USER, (Text("go"), Image(Url("u"))))
    assert turns[0].source is None
    assert (turns[1], turns[1].source) == (Turn(Role.SYSTEM, (Text("x"),)), None)
    assert turns[2] is later


def test_a_turn_of_nothing_but_the_tag_stays_a_turn() -> None:
    assert strip_tag(Conversation("m", (Turn(Role.USER, (Text(TAG),)),))).turns == (
        Turn(Role.USER, (Text(""),)),
    )


def test_tool_results_are_not_the_users_words() -> None:
    turn = Turn(Role.USER, (ToolResult("t", (Text(TAG),)),), SOURCE)
    assert strip_tag(Conversation("m", (turn,))).turns[0] is turn
