from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.wire.thought_tags import TagSplitter, ThoughtStage
from ccr.domain.conversation import Citation, Text, ToolCall
from ccr.domain.errors import UpstreamProtocolError
from ccr.domain.reply import StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    CitationDelta,
    MessageStart,
    MessageStop,
    StreamEvent,
    StreamFailed,
    StreamGrammar,
    TextDelta,
    ToolInputDelta,
)
from tests.support.chat import outline


def split(*pieces: str) -> tuple[str, str]:
    splitter = TagSplitter("think")
    parts = [part for piece in pieces for part in splitter.feed(piece)] + list(splitter.flush())
    return (
        "".join(text for kind, text in parts if kind == "thinking"),
        "".join(text for kind, text in parts if kind == "text"),
    )


CASES = [
    ("<think>hm</think>\n\nA", ("hm", "A")),
    ("\n <think>hm</think>A", ("hm", "A")),
    ("A", ("", "A")),
    ("A <think>hm</think>", ("", "A <think>hm</think>")),
    ("<thin", ("", "<thin")),
    ("<think>hm", ("hm", "")),
    ("<think>a < b </thin", ("a < b </thin", "")),
    ("<think></think>A</think>", ("", "A</think>")),
    ("  ", ("", "  ")),
    ("", ("", "")),
]


@pytest.mark.parametrize("text,expected", CASES)
def test_thinking_is_told_from_the_answer(text: str, expected: tuple[str, str]) -> None:
    assert split(text) == expected
    assert split(*text) == expected


@given(st.text("<think>/ aA\n", max_size=40), st.data())
def test_it_does_not_matter_where_the_text_is_cut(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    assert split(text[:at], text[at:]) == split(text)


def staged(*events: StreamEvent) -> list[str]:
    stage = ThoughtStage("think")
    got = [out for event in (MessageStart("i", "m"), *events) for out in stage.feed([event])]
    StreamGrammar().check(got)
    return outline(got)


STOP = MessageStop(StopReason.END_TURN)


def test_a_tagged_text_becomes_two_blocks() -> None:
    events: list[StreamEvent] = [
        BlockStart(0, Text("")),
        CitationDelta(Citation("url", url="lost")),
        TextDelta("<think>hm</think> A"),
        CitationDelta(Citation("url", url="u")),
        BlockStop(0),
        BlockStart(1, ToolCall("t", "f", "")),
        ToolInputDelta("{}"),
        BlockStop(1),
        BlockStart(2, Text("")),
        BlockStop(2),
        BlockStart(3, Text("")),
        TextDelta("B"),
        TextDelta("C"),
        BlockStop(3),
    ]
    expected = ["thinking:hm", "text:A[u]", "tool:t:f:{}", "text:BC", "end_turn"]
    assert staged(*events, STOP) == expected


def test_a_failure_loses_nothing() -> None:
    failed = StreamFailed(UpstreamProtocolError("cut"))
    assert staged(BlockStart(0, Text("")), TextDelta("<thi"), failed) == [
        "text:<thi",
        "failed:upstream_protocol",
    ]
    assert staged(failed) == ["failed:upstream_protocol"]
