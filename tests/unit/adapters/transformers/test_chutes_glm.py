from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.transformers.chutes_glm import ChutesGlm
from ccr.domain.conversation import Conversation, FunctionTool, Text, Thinking
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
)
from ccr.domain.verbatim import Json
from tests.support.chat import outline
from tests.support.destinations import destination

SCHEMA = b'{"type":"object","properties":{"path":{"type":"string"},"limit":{"type":"integer"}}}'
ASKED = Conversation("m", (), tools=(FunctionTool("Read", "", Json(SCHEMA)),))
GLM = (
    "<tool_call>Read\n<arg_key>path</arg_key>\n<arg_value>12</arg_value>\n"
    "<arg_key>limit</arg_key><arg_value> 5 </arg_value><arg_key>more</arg_key><arg_value>[1]</arg_value></tool_call>"
)
INPUT = '{"path":"12","limit":5,"more":[1]}'


def staged(*pieces: str, end: StreamEvent | None = None) -> list[str]:
    stage = ChutesGlm().stage_for(ASKED, destination())
    assert stage is not None
    events: list[StreamEvent] = [
        MessageStart("c/1", "m"),
        BlockStart(0, Thinking("")),
        BlockStop(0),
        BlockStart(1, Text("")),
        *map(TextDelta, pieces),
    ]
    events.extend([end] if end is not None else [BlockStop(1), MessageStop(StopReason.END_TURN)])
    got = [out for event in events for out in stage.feed([event])]
    StreamGrammar().check(got)
    return outline(got)[1:]


def test_calls_in_glms_notation() -> None:
    assert staged(f"Let me see.\n{GLM}\n{GLM}\nDone.") == [
        "text:Let me see.\n",
        f"tool:call_c1_0:Read:{INPUT}",
        f"tool:call_c1_1:Read:{INPUT}",
        "text:Done.",
        "tool_use",
    ]


@pytest.mark.parametrize("word", ["arguments", "parameters"])
def test_calls_as_json(word: str) -> None:
    text = f'<tool_call>\n{{"name": "Read", "{word}": {{"path": "/x"}}}}\n</tool_call>'
    assert staged(text) == ['tool:call_c1_0:Read:{"path":"/x"}', "tool_use"]


def test_a_call_without_parameters() -> None:
    assert staged("<tool_call>Read</tool_call>") == ["tool:call_c1_0:Read:{}", "tool_use"]


def test_a_value_that_the_schema_does_not_take_stays_text() -> None:
    text = "<tool_call>Read<arg_key>limit</arg_key><arg_value>{}</arg_value><arg_key>x</arg_key><arg_value>a b</arg_value></tool_call>"
    assert staged(text)[0] == 'tool:call_c1_0:Read:{"limit":"{}","x":"a b"}'


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call>Other</tool_call>",
        "<tool_call>Read<arg_key>path</arg_key></tool_call>",
        '<tool_call>{"name":"Other","arguments":{}}</tool_call>',
        '<tool_call>{"name":"Read"}</tool_call>',
        "<tool_call>{broken}</tool_call>",
        "<tool_call>Read<arg_key>path",
        "a < b <tool",
        " plain",
    ],
)
def test_what_is_no_call_stays_text(text: str) -> None:
    assert staged(text) == [f"text:{text}", "end_turn"]
    assert staged(*text) == [f"text:{text}", "end_turn"]


def test_a_failure_loses_nothing() -> None:
    failed = StreamFailed(UpstreamProtocolError("cut"))
    assert staged("so <tool_call>Re", end=failed) == ["text:so <tool_call>Re", "failed:upstream_protocol"]


def test_an_endless_call_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccr.adapters.transformers.chutes_glm._MOST_HELD", 20)
    assert staged("<tool_call>Read", "x" * 30, "y") == [f"text:<tool_call>Read{'x' * 30}y", "end_turn"]


def test_citations_before_any_text_belong_to_nothing() -> None:
    stage = ChutesGlm().stage_for(ASKED, destination())
    assert stage is not None
    citation = CitationDelta(None)  # type: ignore[arg-type]
    stage.feed([MessageStart("i", "m"), BlockStart(0, Text(""))])
    assert stage.feed([citation]) == []
    assert stage.feed([TextDelta("t"), citation]) == [BlockStart(0, Text("")), TextDelta("t"), citation]


def test_without_tools_there_is_nothing_to_look_for() -> None:
    assert ChutesGlm().stage_for(Conversation("m", ()), destination()) is None


@given(
    st.lists(st.sampled_from([GLM, "text ", "<tool_call>", "</tool_call>", "\n", "<"]), max_size=5), st.data()
)
def test_any_chunking_gives_the_same(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    at = data.draw(st.integers(0, len(text)))

    assert staged(text[:at], text[at:]) == staged(text)
    assert staged(*text) == staged(text)
